"""Nodes, events and comparisons as rows of a pandas DataFrame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import InvalidArgumentError, MissingPackageError, near_matches, short_repr
from lineage.model import Artifact, Node, NodeKind
from lineage.reading.comparison import Comparison
from lineage.reading.graph import LineageGraph
from lineage.viewing.text import address, state_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["comparison_frame", "graph_frame", "nodes_frame"]

_TIMES = ("create_time", "last_update_time", "time")
_TABLES = ("nodes", "events")


def graph_frame(graph: LineageGraph, what: Literal["nodes", "events"]) -> pd.DataFrame:
    """Return a graph's nodes or events. See :meth:`LineageGraph.to_pandas`."""
    if what == "nodes":
        return nodes_frame((*graph.artifacts, *graph.executions, *graph.contexts), graph.hops)
    if what != "events":
        raise InvalidArgumentError(
            f"what: there is no table {short_repr(what)}{near_matches(str(what), _TABLES)}; there are nodes and events"
        )
    return _frame(
        [
            {
                "artifact": f"artifact/{event.artifact_id}",
                "execution": f"execution/{event.execution_id}",
                "type": None if event.type is None else event.type.name,
                "path": event.path,
                "time": event.time_ms,
            }
            for event in graph.events
        ],
        ("artifact", "execution", "type", "path", "time"),
    )


def nodes_frame(nodes: Iterable[Node], hops: Mapping[tuple[NodeKind, int], int] | None = None) -> pd.DataFrame:
    """Return a row for each node: its fields, then each property by its family and name, as filters name them."""
    columns = [
        "address",
        "kind",
        "id",
        "type",
        "name",
        "state",
        "external_id",
        "uri",
        "create_time",
        "last_update_time",
    ]
    if hops:
        columns.append("hops")
    rows: list[dict[str, object]] = []
    for node in nodes:
        row: dict[str, object] = {
            "address": address(node),
            "kind": node.kind.value,
            "id": node.id,
            "type": node.type,
            "name": node.name,
            "state": state_of(node) or None,
            "external_id": node.external_id,
            "uri": node.uri if isinstance(node, Artifact) else None,
            "create_time": node.create_time_ms,
            "last_update_time": node.last_update_time_ms,
        }
        if hops:
            row["hops"] = hops.get((node.kind, node.id or 0))
        for family in ("properties", "custom_properties"):
            row |= {f"{family}.{name}": value for name, value in getattr(node, family).items()}
        rows.append(row)
    own = {name: None for row in rows for name in row if name not in columns}
    return _frame(rows, (*columns, *sorted(own, key=lambda name: (name.startswith("custom_"), name))))


def comparison_frame(comparison: Comparison) -> pd.DataFrame:
    """Return a row for each field: both sides, artifacts by address, and whether they differ."""
    differing = {row.field for row in comparison.differences}
    pandas = _pandas()
    rows = [[row.field, _side(row.left), _side(row.right), row.field in differing] for row in comparison.rows]
    return pandas.DataFrame(rows, columns=["field", "left", "right", "differs"]).astype({"differs": bool})


def _side(value: object) -> object:
    return address(value) if isinstance(value, Node) else getattr(value, "name", value)


def _frame(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    pandas = _pandas()
    return pandas.DataFrame({name: _column(pandas, name, [row.get(name) for row in rows]) for name in columns})


def _column(pandas: Any, name: str, values: list[object]) -> Any:
    """Return values in a type that holds them exactly: ints stay ints where some are absent."""
    if name in _TIMES:
        return pandas.to_datetime(pandas.Series(values, dtype="Int64"), unit="ms", utc=True)
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int}:
        return pandas.Series(values, dtype="Int64")
    if kinds == {bool}:
        return pandas.Series(values, dtype="boolean")
    return pandas.Series(values, dtype="float64" if kinds == {float} else "object")


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise MissingPackageError("to_pandas()", "pandas", "pandas", "pandas") from error
    return pandas
