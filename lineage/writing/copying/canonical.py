"""What is the same in two stores: a text for each record, without what a store numbers for itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lineage.model import Link, LinkKind, Node, NodeType, Record

__all__ = ["link_text", "node_text", "type_text"]

_NUMBERS = frozenset({"id", "type_id"})
_TIMES = frozenset({"create_time_ms", "last_update_time_ms"})


def node_text(node: Node, *, with_times: bool) -> str:
    """Return all of a node but its ids, as a text that is equal for equal nodes; -0.0 and 0.0 differ, NaN does not."""
    return _text(node, _NUMBERS if with_times else _NUMBERS | _TIMES)


def type_text(type_: NodeType) -> str:
    """Return all of a type but its id."""
    return _text(type_, _NUMBERS)


def link_text(link: Any) -> str:
    """Return all of a link but its ends."""
    return _text(link, frozenset(link.ends)) if link.kind is LinkKind.EVENT else ""


def _text(record: Record | Link, without: frozenset[str]) -> str:
    return repr([(name, _plain(value)) for name, value in sorted(vars(record).items()) if name not in without])


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [(key, _plain(each)) for key, each in sorted(value.items())]
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(each) for each in value]
    return value
