"""The databases of tests/sql/databases: written by ml_metadata 1.17.1 at each version of its schema."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

__all__ = ["DATABASES", "change", "database"]

DATABASES = Path(__file__).parent / "databases"


def database(name: str, path: Path) -> Path:
    """Make a database at a path: a copy of a file, or what its dump says, and what is added to that (``v7_more``)."""
    file = DATABASES / f"{name}.db"
    if file.exists():
        shutil.copy(file, path)
        path.chmod(0o644)
        return path
    connection = sqlite3.connect(path)
    base, _, more = name.partition("_")
    for dump in (base, name) if more else (base,):
        connection.executescript((DATABASES / f"{dump}.sql").read_text(encoding="utf-8"))
    connection.close()
    return path


def change(path: Path, *statements: str) -> None:
    """Run statements on a database, as somebody may who knows nothing of us."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
