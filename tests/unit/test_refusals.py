"""A refusal is written once, for all who say it."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import backends
import lineage
import lineage.seam.refusals

A_SENTENCE = 30
"""So long is a text that two places do not have in common by chance."""


def constants(file: Path) -> list[str]:
    """The pieces of text in a file, docstrings and what is said beside a value apart."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        node.value.strip(" ,;.:")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
    ]


def twins(folder: Path) -> dict[str, list[str]]:
    """Sentences that stand in more than one place, with the files."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for file in sorted(folder.rglob("*.py")):
        if "_pb2" not in file.name:
            for text in constants(file):
                if len(text) >= A_SENTENCE and text.count(" ") >= 3:
                    places[text].append(str(file.relative_to(folder)))
    assert len(places) > 5
    return {text: files for text, files in places.items() if len(files) > 1}


def test_no_backend_has_words_of_its_own_for_a_refusal() -> None:
    refusals = {text for text in constants(Path(lineage.seam.refusals.__file__)) if len(text) > 15}
    assert len(refusals) > 10
    found = {file.name: refusals & {*constants(file)} for file in sorted(Path(backends.__path__[0]).rglob("*.py"))}
    assert found
    assert not any(found.values()), found


def test_no_sentence_is_written_twice_above_the_seam() -> None:
    assert twins(Path(str(lineage.__file__)).parent) == {}
