"""What only a store can refuse is written once, for all of them."""

from __future__ import annotations

import ast
from pathlib import Path

import backends
import lineage.seam.refusals


def texts(file: Path) -> set[str]:
    """The pieces of text in a file, docstrings apart, that are long enough to be a sentence."""
    tree = ast.parse(file.read_text())
    found = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    said = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
    }
    return {text.strip() for text in found - said if len(text) > 15}


def test_no_backend_has_words_of_its_own_for_a_refusal() -> None:
    refusals = texts(Path(lineage.seam.refusals.__file__))
    assert len(refusals) > 10
    twins = {file.name: texts(file) & refusals for file in sorted(Path(backends.__path__[0]).rglob("*.py"))}
    assert twins
    assert not any(twins.values()), twins
