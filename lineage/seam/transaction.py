"""A store and its units of work: what every backend has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Literal, Protocol, runtime_checkable

from lineage.model import Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam.queries import LinkQuery, NodeQuery

__all__ = ["Backend", "HasOnlyMlmdsFilters", "Reads", "Transaction"]


class Reads(Protocol):
    """The reading half of a unit of work.

    It sees one state of the store; in a database without snapshots, each read by itself does.
    """

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        """Return all types of the kind by id.

        It is the same object as long as nothing changed: the engine indexes it once.
        """
        ...

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        """Return the nodes of a query, in its order."""
        ...

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        """Return the links of a query, each once."""
        ...


@runtime_checkable
class HasOnlyMlmdsFilters(Protocol):
    """What reads say that can be asked by MLMD's filters only, without EXISTS and paths: those of a genuine server."""

    only_mlmds_filters: Literal[True]


class Transaction(Reads, Protocol):
    """One unit of work: everything in it happens, or nothing does. Its reads see its own writes."""

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        """Store new types and return their ids, from one sequence for all kinds.

        Raises AlreadyExistsError if a (name, version) of the kind, or an external id of any kind, is taken.
        """
        ...

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        """Replace the types with these ids. Raises AlreadyExistsError as :meth:`insert_types` does."""
        ...

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        """Store new nodes (complete but for ``id``) and return their ids.

        Raises AlreadyExistsError if a (type, name) or an external id of the kind is taken.
        """
        ...

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        """Replace the nodes with these ids, all of which exist.

        Where ``expected_update_times_ms`` has an id whose stored update time is another, raise FailedPreconditionError.
        Raises AlreadyExistsError as :meth:`insert_nodes` does.
        """
        ...

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        """Store new links between nodes that exist.

        Two events are the same if artifact, execution and type agree, other links if both ends do. One that is there
        already (or comes twice) raises AlreadyExistsError, or is left as it is.
        """
        ...

    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        """Delete links, known by what makes them the same; return how many there were. Others are passed over."""
        ...

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Delete nodes with their properties; return how many there were. Ids that no node has are passed over.

        Their names and external ids can be used again, their ids never are. Raises FailedPreconditionError if a link
        still ends at one of them, be it one that another client has just put.
        """
        ...

    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        """Delete types; return how many there were. As :meth:`delete_nodes` in all else.

        Raises FailedPreconditionError if a node is of one of them.
        """
        ...


class Backend(Protocol):
    """A store. Its methods may be called from several threads."""

    def prepare(self, *, read_only: bool = False, upgrade: bool = False) -> None:
        """Make the database ready for use: constraints, indexes, schema version. Idempotent.

        With ``read_only`` nothing is written, and a database that is not ready raises FailedPreconditionError. So does
        one with an older schema, which only ``upgrade`` changes.
        """
        ...

    def transaction(self, *, write: bool = False) -> AbstractContextManager[Transaction]:
        """Begin a unit of work, which is undone when its block is left by an exception."""
        ...

    def close(self) -> None:
        """Let go of the database."""
        ...
