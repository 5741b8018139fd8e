"""What nodes and events of earlier schema versions lack, given to them when an upgrade is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from backends.neo4j.digests import stored_digest
from backends.neo4j.layout import (
    DIGEST,
    FIRST_STEP,
    FOLDED_URI,
    LONG,
    MAX_INDEXED_BYTES,
    RELATIONSHIPS,
    folded_uri,
    has_more_bytes,
)
from backends.neo4j.writes import WRITE_LOCK
from cypher.rendering import escape_name
from lineage.model import LinkKind, NodeKind

__all__ = ["upgrade_graph"]

Run = Callable[..., list[Any]]
_PROPERTY_KEYS: Final = ("properties.", "custom_properties.")
_URI: Final = f"coalesce(n.uri, n.{escape_name(f'{LONG}uri')}, '')"
_READ_URIS: Final = f"""MATCH (n:Artifact) WHERE n.id > $after
WITH n ORDER BY n.id LIMIT 1000
RETURN n.id AS id, {_URI} AS uri, n.uri IS NULL AS is_long"""
_FOLD_URIS: Final = f"""UNWIND $rows AS row
MATCH (n:Artifact {{id: row.id}}) {WRITE_LOCK}
WITH n, row WHERE {_URI} = row.uri
SET n.{escape_name(FOLDED_URI)} = row.folded"""


_READ_TEXTS: Final = """MATCH (n:{label}) WHERE n.id > $after
WITH n ORDER BY n.id LIMIT 1000
RETURN n.id AS id, [key IN keys(n) WHERE CASE WHEN n[key] IS :: STRING THEN size(n[key]) > 1000 ELSE false END
| [key, n[key]]] AS texts"""
_MOVE_TEXTS: Final = f"""UNWIND $rows AS row
MATCH (n:{{label}} {{{{id: row.id}}}}) {WRITE_LOCK}
WITH n, row WHERE all(key IN keys(row.old) WHERE n[key] = row.old[key])
SET n += row.new"""


def _is_misplaced(key: str, text: str) -> bool:
    return (key == "uri" or key.startswith(_PROPERTY_KEYS)) and has_more_bytes(text, MAX_INDEXED_BYTES)


def _moved(texts: dict[str, str]) -> dict[str, str | None]:
    """Return what a node gets: each text under the key of long ones, and nothing under its old one."""
    moved: dict[str, str | None] = dict.fromkeys(texts)
    moved |= {f"{LONG}{key}": text for key, text in texts.items()}
    if "uri" in texts:
        moved[FOLDED_URI] = folded_uri(texts["uri"], is_long=True)
    return moved


_READ_UNSEALED: Final = f"""MATCH (n:{{label}}) WHERE n.id > $after
WITH n ORDER BY n.id LIMIT 1000
RETURN n.id AS id, CASE WHEN n.{DIGEST} IS NULL THEN properties(n) END AS node"""
_SEAL: Final = f"""UNWIND $rows AS row
MATCH (n:{{label}} {{{{id: row.id}}}}) {WRITE_LOCK}
WITH n, row WHERE n.{DIGEST} IS NULL AND n.last_update_time_ms = row.last_update_time_ms
SET n.{DIGEST} = row.digest"""


_NAME_FIRST_STEPS: Final = f"""MATCH ()-[r:{{relationship}}]->() WHERE r.{FIRST_STEP} IS NULL AND r.path[0] IS NOT NULL
WITH r LIMIT 10000 SET r.{FIRST_STEP} = r.path[0] RETURN count(r) AS done"""


def upgrade_graph(run: Run, version: int) -> None:
    """Bring all nodes and relationships from a schema version to the present one.

    It may be done again, and by several at once.
    """
    if version < 2:
        _fold_uris(run)
    if version < 3:
        _move_long_texts(run)
    if version < 4:
        _seal(run)
        _name_first_steps(run)


def _fold_uris(run: Run) -> None:
    """Give the artifacts of version 1 what version 2 finds them by. It may be done again, and by several."""
    after: int | None = -(2**63)
    while after is not None:
        found = run(_READ_URIS, after=after)
        rows = [
            {"id": each["id"], "uri": each["uri"], "folded": folded_uri(each["uri"], is_long=each["is_long"])}
            for each in found
        ]
        run(_FOLD_URIS, rows=[row for row in rows if row["folded"] is not None])
        after = found[-1]["id"] if found else None


def _move_long_texts(run: Run) -> None:
    """Put the texts that versions 1 and 2 took for short where long ones are: they counted three bytes a character.

    So a filter misses them, which looks for a text of that many bytes there. It may be done again, and by several.
    """
    for kind in NodeKind:
        after: int | None = -(2**63)
        while after is not None:
            found = run(_READ_TEXTS.format(label=kind.value), after=after)
            rows = [
                {"id": each["id"], "old": old, "new": _moved(old)}
                for each in found
                if (old := {key: text for key, text in each["texts"] if _is_misplaced(key, text)})
            ]
            run(_MOVE_TEXTS.format(label=kind.value), rows=rows)
            after = found[-1]["id"] if found else None


def _seal(run: Run) -> None:
    """Give the nodes of versions 1 to 3 their digests."""
    for kind in NodeKind:
        after: int | None = -(2**63)
        while after is not None:
            found = run(_READ_UNSEALED.format(label=kind.value), after=after)
            rows = [
                {"id": each["id"], "last_update_time_ms": each["node"]["last_update_time_ms"], "digest": digest}
                for each in found
                if each["node"] is not None and (digest := stored_digest(kind, each["node"])) is not None
            ]
            run(_SEAL.format(label=kind.value), rows=rows)
            after = found[-1]["id"] if found else None


def _name_first_steps(run: Run) -> None:
    """Give the events of versions 1 to 3 what an index finds them by. It may be done again, and by several."""
    for relationship in RELATIONSHIPS[LinkKind.EVENT]:
        while run(_NAME_FIRST_STEPS.format(relationship=relationship))[0]["done"]:
            pass
