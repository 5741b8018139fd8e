"""docs/getting_started.md: its commands run on what its code records, and its picture is the one of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "getting_started.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^lineage (.+?)(?: +#.*)?$", PAGE, re.MULTILINE)


@pytest.fixture(autouse=True)
def recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page records, in the working directory."""
    monkeypatch.delenv("LINEAGE_STORE", raising=False)
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[:2]:
        exec(compile(block, "the page", "exec"), names)


def test_the_picture_is_that_of_what_the_page_records(folder: Path) -> None:
    assert main(["view", "Run/iris/monday", "-o", "drawn.svg"]) == 0
    drawn = Path("drawn.svg").read_text(encoding="utf-8").replace(f"{folder}/", "")
    assert drawn == (ROOT / "docs" / "images" / "getting-started.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_finds_something(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webbrowser.open", lambda url: True)
    status = main(shlex.split(command))
    assert status == (1 if command.startswith("compare") else 0), capsys.readouterr().err
    assert capsys.readouterr().out or Path("lineage.html").exists()


def test_the_first_screen_is_install_five_lines_and_a_picture() -> None:
    screen = README[: README.index("## ")]
    install, code, view, picture = (
        screen.index(each) for each in ("pip install", "```python\n", "lineage view --open", "![")
    )
    assert install < code < view < picture
    block = screen[code:].partition("```python\n")[2].partition("```")[0]
    assert len([line for line in block.splitlines() if line and "import" not in line]) == 5
    assert README.splitlines().index(next(line for line in README.splitlines() if line.startswith("!["))) < 40


def test_what_the_page_says_is_recorded() -> None:
    with lineage.open_store() as store:
        [cleaned] = store.list_artifacts("uri LIKE '%/clean.csv'")
        makers = [each.type for each in store.upstream(cleaned).executions]
        assert makers == ["Clean"], "the trainings use what the cleaning made"
