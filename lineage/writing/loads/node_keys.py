"""What a node is known by, beside its id: its external id, or else its type and name."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

from lineage.catalog import TypeIndex
from lineage.errors import AlreadyExistsError, InvalidArgumentError, short_repr
from lineage.model import Node, NodeKind
from lineage.model.values import INT64_MAX, INT64_MIN, check_text
from lineage.seam import NodeKeys
from lineage.writing.node_rules import check_no_times, type_of
from lineage.writing.writer import Writer

__all__ = ["Key", "KnownIds", "Ref", "insert_new"]

Ref: TypeAlias = int | str | tuple[str | int, str]
"""How a link names a node: by its id, its external id (a str), or its type (name or id) and name (a pair)."""

Key: TypeAlias = str | tuple[int, str]
"""An external id, or a type's id and a name."""


def insert_new(writer: Writer, kind: NodeKind, nodes: Sequence[Node]) -> dict[Key, int]:
    """Insert the nodes whose key is not in the store yet, and return the ids of these.

    Raises AlreadyExistsError where an external id is that of a node of another type or name.
    """
    types = writer.types(kind)
    keys = [_own_key(types, node) for node in nodes]
    known = {key: (found.type_id, found.name) for key, found in _find(writer, kind, keys).items()}
    new: dict[Key, Node] = {}
    for key, node in zip(keys, nodes, strict=True):
        check_no_times(node)
        type_id = type_of(types, node).id
        if key not in known:
            known[key] = type_id, node.name
            new[key] = node
            continue
        same_type_id, same_name = known[key]
        if same_type_id != type_id or (node.name and same_name and node.name != same_name):
            raise AlreadyExistsError(
                f"the external id {short_repr(key)} is that of another {kind.lower()}, with the "
                f"{_shown_key(types, same_type_id, same_name)}; give this one its own"
            )
    return dict(zip(new, writer.put_nodes(kind, list(new.values())), strict=True))


def _own_key(types: TypeIndex, node: Node) -> Key:
    if node.id is not None:
        raise InvalidArgumentError(
            f"a load creates nodes, and {short_repr(node)} has an id; leave it out, or put it by itself"
        )
    if node.external_id:
        return node.external_id
    if node.name:
        return type_of(types, node).id, node.name
    raise InvalidArgumentError(
        f"{short_repr(node)} has neither an external_id nor a name; give it one, by which a load that is run again "
        "knows it"
    )


def _find(writer: Writer, kind: NodeKind, keys: Iterable[Key]) -> dict[Key, NodeKeys]:
    """Return the nodes that are known by these keys."""
    wanted = dict.fromkeys(keys)
    external_ids = [key for key in wanted if isinstance(key, str)]
    names = [key for key in wanted if isinstance(key, tuple)]
    found: dict[Key, NodeKeys] = {}
    for each in writer.find_keys(kind, external_ids, names):
        if each.external_id in wanted:
            found[each.external_id] = each
        if each.name is not None and (each.type_id, each.name) in wanted:
            found[each.type_id, each.name] = each
    return found


class KnownIds:
    """The ids of nodes by their keys: some remembered, the others looked up."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ids: dict[NodeKind, dict[Key, int]] = {kind: {} for kind in NodeKind}

    def remember(self, kind: NodeKind, ids: Mapping[Key, int]) -> None:
        """Keep ids of nodes that are in the store; those kept longest make room."""
        known = self._ids[kind]
        known.update(ids)
        for key in list(islice(known, max(0, len(known) - self._limit))):
            del known[key]

    def ids_of(self, writer: Writer, kind: NodeKind, refs: Sequence[Ref]) -> list[int]:
        """Return the ids of nodes. Raises InvalidArgumentError for the first that does not exist or is no reference."""
        types = writer.types(kind)
        keys = [_key(types, ref) for ref in refs]
        known = self._ids[kind]
        unknown = [key for key in keys if not isinstance(key, int) and key not in known]
        found = {key: each.id for key, each in _find(writer, kind, unknown).items()} if unknown else {}
        ids: list[int] = []
        for key in keys:
            node_id = key if isinstance(key, int) else known.get(key) or found.get(key)
            if node_id is None:
                raise _missing(kind, types, key)
            ids.append(node_id)
        self.remember(kind, found)
        return ids


def _key(types: TypeIndex, ref: Any) -> Key | int:
    """Return the key or the id that a reference is, checked, as what a database takes."""
    try:
        if isinstance(ref, str):
            return check_text(str(ref))
        if isinstance(ref, (tuple, list)):
            type_, name = ref
            type_id = types.get(type_, None).id if isinstance(type_, str) else _int64(type_)
            if isinstance(name, str):
                return type_id, check_text(str(name))
            raise TypeError("a name is a str")
        return _int64(ref)
    except (TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"{short_repr(ref)} names no {types.kind.lower()} ({error}); give its id (int), its external id (str), "
            "or a pair of its type and its name"
        ) from None


def _int64(value: Any) -> int:
    if isinstance(value, bool):
        raise TypeError("a bool is no id")
    number = operator.index(value)
    if not INT64_MIN <= number <= INT64_MAX:
        raise ValueError("it does not fit in 64 bits")
    return number


def _missing(kind: NodeKind, types: TypeIndex, key: Any) -> InvalidArgumentError:
    known_as = _shown_key(types, *key) if isinstance(key, tuple) else f"external id {short_repr(key)}"
    return InvalidArgumentError(f"there is no {kind.lower()} with the {known_as}; put the node before its links")


def _shown_key(types: TypeIndex, type_id: int, name: str | None) -> str:
    type_ = types.by_id.get(type_id)
    return f"type {type_id if type_ is None else repr(type_.name)} and name {short_repr(name)}"
