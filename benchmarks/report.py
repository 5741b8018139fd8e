"""Tables, as text for the terminal and as Markdown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def machine() -> str:
    """Say what was measured, and where."""
    return (
        f"Python {platform.python_version()}, lineage-graph {_version('lineage-graph')}, "
        f"ml-metadata {_version('ml-metadata')}, pydantic {_version('pydantic')}; "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} x {_processor()}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "(none)"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "CPU"


class Table:
    """Rows that are printed as they come, and kept for Markdown. All but the first and last columns are numbers."""

    def __init__(self, title: str, columns: Sequence[str], widths: Sequence[int]) -> None:
        self._title = title
        self._columns = columns
        self._widths = widths
        self._rows: list[Sequence[str]] = []
        print(f"\n{title}\n")
        self._print(columns)
        self._print(["-" * width for width in widths])

    def add(self, row: Sequence[str]) -> None:
        self._rows.append(row)
        self._print(row)

    def _print(self, row: Sequence[str]) -> None:
        last = len(row) - 1
        cells = [
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, self._widths, strict=True))
        ]
        print("  ".join(cells).rstrip(), flush=True)

    def markdown(self) -> str:
        last = len(self._columns) - 1
        line = [":--" if place in (0, last) else "--:" for place in range(last + 1)]
        escaped = [[cell.replace("|", "\\|") for cell in row] for row in (self._columns, line, *self._rows)]
        rows = "\n".join(f"| {' | '.join(row)} |" for row in escaped)
        return f"### {self._title}\n\n{machine()}\n\n{rows}\n"


def recorded(document: str, what: str, text: str) -> str:
    """Return the document with this text between its lines ``<!-- run: WHAT -->`` and ``<!-- end -->``."""
    before, begin, rest = document.partition(f"<!-- run: {what} -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    if not begin or not end:
        raise ValueError(f"the document has no place for a run of {what!r}: <!-- run: {what} --> ... <!-- end -->")
    return f"{before}{begin}{text}{end}{after}"
