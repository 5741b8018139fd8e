"""docs/command_line.md shows what the commands print."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

import lineage
from lineage.cli import main
from tests.cli.sample import fill

PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
COMMANDS = [
    (command, output)
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    for command, output in re.findall(r"^\$ lineage (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


def test_commands_are_found() -> None:
    assert {command.split()[0] for command, _ in COMMANDS} == {
        "ls", "runs", "show", "up", "down", "paths", "between", "common", "roots", "leaves", "impact", "select",
        "compare", "diff", "types", "rm",
    }  # fmt: skip


@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_a_command_prints_what_the_page_says(
    command: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with lineage.open_store(tmp_path / "lineage.db") as store:
        fill(store, "churn-2")
    main(["--store", str(tmp_path / "lineage.db"), *shlex.split(command)])
    printed = capsys.readouterr()
    assert TIME.sub("TIME", printed.out) == TIME.sub("TIME", output)
    assert printed.err == ""
