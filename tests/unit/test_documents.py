"""The documents tell the truth: their Python runs, prints what they say, and their links lead somewhere."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

import lineage
from tests.differential import differences
from tests.make_reference import REFERENCE, reference

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
WITH_CODE = [document for document in DOCUMENTS if "```python\n" in document.read_text(encoding="utf-8")]
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("document", WITH_CODE, ids=lambda document: document.name)
def test_code_prints_what_the_document_says(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LINEAGE_STORE", raising=False)
    text = document.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start("code"))
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(
                compile("\n" * line + block["code"], str(document), "exec"), names
            )  # its line numbers are the document's
        shown = printed.getvalue().replace(f"{tmp_path}/", "")  # the folder is another each time
        assert shown == (block["output"] or ""), f"{document.name}, the block at line {line + 1}"


def test_documents_with_code_are_found() -> None:
    assert {"README.md", "getting_started.md", "by_hand.md", "side_by_side.md"} <= {
        document.name for document in WITH_CODE
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target, anchor in re.findall(
        r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text(encoding="utf-8")
    ):
        file = document.parent / target if target else document
        if not file.exists() and target == "LICENSE":
            continue  # the tests of the wheel run without it
        assert file.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in _anchors(file), f"{document.name} links to {target}#{anchor}"


def _anchors(file: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_reference_of_the_api_is_the_one_in_the_code() -> None:
    """With every public name, every method of Store, and every error: they are all in one page."""
    page = REFERENCE.read_text(encoding="utf-8")
    assert page == reference(), "write it anew: make docs"
    headings = set(re.findall(r"^#{3,4} (?:lineage\.)?(\w+)$", page, re.MULTILINE)) | {"Store"}
    members = {name for name in dir(lineage.Store) if not name.startswith("_")}
    named = {name for name in vars(lineage.errors) if name.endswith("Error")}
    values = {"errors", "PropertyValue"}  # a module, and the name of a type
    assert headings >= (members | named | set(lineage.__all__)) - values


def test_the_table_of_differences_is_the_one_in_the_code() -> None:
    text = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    assert differences.markdown() in text, "print it by python -m tests.differential.differences, and put it there"
