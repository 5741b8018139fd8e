"""One unit of work on Neo4j.

Reads run each by itself (Neo4j reads what is committed, in a transaction or not). Writes wait until the end and go in
one statement; only a unit of work that locks nodes, changes types or reads what it wrote begins a transaction before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from neo4j.exceptions import ConstraintError, DriverError, Neo4jError

from backends.neo4j.client import Client
from backends.neo4j.deletes import delete_links, delete_nodes
from backends.neo4j.errors import CONNECTION_LOST, emptied, translated
from backends.neo4j.expansion import EXPANDED_LINKS, expansion_statement, once
from backends.neo4j.ids import UnitIds
from backends.neo4j.reads import NodeStatement, can_lead, can_match, keys_statement, link_statement, node_statement
from backends.neo4j.records import exact_numbers, links_from_items, node_from_graph, property_keys, value_from_graph
from backends.neo4j.sending import Sender
from backends.neo4j.sessions import Statements
from backends.neo4j.types import LOCK_PARENTS, VERSION_PART, TypesInUse
from backends.neo4j.whole import WholeReads
from backends.neo4j.writes import (
    NOT_ALL_DONE,
    ReplaceNodes,
    Seen,
    WriteBuffer,
    combined,
)
from cypher import Filter
from lineage.errors import FailedPreconditionError, LineageError, UnavailableError
from lineage.model import Direction, Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam import Expansion, LinkQuery, NodeKeys, NodeQuery, NumberQuery, current_deadline, current_unit

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Neo4jTransaction"]

MAX_SEEN = 20
"""So many nodes are updated without a lock while they are read; more are locked."""
_PAUSE_S = 0.005
MAX_EXPANDED_STARTS = 50
"""From each starting node Neo4j walks by itself; from more than these, the engine's one walk from all is cheaper."""


class Neo4jTransaction:
    """See :class:`lineage.seam.Transaction`."""

    def __init__(self, client: Client, *, write: bool) -> None:
        self._client = client
        self._write = write
        self._statements = Statements(client.sessions, write=write)
        self._types = TypesInUse(client.types, self._statements.read)
        self._whole = WholeReads(client.known_states, self._before_reading_again)
        self._buffer = WriteBuffer()
        self._ids = UnitIds(client.ids)
        self._sender = Sender(client, self._statements, self._ids)
        self._seen: Seen = {}
        """What was read of nodes to be updated, without a lock: confirmed with the update, or at the end."""
        self._has_locked_parents = False
        self._committed = False
        self._is_unanswered = False
        """Whether something was sent that commits, and no answer came: by an interrupt, or for want of a connection."""

    # --- begin and end ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._complete()
            elif isinstance(error, LineageError) and not error.repeatable:
                self._surface(error)
        except BaseException as failure:
            self._end(failure)
            if isinstance(failure, (DriverError, Neo4jError)):
                raise translated(failure) from failure
            raise
        self._end(error)

    def _complete(self) -> None:
        self._buffer.confirm_nodes(self._seen)
        if not self._statements.in_transaction and not self._buffer:
            self._types.verify_by_asking()
            return
        if self._statements.in_transaction or not self._buffer.is_small or not self._complete_at_once():
            self._flush()
            self._types.verify_by_asking()
            self._commit()
        self._committed = True
        if self._ids.passed_milestone:
            self._client.schema.renew_plans()
        self._client.types_changed(self._types.committed())

    def _complete_at_once(self) -> bool:
        """Send all operations as one statement; tell whether it did everything, for else it did nothing."""
        operations = self._buffer.operations
        statement, parameters = combined(operations, self._types.version_to_verify)
        self._sender.bear_witness(operations)
        self._is_unanswered = True
        try:
            rows = self._statements.run(statement, parameters)
        except CONNECTION_LOST as error:
            raise self._unanswered(error) from error
        except Neo4jError as error:
            self._is_unanswered = False
            if not isinstance(error, ConstraintError) and error.code not in NOT_ALL_DONE:
                raise
            replaced = [operation for operation in operations if isinstance(operation, ReplaceNodes)]
            if replaced:
                raise self._sender.must_be_read(replaced) from error
            return False
        if not rows:
            raise emptied(self._client.database)
        self._buffer.take()
        return True

    def _commit(self) -> None:
        deadline = current_deadline()
        if deadline is not None:
            deadline.check()
        self._is_unanswered = True
        try:
            self._statements.commit()
        except CONNECTION_LOST as error:
            raise self._unanswered(error) from error
        except Neo4jError:
            self._is_unanswered = False
            raise

    def _unanswered(self, error: DriverError) -> LineageError:
        """Build the error for a commit that got no answer, and see to it that it can be found out what became of it.

        The next attempt takes the same ids: where the lost one turns out to have happened, or is happening, the
        database refuses them, and the witness tells that it was this unit of work.
        """
        result = translated(error)
        unit, witness = current_unit(), self._sender.witness
        if unit is not None:
            for kind, ids in self._ids.used().items():
                unit.kept[kind] = ids
            if witness is not None:
                unit.unanswered(lambda: witness.look(self._client.run_alone))
        elif witness is not None:
            return UnavailableError(
                "the connection to Neo4j was lost while it was writing; read whether the change was made before "
                f"repeating it ({error})"
            )
        return result

    def _surface(self, error: LineageError) -> None:
        """What was to be written before may be wrong too, and then it is what is reported.

        A node that is refused for its state must have that state: what was read without a lock may never have been.
        """
        if isinstance(error, FailedPreconditionError):
            self._buffer.confirm_nodes(self._seen)
        if self._write and self._buffer:
            self._flush()
        self._statements.roll_back()
        try:
            self._types.verify_by_asking()
        except LineageError as stale:
            raise stale from error

    def _end(self, error: BaseException | None) -> None:
        if not self._committed:
            if error is None or isinstance(error, (LineageError, DriverError, Neo4jError)):
                self._statements.roll_back()
            if not self._is_unanswered:
                self._ids.give_back()
        self._statements.close(error)

    # --- types --------------------------------------------------------------------------------------------------------

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        return self._types.find(kind)

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        self._flush()
        self._statements.begin()
        return self._types.insert(kind, types)

    def restore_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        self._flush()
        self._statements.begin()
        self._types.insert(kind, types, keep_ids=True)

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        self._flush()
        self._statements.begin()
        self._types.update(kind, types)

    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        self._flush()
        self._statements.begin()
        return self._types.delete(kind, ids)

    # --- nodes --------------------------------------------------------------------------------------------------------

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        ids = self._ids.take(kind, len(nodes))
        self._buffer.insert_nodes(
            kind, [node.replace_trusted(id=node_id) for node, node_id in zip(nodes, ids, strict=True)]
        )
        return ids

    def restore_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> None:
        self._client.skip_ids(kind, max((node.id or 0 for node in nodes), default=0))
        self._buffer.insert_nodes(kind, nodes)

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        self._client.read_first.remove(kind, (node.id or 0 for node in nodes))  # a change: it may well change again
        self._buffer.update_nodes(kind, nodes, expected_update_times_ms, self._seen)

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
        if self._ids.has(kind):
            return False  # one of these may be new, with another id when this unit of work is repeated
        unit = current_unit()
        if unit is not None and unit.attempts > 1:
            return False  # what has to be read may not be what failed: reading everything comes to an end
        read_first = self._client.read_first
        if any(read_first.has(kind, node.id or 0) or (kind, node.id) in self._seen for node in nodes):
            return False
        return self._buffer.replace_nodes(kind, nodes, even_if_same=even_if_same)

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        self._buffer.confirm_nodes(self._seen)  # what was decided on them is true only so
        self._flush()
        self._statements.begin()
        return delete_nodes(self._statements.read, kind, ids)

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        if not can_match(query):
            return []
        if self._buffer and self._can_see_buffer(query):
            self._flush()
        will_update = self._write and query.ids is not None and query.filter is None and query.limit is None
        lock = will_update and not self._can_do_without_lock(query)
        if lock:
            self._statements.begin()
        if query.keys is not None or query.external_ids is not None:
            self._sender.keys_read.add(query.kind)
        found, nodes = self._whole.nodes(
            query, lambda asked: self._find(asked, lock=lock), lambda found: self._nodes(query.kind, found)
        )
        if will_update and not lock:
            self._seen.update({(query.kind, graph["id"]): graph for graph in found})
        return nodes

    def count_nodes(self, query: NodeQuery) -> int:
        """See :class:`lineage.seam.CanCount`."""
        return sum(self._items_of(query, "count", lambda built: (built.counting, built.parameters)))

    def find_values(self, query: NodeQuery, family: str | None, name: str) -> Sequence[tuple[int, Any]]:
        """See :class:`lineage.seam.CanFindValues`."""
        keys = property_keys(family, name)
        items = self._items_of(query, "values", lambda built: built.values(keys))
        return [(node_id, value_from_graph(keys, values)) for node_id, *values in items]

    def find_first_numbers(self, asked: NumberQuery) -> Sequence[tuple[int, Any]] | None:
        """See :class:`lineage.seam.CanFindFirstNumbers`."""
        return exact_numbers(asked, self._items_of(asked.nodes, "values", lambda built: built.first_numbers(asked)))

    def _items_of(self, query: NodeQuery, part: str, ask: Callable[[NodeStatement], tuple[str, Any]]) -> list[Any]:
        """Return what is asked of nodes in no order; nothing if the query is empty by itself."""
        if not can_match(query):
            return []
        if self._buffer and self._can_see_buffer(query):
            self._flush()
        built = node_statement(query, is_ordered=False, is_indexed=self._client.schema.is_indexed)
        return self._read_items(*ask(built)).get(part, [])

    def _find(self, query: NodeQuery, *, lock: bool) -> list[dict[str, Any]]:
        built = node_statement(query, lock=lock, is_indexed=self._client.schema.is_indexed)
        return self._read_items(built.text, built.parameters).get("nodes", [])

    def _before_reading_again(self) -> None:
        """See that the call has time. What others are committing is applied when the next statement begins.

        But within a transaction a statement does not wait for that.
        """
        if (deadline := current_deadline()) is not None:
            deadline.check()
        if self._statements.in_transaction:
            time.sleep(_PAUSE_S)

    def _can_do_without_lock(self, query: NodeQuery) -> bool:
        """Whether to read nodes to be updated as they are, and see only with the update that they still are.

        This takes two round trips instead of four. It is not for nodes that several clients are changing, nor for many
        nodes: the update brings along what was read of them.
        """
        ids = query.ids or ()
        has_many = self._statements.in_transaction or len(ids) > MAX_SEEN
        return not has_many and not any(self._client.lock_first.has(query.kind, node_id) for node_id in ids)

    def _read_items(self, statement: str, parameters: dict[str, Any]) -> dict[str, list[Any]]:
        """Run a statement that returns parts and items; return the items of each part.

        The types' version is asked for with it, if this unit of work still has to see that it is the expected one.
        """
        verifies = self._types.version_to_verify is not None
        if verifies:
            statement = f"{VERSION_PART}\nUNION ALL\n{statement}"
        found: dict[str, list[Any]] = {}
        for part, items in self._statements.read(statement, parameters):
            found.setdefault(part, []).extend(items)
        if verifies:
            [version] = found.pop("version", [None])
            self._types.verify(version)
        return found

    def _nodes(self, kind: NodeKind, graphs: Sequence[dict[str, Any]]) -> list[Any]:
        self._types.check_those_of(graphs)
        return [node_from_graph(kind, graph) for graph in graphs]

    def find_keys(
        self, kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
    ) -> Sequence[NodeKeys]:
        if self._buffer.touches_nodes(kind):
            self._flush()
        self._sender.keys_read.add(kind)
        may_be_known = not self._statements.in_transaction and not external_ids
        if may_be_known and self._write:
            known = self._client.known_keys.look_up(kind, names)
            if known is not None:
                self._buffer.expect_nodes(kind, known)
                return known
        statement, parameters = keys_statement(kind, external_ids, names)
        found = [NodeKeys(*each) for [some] in self._statements.read(statement, parameters) for each in some]
        if may_be_known:
            self._client.known_keys.keep(kind, found)
        return found

    def _can_see_buffer(self, query: NodeQuery) -> bool:
        has_rows = query.filter is not None and bool(query.filter.rows)
        return self._buffer.touches_nodes(query.kind) or query.linked is not None or has_rows

    # --- links --------------------------------------------------------------------------------------------------------

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        if links:
            self._buffer.insert_links(kind, links, existing, self._client.sequence(len(links)))

    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        self._flush()
        self._statements.begin()
        return delete_links(self._statements.read, kind, links)

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        if not can_lead(query):
            return []
        if self._buffer.touches_links(query.kind):
            self._flush()
        if self._write and query.kind is LinkKind.PARENT and not self._has_locked_parents:
            self._statements.begin()
            self._statements.read(LOCK_PARENTS, {})
            self._has_locked_parents = True
        return links_from_items(query.kind, self._read_items(*link_statement(query)).get("links", ()))

    def expand(
        self,
        start_ids: Mapping[NodeKind, Sequence[int]],
        direction: Direction,
        max_hops: int | None,
        endings: Mapping[NodeKind, Filter | None],
    ) -> Expansion | None:
        """See :class:`lineage.seam.CanExpand`. One statement for each kind of starting node.

        None, and the engine walks by itself, where that is quicker (from many nodes at once: each statement goes from
        each of them on its own), or the filter of an ending is one that Neo4j cannot apply on the way.
        """
        if sum(map(len, start_ids.values())) > MAX_EXPANDED_STARTS:
            return None
        statements: list[tuple[str, dict[str, Any]]] = []
        for kind, ids in start_ids.items():
            if not ids:
                continue
            built = expansion_statement(kind, ids, direction, max_hops, endings)
            if built is None:
                return None
            statements.append(built)
        if self._buffer:
            self._flush()
        self._types.find(NodeKind.ARTIFACT)  # a result shows types: let the statement see whether they are still these
        found = self._whole.parts(lambda: self._expand(statements))
        return Expansion(
            {kind: {node.id: node for node in self._nodes(kind, found.get(kind.value, []))} for kind in NodeKind},
            {kind: links_from_items(kind, once(found.get(kind.value, ()))) for kind in EXPANDED_LINKS},
        )

    def _expand(self, statements: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for each in statements:
            for part, items in self._read_items(*each).items():
                found.setdefault(part, []).extend(items)
        return found

    def _flush(self) -> None:
        self._sender.send(self._buffer.take())
