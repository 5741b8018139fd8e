"""Which backend can do what: one table in code, held against the classes and the documentation."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from backends.memory.backend import MemoryBackend, MemoryTransaction
from backends.neo4j.backend import Neo4jBackend
from backends.neo4j.transaction import Neo4jTransaction
from backends.sql.backend import SqlBackend
from backends.sql.transaction import SqlTransaction
from lineage.seam import CAPABILITIES, Capability, capabilities

CLASSES: dict[str, dict[str, type]] = {
    "memory": {"backend": MemoryBackend, "transaction": MemoryTransaction},
    "sql": {"backend": SqlBackend, "transaction": SqlTransaction},
    "neo4j": {"backend": Neo4jBackend, "transaction": Neo4jTransaction},
}
DOCUMENT = Path(__file__).parents[2] / "docs" / "architecture.md"


def table() -> str:
    """The table as docs/architecture.md has it."""
    rows = [
        f"| `{each.protocol.__name__}` | {each.what} | {', '.join(sorted(each.backends))} | {each.instead} |"
        for each in CAPABILITIES
    ]
    return "\n".join(["| capability | what | who has it | the others |", "| --- | --- | --- | --- |", *rows])


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("capability", CAPABILITIES, ids=lambda each: each.protocol.__name__)
def test_a_backend_can_do_what_the_table_says(capability: Capability, name: str) -> None:
    has = issubclass(CLASSES[name][capability.owner], capability.protocol)
    assert has == (name in capability.backends)


def test_the_table_has_every_capability_and_every_backend() -> None:
    own = [each for each in vars(capabilities).values() if getattr(each, "__module__", "") == capabilities.__name__]
    protocols = {each for each in own if is_protocol(each)}
    assert {each.protocol for each in CAPABILITIES} == protocols
    room = Path(inspect.getfile(MemoryBackend)).parents[1]
    folders = {path.parent.name for path in room.glob("*/__init__.py")}
    assert set(CLASSES) == folders


def is_protocol(given: Any) -> bool:
    return bool(getattr(given, "_is_protocol", False))


def test_the_documentation_has_the_table() -> None:
    assert table() in DOCUMENT.read_text(), f"docs/architecture.md lacks this table:\n{table()}"
