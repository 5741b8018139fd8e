"""The two ends of a copy, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from lineage.model import LinkKind, Node, NodeKind, NodeType

__all__ = ["CopyResult", "Destination", "OnConflict", "Source", "Verified"]

OnConflict = Literal["error", "same", "skip"]


@dataclass(frozen=True, slots=True)
class Verified:
    """What was compared of a sort of record: how many, and the SHA-256 of all of them, which both stores have."""

    what: str
    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class CopyResult:
    """What a copy did, or would do: how many of each sort were new in the destination, and how many there already.

    ``notes`` says what could not be kept.
    """

    ids: Literal["keep", "new"]
    created: Mapping[str, int]
    present: Mapping[str, int]
    verified: tuple[Verified, ...] = ()
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """A store that is read, in parts."""

    has_order: bool
    """Whether :meth:`events` gives the events of the whole store in the order in which they were put."""

    def types(self) -> list[NodeType]:
        """Return all types, by id."""
        ...

    def nodes(self, kind: NodeKind, size: int) -> Iterator[list[Node]]:
        """Give all nodes of a kind by id, so many at a time."""
        ...

    def nodes_by_id(self, kind: NodeKind, ids: Sequence[int]) -> dict[int, Node]:
        """Return the nodes with these ids."""
        ...

    def links(self, kind: LinkKind, ids: Sequence[int]) -> Sequence[Any]:
        """Return the links of artifacts (attributions), executions (events, associations) or contexts (parents)."""
        ...

    def events(self, size: int) -> Iterator[Sequence[Any]]:
        """Give all events, in order, so many at a time; where there is no such order, nothing."""
        ...


class Destination(Source, Protocol):
    """A store that is written to; each call is one unit of work."""

    can_keep_ids: bool
    keeps_times: bool

    def is_empty(self) -> bool:
        """Whether there is nothing in it but the simple types."""
        ...

    def insert_types(self, types: Sequence[NodeType], *, keep: bool) -> list[int]:
        """Store types that are not there, and return their ids."""
        ...

    def extend_type(self, type_: NodeType) -> None:
        """Give a type that is there more properties."""
        ...

    def find(self, kind: NodeKind, nodes: Sequence[Node]) -> list[Node | None]:
        """Return the node with the external id of each, or else with its type and name."""
        ...

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, keep: bool) -> list[int]:
        """Store nodes that are not there, and return their ids."""
        ...

    def insert_links(self, kind: LinkKind, links: Sequence[Any], *, all_new: bool) -> int:
        """Store links; those that are there stay, unless all are known to be new. Returns how many were new."""
        ...
