"""One unit of work on Neo4j.

Reads run each by itself (Neo4j reads what is committed, in a transaction or not). Writes wait until the end and go in
one statement; only a unit of work that locks nodes, changes types or reads what it wrote begins a transaction before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from neo4j.exceptions import ConstraintError, DriverError, Neo4jError

from backends.neo4j import diagnosis
from backends.neo4j.errors import CONNECTION_LOST, emptied, lost_race, translated
from backends.neo4j.expansion import EXPANDED_LINKS, Direction, expansion_statement
from backends.neo4j.ids import passes_milestone
from backends.neo4j.layout import LINK_ENDS
from backends.neo4j.reads import can_lead, can_match, keys_statement, link_statement, node_statement
from backends.neo4j.records import links_from_items, node_from_graph
from backends.neo4j.sessions import Statements
from backends.neo4j.types import VERSION_PART, TypesInUse
from backends.neo4j.writes import (
    MAX_ROWS,
    NOT_ALL_DONE,
    ExpectNodes,
    InsertLinks,
    InsertNodes,
    Operation,
    ReplaceNodes,
    Seen,
    UpdateNodes,
    WriteBuffer,
    combined,
)
from cypher import Filter
from lineage.backend import Expansion, LinkQuery, NodeKeys, NodeQuery
from lineage.errors import AlreadyExistsError, FailedPreconditionError, LineageError, UnavailableError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType

if TYPE_CHECKING:
    from typing_extensions import Self

    from backends.neo4j.backend import Neo4jBackend

__all__ = ["Neo4jTransaction"]

MAX_SEEN = 20
"""So many nodes are updated without a lock while they are read; more are locked."""
MAX_EXPANDED_STARTS = 50
"""From each starting node Neo4j walks by itself; from more than these, the engine's one walk from all is cheaper."""


class Neo4jTransaction:
    """See :class:`lineage.backend.Transaction`."""

    def __init__(self, backend: Neo4jBackend, *, write: bool) -> None:
        self._backend = backend
        self._write = write
        self._statements = Statements(backend.sessions, write=write)
        self._types = TypesInUse(backend.types, self._statements.read)
        self._buffer = WriteBuffer()
        self._ids: list[tuple[NodeKind, list[int]]] = []
        self._keys_read: set[NodeKind] = set()
        self._inserted = diagnosis.Keys()
        self._seen: Seen = {}
        self._witness: tuple[str, dict[str, Any]] | None = None
        self._is_repeat_safe = True
        self._committed = False
        self._is_unanswered = False
        """Whether something was sent that commits, and no answer came: by an interrupt, or for want of a connection."""

    # --- begin and end ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_sound = False
        try:
            if error is None:
                self._complete()
                is_sound = True
            elif isinstance(error, LineageError) and not error.repeatable:
                self._surface(error)
        except (DriverError, Neo4jError) as failure:
            raise translated(failure) from failure
        finally:
            self._end(is_sound=is_sound)

    def _complete(self) -> None:
        if not self._statements.in_transaction and not self._buffer:
            self._types.verify_by_asking()
            return
        if self._statements.in_transaction or not self._buffer.is_small or not self._complete_at_once():
            self._flush()
            self._types.verify_by_asking()
            self._commit()
        self._committed = True
        if any(passes_milestone(ids) for _, ids in self._ids):
            self._backend.schema.renew_plans()
        self._backend.types_changed(self._types.committed())

    def _complete_at_once(self) -> bool:
        """Send all operations as one statement; tell whether it did everything, for else it did nothing."""
        operations = self._buffer.operations
        statement, parameters = combined(operations, self._types.version_to_verify)
        self._note(operations)
        self._is_unanswered = True
        try:
            rows = self._statements.run(statement, parameters)
        except CONNECTION_LOST as error:
            self._resolve(error)
            rows = [None]
        except Neo4jError as error:
            self._is_unanswered = False
            if not isinstance(error, ConstraintError) and error.code not in NOT_ALL_DONE:
                raise
            replaced = [operation for operation in operations if isinstance(operation, ReplaceNodes)]
            if replaced:
                raise self._must_be_read(replaced) from error
            return False
        if not rows:
            raise emptied(self._backend.address.database)
        self._buffer.take()
        return True

    def _commit(self) -> None:
        self._is_unanswered = True
        try:
            self._statements.commit()
        except CONNECTION_LOST as error:
            self._resolve(error)
        except Neo4jError:
            self._is_unanswered = False
            raise

    def _resolve(self, error: DriverError) -> None:
        """Find out whether a commit whose answer was lost did happen. Raises unless it did."""
        if self._witness is None and self._is_repeat_safe:
            raise error
        if self._witness is not None:
            statement, parameters = self._witness
            if diagnosis.happened(lambda: self._backend.run_alone(statement, **parameters)):
                self._statements.close(is_sound=False)
                return
            raise error
        raise UnavailableError(
            "the connection to Neo4j was lost while it was writing; read whether the change was made before repeating "
            f"it ({error})"
        ) from error

    def _surface(self, error: LineageError) -> None:
        """What was to be written before may be wrong too, and then it is what is reported."""
        if self._write and self._buffer:
            self._flush()
        self._statements.roll_back()
        try:
            self._types.verify_by_asking()
        except LineageError as stale:
            raise stale from error

    def _end(self, *, is_sound: bool) -> None:
        if not self._committed:
            self._statements.roll_back()
            if not self._is_unanswered:
                for kind, ids in reversed(self._ids):
                    self._backend.ids.give_back(kind, ids)
        self._statements.close(is_sound=is_sound)

    # --- types --------------------------------------------------------------------------------------------------------

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        return self._types.find(kind)

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        self._flush()
        self._statements.begin()
        return self._types.insert(kind, types)

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        self._flush()
        self._statements.begin()
        self._types.update(kind, types)

    # --- nodes --------------------------------------------------------------------------------------------------------

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        ids = self._backend.ids.take(kind, len(nodes))
        self._ids.append((kind, ids))
        self._buffer.insert_nodes(
            kind, [node.replace_trusted(id=node_id) for node, node_id in zip(nodes, ids, strict=True)]
        )
        return ids

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        self._backend.unsure.remove(kind, (node.id or 0 for node in nodes))  # a change: it may well change again
        self._buffer.update_nodes(kind, nodes, expected_update_times_ms, self._seen)

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
        if any(inserted is kind for inserted, _ in self._ids):
            return False  # one of these may be new, with another id when this unit of work is repeated
        unsure = self._backend.unsure
        if any(unsure.has(kind, node.id or 0) or (kind, node.id) in self._seen for node in nodes):
            return False
        return self._buffer.replace_nodes(kind, nodes, even_if_same=even_if_same)

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
            self._keys_read.add(query.kind)
        built = node_statement(query, lock=lock)
        found = self._read_items(built.text, built.parameters).get("nodes", [])
        if will_update and not lock:
            self._seen.update({(query.kind, graph["id"]): graph for graph in found})
        return self._nodes(query.kind, found)

    def _can_do_without_lock(self, query: NodeQuery) -> bool:
        """Whether to read nodes to be updated as they are, and see only with the update that they still are.

        This takes two round trips instead of four. It is not for nodes that several clients are changing, nor for many
        nodes: the update brings along what was read of them.
        """
        ids = query.ids or ()
        if self._statements.in_transaction or len(ids) > MAX_SEEN:
            return False
        return not any(self._backend.contended.has(query.kind, node_id) for node_id in ids)

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
        self._keys_read.add(kind)
        may_be_known = not self._statements.in_transaction and not external_ids
        if may_be_known and self._write:
            known = self._backend.known_keys.look_up(kind, names)
            if known is not None:
                self._buffer.expect_nodes(kind, known)
                return known
        statement, parameters = keys_statement(kind, external_ids, names)
        found = [NodeKeys(*each) for [some] in self._statements.read(statement, parameters) for each in some]
        if may_be_known:
            self._backend.known_keys.keep(kind, found)
        return found

    def _can_see_buffer(self, query: NodeQuery) -> bool:
        if self._buffer.touches_nodes(query.kind):
            return True
        return query.linked is not None or (query.filter is not None and bool(query.filter.rows))

    # --- links --------------------------------------------------------------------------------------------------------

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        if links:
            self._buffer.insert_links(kind, links, existing, self._backend.sequence(len(links)))

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        if not can_lead(query):
            return []
        if self._buffer.touches_links(query.kind):
            self._flush()
        return links_from_items(query.kind, self._read_items(*link_statement(query)).get("links", ()))

    def expand(
        self,
        start_ids: Mapping[NodeKind, Sequence[int]],
        direction: Direction,
        max_hops: int | None,
        barriers: Mapping[NodeKind, Filter | None],
    ) -> Expansion | None:
        if sum(map(len, start_ids.values())) > MAX_EXPANDED_STARTS:
            return None
        statements: list[tuple[str, dict[str, Any]]] = []
        for kind, ids in start_ids.items():
            if not ids:
                continue
            built = expansion_statement(kind, ids, direction, max_hops, barriers)
            if built is None:
                return None
            statements.append(built)
        if self._buffer:
            self._flush()
        self._types.find(NodeKind.ARTIFACT)  # a result shows types: let the statement see whether they are still these
        found: dict[str, list[Any]] = {}
        for each in statements:
            for part, items in self._read_items(*each).items():
                found.setdefault(part, []).extend(items)
        return Expansion(
            {kind: {node.id: node for node in self._nodes(kind, found.get(kind.value, []))} for kind in NodeKind},
            {kind: links_from_items(kind, _once(found.get(kind.value, ()))) for kind in EXPANDED_LINKS},
        )

    # --- writing ------------------------------------------------------------------------------------------------------

    def _note(self, operations: Sequence[Operation]) -> None:
        """Remember something that will be there if, and only if, these operations were committed."""
        for operation in operations:
            if isinstance(operation, UpdateNodes):
                self._is_repeat_safe = self._is_repeat_safe and all(row["t"] is None for row in operation.rows)
            elif self._witness is None and operation.rows and isinstance(operation, InsertNodes):
                self._witness = (
                    f"MATCH (n:{operation.kind.value} {{id: $id}}) RETURN n.id",
                    {"id": operation.rows[0]["p"]["id"]},
                )
            elif self._witness is None and isinstance(operation, InsertLinks) and operation.existing == "error":
                _, kind, _, _ = LINK_ENDS[operation.relationship]
                self._witness = (
                    f"MATCH (:{kind.value} {{id: $id}})-[r:{operation.relationship} {{seq: $seq}}]->() RETURN r.seq",
                    {"id": operation.rows[0]["s"], "seq": operation.rows[0]["q"]},
                )

    def _flush(self) -> None:
        """Send each operation as a statement of its own, in a transaction, and say what is wrong."""
        operations = self._buffer.take()
        if not operations:
            return
        self._statements.begin()
        self._note(operations)
        linked: list[InsertLinks] = []
        for index, operation in enumerate(operations):
            wrong = False
            for start in range(0, len(operation.rows), MAX_ROWS):
                rows = operation.rows[start : start + MAX_ROWS]
                done, old = self._send(operation, rows)
                wrong = (
                    wrong
                    or done != len(rows)
                    or (old > 0 and isinstance(operation, InsertLinks) and operation.existing == "error")
                )
            if isinstance(operation, InsertLinks):
                if wrong:
                    linked.append(operation)
                following = operations[index + 1] if index + 1 < len(operations) else None
                if linked and not (isinstance(following, InsertLinks) and following.kind is operation.kind):
                    raise diagnosis.wrong_link(linked, self._statements.read)
            elif wrong and isinstance(operation, ReplaceNodes):
                raise self._must_be_read([operation])
            elif isinstance(operation, ExpectNodes):
                if wrong:
                    self._backend.known_keys.distrust(operation.kind, operation.found)
                    raise lost_race(f"a {operation.kind.lower()} was changed since it was read")
            elif wrong:
                raise self._changed_meanwhile(operation)
            else:
                self._inserted.add(operation)

    def _send(self, operation: Operation, rows: list[dict[str, Any]]) -> tuple[int, int]:
        try:
            [[done, old]] = self._statements.run(operation.body("rows"), {"rows": rows})
        except ConstraintError as error:
            self._statements.roll_back()
            if isinstance(operation, ReplaceNodes):
                raise self._must_be_read([operation]) from error
            if isinstance(operation, (InsertNodes, UpdateNodes)):
                raise self._taken(operation, error) from error
            raise lost_race("another client wrote the same link") from error
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error
        return done, old

    def _must_be_read(self, operations: Sequence[ReplaceNodes]) -> LineageError:
        """Build the error that repeats the unit of work, which then reads what these operations were to replace."""
        for operation in operations:
            self._backend.unsure.add(operation.kind, (row["p"]["id"] for row in operation.rows))
        return lost_race("a node has to be read before it is updated")

    def _changed_meanwhile(self, operation: Operation) -> LineageError:
        assert isinstance(operation, UpdateNodes)
        self._statements.roll_back()  # the nodes that were as expected are changed in there already
        kind = operation.kind
        stored = dict(
            self._statements.read(
                f"MATCH (n:{kind.value}) WHERE n.id IN $ids RETURN n.id, n.last_update_time_ms",
                {"ids": [row["p"]["id"] for row in operation.rows]},
            )
        )
        for row in operation.rows:
            node_id = row["p"]["id"]
            if node_id not in stored:
                return lost_race(f"another client deleted {kind.lower()} {node_id}")
            if row["t"] is not None and row["t"] != stored[node_id]:
                return FailedPreconditionError(
                    f"{kind.lower()} {node_id} was changed meanwhile; read it again and repeat the change"
                )
        self._backend.contended.add(kind, stored)
        return lost_race(f"another client changed a {kind.lower()} meanwhile")

    def _taken(self, operation: InsertNodes | UpdateNodes, error: ConstraintError) -> LineageError:
        """Build the error for a name or external id that is taken; it is repeated if this is news."""
        taken = diagnosis.taken_key(operation, self._inserted, self._statements.read)
        if taken is None:
            self._ids.clear()  # it may be an id itself that is taken: nobody shall get it again
        result = translated(error) if taken is None else taken
        if isinstance(result, AlreadyExistsError):
            result.repeatable = taken is None or operation.kind in self._keys_read
        return result


def _once(items: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """Leave out links that came before: of two nodes that two statements met."""
    return {(item[1], item[2], item[3] if len(item) > 3 else None): item for item in items}.values()
