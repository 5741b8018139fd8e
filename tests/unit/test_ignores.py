"""What a checker is told to ignore has its reason beside it."""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path

from tests.unit.test_rooms import FOLDERS

IGNORE = re.compile(
    r"#\s*(?:noqa(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore(?:\[[^\]]*\])?|pyright:\s*ignore(?:\[[^\]]*\])?)"
)
GENERATED = re.compile(r"_pb2(_grpc)?\.pyi?$")


def unexplained(file: Path, root: Path) -> list[str]:
    """The comments of a file that hold an ignore and no other word."""
    comments = (
        token
        for token in tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline)
        if token.type == tokenize.COMMENT
    )
    return [
        f"{file.relative_to(root)}:{comment.start[0]}"
        for comment in comments
        if IGNORE.search(comment.string) and not IGNORE.sub("", comment.string).strip(" #")
    ]


def test_every_ignore_has_its_reason_beside_it() -> None:
    files = [
        (file, folder.parent)
        for folder in FOLDERS.values()
        for file in folder.rglob("*.py")
        if not GENERATED.search(file.name)
    ]
    assert len(files) > 500
    assert [place for file, root in files for place in unexplained(file, root)] == []


def test_an_ignore_without_a_reason_is_found(tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text(
        "a = 1  # noqa\n"
        "b = 1  # type: ignore[misc]\n"
        "c = 1  # pyright: ignore[reportAny]  # its reason\n"
        "d = 1  # noqa: E501, F401\n"
        "e = '# noqa'\n"
    )
    assert [place.rpartition(":")[2] for place in unexplained(file, tmp_path)] == ["1", "2", "4"]
