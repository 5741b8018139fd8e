"""Lists of the newest node of each group: of those of one name, type, uri or value of a property.

Nodes that have no such thing are in no group, and not in the list. The newest is the last one created, of one
millisecond that with the highest id.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import NodeKind
from lineage.reading.property_order import PropertyOrder, Values, group_of, parse_property_order
from lineage.seam import Reads

__all__ = ["AIM", "GroupKey", "newest_of_each", "parse_latest_per"]

AIM = "list the latest per"
"""How errors say what a text was for."""
_FIELDS = {"name": "name", "type": "type_id", "uri": "uri"}


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What the nodes of a group share: ``field``, a field of the record, or ``by``, a property."""

    value: str
    field: str | None = None
    by: PropertyOrder | None = None


def parse_latest_per(kind: NodeKind, text: Any) -> GroupKey:
    """Return what a text groups nodes of a kind by. Raises InvalidArgumentError if it is nothing to group them by."""
    fields = [each for each in _FIELDS if each != "uri" or kind is NodeKind.ARTIFACT]
    if isinstance(text, str) and text in fields:
        return GroupKey(text, field=_FIELDS[text])
    by = parse_property_order(text, aim=AIM)
    if by is None:
        raise InvalidArgumentError(
            f"cannot {AIM} {short_repr(text)}; use one of {', '.join(map(repr, fields))}, or a property, "
            "as in 'properties.stage' or 'custom_properties.stage'"
        )
    return GroupKey(by.value, by=by)


def newest_of_each(tx: Reads, kind: NodeKind, values: Values, key: GroupKey) -> dict[int, int]:
    """Return the ids of the newest nodes of each group, with their create times in milliseconds."""
    held = values.of(None, key.field or "") if key.by is None else values.of(key.by.family, key.by.name)
    times = dict(values.of(None, "create_time_ms"))
    names = {type_.id: type_.name for type_ in tx.find_types(kind)} if key.field == "type_id" else {}
    newest: dict[Hashable, tuple[int, int]] = {}
    for node_id, value in held:
        time = times.get(node_id)
        if time is None or value is None or (key.by is None and value == ""):
            continue
        group = group_of(value) if key.by is not None else names.get(value, value)
        newest[group] = max(newest.get(group, (time, node_id)), (time, node_id))
    return {node_id: time for time, node_id in newest.values()}
