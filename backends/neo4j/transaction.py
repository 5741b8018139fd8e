"""One unit of work on Neo4j.

Reads run each by itself (Neo4j reads what is committed, in a transaction or not). Writes wait until the end and go in
one statement; only a unit of work that updates nodes, changes types or reads what it wrote begins a transaction before.
It relies on the types as they were read last; that they still are these is checked with what is sent anyway, and if
they are not, the unit of work is run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from neo4j.exceptions import ConstraintError, DriverError, Neo4jError

from backends.neo4j import diagnosis
from backends.neo4j.errors import CONNECTION_LOST, lost_race, translated
from backends.neo4j.expansion import EXPANDED_LINKS, Direction, expansion_statement
from backends.neo4j.ids import passes_milestone
from backends.neo4j.layout import LINK_ENDS, STORE, TYPE, TYPE_LABELS
from backends.neo4j.reads import can_lead, can_match, keys_statement, link_statement, node_statement
from backends.neo4j.records import links_from_items, node_from_graph, type_to_graph
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
from lineage.errors import AlreadyExistsError, DataLossError, FailedPreconditionError, LineageError, UnavailableError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType

if TYPE_CHECKING:
    import neo4j
    from typing_extensions import Self

    from backends.neo4j.backend import Neo4jBackend

__all__ = ["Neo4jTransaction", "Types"]

MAX_SEEN = 20
"""So many nodes are updated without a lock while they are read; more are locked."""
MAX_EXPANDED_STARTS = 50
"""From each starting node Neo4j walks by itself; from more than these, the engine's one walk from all is cheaper."""
_VERSION = f"MATCH (s:{STORE} {{id: 0}}) RETURN s.types_version AS version"
_VERSION_PART = f"MATCH (s:{STORE} {{id: 0}}) RETURN 'version' AS part, [s.types_version] AS items"
_LOCK_TYPES = (
    f"MATCH (s:{STORE} {{id: 0}}) SET s.types_version = s.types_version + 1 "
    "RETURN s.types_version AS version, s.next_type_id AS next_type_id"
)


@dataclass(frozen=True)
class Types:
    """All types as of a version."""

    version: int
    by_kind: Mapping[NodeKind, tuple[NodeType, ...]]

    @cached_property
    def ids(self) -> frozenset[int]:
        return frozenset(type_.id or 0 for types in self.by_kind.values() for type_ in types)


class Neo4jTransaction:
    """See :class:`lineage.backend.Transaction`."""

    def __init__(self, backend: Neo4jBackend, *, write: bool) -> None:
        self._backend = backend
        self._write = write
        self._session: neo4j.Session | None = None
        self._tx: neo4j.Transaction | None = None
        self._buffer = WriteBuffer()
        self._types: Types | None = None
        self._types_verified = False
        self._own_types: dict[NodeKind, tuple[NodeType, ...]] | None = None
        self._next_type_id = 0
        self._own_version = 0
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
        if self._tx is None and not self._buffer:
            self._verify_types()
            return
        if self._tx is not None or not self._buffer.is_small or not self._complete_at_once():
            self._flush()
            self._verify_types()
            if self._tx is not None:
                self._commit(self._tx)
        self._committed = True
        if any(passes_milestone(ids) for _, ids in self._ids):
            self._backend.schema.renew_plans()
        if self._own_types is not None:
            types = self._backend.keep_types(self._own_version, self._own_types)
            before = {} if self._types is None else self._types.by_kind
            self._backend.types_changed(
                {
                    each: [type_ for type_ in found if type_ not in before.get(each, ())]
                    for each, found in types.by_kind.items()
                }
            )

    def _complete_at_once(self) -> bool:
        """Send all operations as one statement; tell whether it did everything, for else it did nothing."""
        operations = self._buffer.operations
        version = None if self._types is None or self._types_verified else self._types.version
        statement, parameters = combined(operations, version)
        self._note(operations)
        self._is_unanswered = True
        try:
            rows = self._run(statement, parameters)
        except CONNECTION_LOST as error:
            self._resolve(error)
            rows = [None]
        except Neo4jError as error:
            self._is_unanswered = False
            if not isinstance(error, ConstraintError) and error.code != NOT_ALL_DONE:
                raise
            for operation in operations:
                if isinstance(operation, ReplaceNodes):
                    raise self._must_be_read(operation) from error
            return False
        if not rows:
            raise self._backend.emptied()
        self._buffer.take()
        return True

    def _commit(self, tx: neo4j.Transaction) -> None:
        self._is_unanswered = True
        try:
            tx.commit()
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
                self._let_go_of_session(is_sound=False)
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
        self._roll_back()
        if self._types is not None and not self._types_verified and self._own_types is None:
            try:
                self._verify_types()
            except LineageError as stale:
                raise stale from error

    def _roll_back(self) -> None:
        tx, self._tx = self._tx, None
        if tx is not None and not tx.closed():
            with suppress(DriverError, Neo4jError):  # the server rolls back what it lost sight of
                tx.rollback()

    def _end(self, *, is_sound: bool) -> None:
        if not self._committed:
            self._roll_back()
            if not self._is_unanswered:
                for kind, ids in reversed(self._ids):
                    self._backend.ids.give_back(kind, ids)
        self._let_go_of_session(is_sound=is_sound)

    def _let_go_of_session(self, *, is_sound: bool) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._backend.sessions.give_back(session, write=self._write, is_sound=is_sound)

    # --- statements ---------------------------------------------------------------------------------------------------

    def _run(self, statement: str, parameters: dict[str, Any]) -> list[Any]:
        """Run a statement, in the transaction if there is one. Raises the driver's errors."""
        text: Any = statement  # the driver wants a literal; ours are built of escaped names, values are parameters
        if self._tx is not None:
            return self._tx.run(text, parameters).values()
        if self._session is None:
            self._session = self._backend.sessions.take(write=self._write)
        return self._session.run(text, parameters).values()

    def _read(self, statement: str, parameters: dict[str, Any]) -> list[Any]:
        try:
            return self._run(statement, parameters)
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error

    def _begin(self) -> None:
        if self._tx is None:
            if self._session is None:
                self._session = self._backend.sessions.take(write=self._write)
            try:
                self._tx = self._session.begin_transaction()
            except (DriverError, Neo4jError) as error:
                raise translated(error) from error

    # --- types --------------------------------------------------------------------------------------------------------

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        if self._own_types is not None:
            return self._own_types[kind]
        if self._types is None:
            self._types = self._backend.types
            if self._types is None:
                self._read_types()
        assert self._types is not None
        return self._types.by_kind[kind]

    def _read_types(self) -> None:
        self._types = self._backend.read_types(self._read)
        self._types_verified = True

    def _verify_types(self) -> None:
        """Raise an error that repeats the unit of work if somebody changed the types that it relied on."""
        if self._types is None or self._types_verified or self._own_types is not None:
            return
        rows = self._read(_VERSION, {})
        self._check_version(rows[0][0] if rows else None)

    def _check_version(self, version: int | None) -> None:
        assert self._types is not None
        if version is None:
            raise self._backend.emptied()
        if version != self._types.version:
            self._backend.forget_types()
            raise lost_race("another client changed the types")
        self._types_verified = True

    def _begin_types_change(self) -> dict[NodeKind, tuple[NodeType, ...]]:
        if self._own_types is None:
            self.find_types(NodeKind.ARTIFACT)
            self._flush()
            self._begin()
            rows = self._read(_LOCK_TYPES, {})
            if not rows:
                raise self._backend.emptied()
            version, self._next_type_id = rows[0]
            assert self._types is not None
            if version != self._types.version + 1:
                self._backend.forget_types()
                raise lost_race("another client changed the types")
            self._own_version, self._own_types = version, dict(self._types.by_kind)
        return self._own_types

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        own = self._begin_types_change()
        rows: list[dict[str, Any]] = []
        ids: list[int] = []
        for type_ in types:
            diagnosis.check_unique_type(own, kind, type_, None)
            type_id = self._next_type_id
            self._next_type_id += 1
            stored = type_.replace_trusted(id=type_id)
            rows.append(type_to_graph(stored))
            own[kind] = (*own[kind], stored)
            ids.append(type_id)
        self._read(
            f"MATCH (s:{STORE} {{id: 0}}) SET s.next_type_id = $next WITH s UNWIND $rows AS row "
            f"CREATE (t:{TYPE}:{TYPE_LABELS[kind]}) SET t = row",
            {"rows": rows, "next": self._next_type_id},
        )
        self._link_base_types(kind, rows)
        return ids

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        own = self._begin_types_change()
        for type_ in types:
            diagnosis.check_unique_type(own, kind, type_, type_.id)
            own[kind] = tuple(type_ if known.id == type_.id else known for known in own[kind])
        rows = [type_to_graph(type_) for type_ in types]
        self._read(
            f"UNWIND $rows AS row MATCH (t:{TYPE}:{TYPE_LABELS[kind]} {{id: row.id}}) SET t = row", {"rows": rows}
        )
        self._link_base_types(kind, rows)

    def _link_base_types(self, kind: NodeKind, rows: Sequence[Mapping[str, Any]]) -> None:
        pairs = [[row["id"], f"mlmd.{row['base_type'].title()}"] for row in rows if row.get("base_type")]
        if pairs:
            label = TYPE_LABELS[kind]
            self._read(
                f"UNWIND $pairs AS pair MATCH (t:{label} {{id: pair[0]}}) "
                f"MATCH (b:{label} {{name: pair[1], version: ''}}) MERGE (t)-[:PARENT_TYPE]->(b)",
                {"pairs": pairs},
            )

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
        self._buffer.update_nodes(kind, nodes, expected_update_times_ms, self._seen)

    def replace_nodes(self, kind: NodeKind, nodes: Sequence[Node], *, even_if_same: bool) -> bool:
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
            self._begin()
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
        if self._tx is not None or len(ids) > MAX_SEEN:
            return False
        return not any(self._backend.contended.has(query.kind, node_id) for node_id in ids)

    def _read_items(self, statement: str, parameters: dict[str, Any]) -> dict[str, list[Any]]:
        """Run a statement that returns parts and items; return the items of each part.

        The types' version is asked for with it, if this unit of work still has to see that it is the expected one.
        """
        verifies = self._types is not None and not self._types_verified and self._own_types is None
        if verifies:
            statement = f"{_VERSION_PART}\nUNION ALL\n{statement}"
        found: dict[str, list[Any]] = {}
        for part, items in self._read(statement, parameters):
            found.setdefault(part, []).extend(items)
        if verifies:
            [version] = found.pop("version", [None])
            self._check_version(version)
        return found

    def _nodes(self, kind: NodeKind, graphs: Sequence[dict[str, Any]]) -> list[Any]:
        self._check_types_of(graphs)
        return [node_from_graph(kind, graph) for graph in graphs]

    def _check_types_of(self, graphs: Sequence[dict[str, Any]]) -> None:
        """See that the type of each node is known, though another client may have put it since types were read."""
        types = self._backend.types if self._types is None else self._types
        if types is None or self._own_types is not None:
            return
        ids = types.ids
        unknown = next((graph for graph in graphs if graph.get("type_id") not in ids), None)
        if unknown is None:
            return
        if self._read(_VERSION, {}) == [[types.version]]:
            raise DataLossError(
                f"node {unknown.get('id')} in Neo4j has the type_id {unknown.get('type_id')}, and there is no such "
                "type; restore it"
            )
        self._backend.forget_types()
        if self._types is not None:
            raise lost_race("another client put a type meanwhile")

    def find_keys(
        self, kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
    ) -> Sequence[NodeKeys]:
        if self._buffer.touches_nodes(kind):
            self._flush()
        self._keys_read.add(kind)
        may_be_known = self._tx is None and not external_ids
        if may_be_known and self._write:
            known = self._backend.known_keys.look_up(kind, names)
            if known is not None:
                self._buffer.expect_nodes(kind, known)
                return known
        statement, parameters = keys_statement(kind, external_ids, names)
        found = [NodeKeys(*each) for [some] in self._read(statement, parameters) for each in some]
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
        self.find_types(NodeKind.ARTIFACT)  # a result shows types: let the statement see whether they are still these
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
        self._begin()
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
                    raise diagnosis.wrong_link(linked, self._read)
            elif wrong and isinstance(operation, ReplaceNodes):
                raise self._must_be_read(operation)
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
            [[done, old]] = self._run(operation.body("rows"), {"rows": rows})
        except ConstraintError as error:
            self._roll_back()
            if isinstance(operation, ReplaceNodes):
                raise self._must_be_read(operation) from error
            if isinstance(operation, (InsertNodes, UpdateNodes)):
                raise self._taken(operation, error) from error
            raise lost_race("another client wrote the same link") from error
        except (DriverError, Neo4jError) as error:
            raise translated(error) from error
        return done, old

    def _must_be_read(self, operation: ReplaceNodes) -> LineageError:
        self._backend.unsure.add(operation.kind, (row["p"]["id"] for row in operation.rows))
        return lost_race(f"a {operation.kind.lower()} has to be read before it is updated")

    def _changed_meanwhile(self, operation: Operation) -> LineageError:
        assert isinstance(operation, UpdateNodes)
        self._roll_back()  # the nodes that were as expected are changed in there already
        kind = operation.kind
        stored = dict(
            self._read(
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
        taken = diagnosis.taken_key(operation, self._inserted, self._read)
        if taken is None:
            self._ids.clear()  # it may be an id itself that is taken: nobody shall get it again
        result = translated(error) if taken is None else taken
        if isinstance(result, AlreadyExistsError):
            result.repeatable = taken is None or operation.kind in self._keys_read
        return result


def _once(items: Iterable[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    """Leave out links that came before: of two nodes that two statements met."""
    return {(item[1], item[2], item[3] if len(item) > 3 else None): item for item in items}.values()
