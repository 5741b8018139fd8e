"""One unit of work on a database."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from backends.sql.computed import matching_rows
from backends.sql.database import Database
from backends.sql.filters import SqlFilter
from backends.sql.links import delete_links, find_links, insert_links, scan_links
from backends.sql.nodes import (
    delete_nodes,
    field_values,
    insert_nodes,
    node_columns,
    property_values,
    records,
    update_nodes,
)
from backends.sql.numbers import first_number_ids, has_values_beside
from backends.sql.queries import Filters, can_match, node_statement
from backends.sql.schema import NODE_TABLES
from backends.sql.statements import ClashError, Statements
from backends.sql.types import State, delete_types, insert_types, read_state, update_types
from lineage.errors import AbortedError, AlreadyExistsError, FailedPreconditionError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam import LinkQuery, NodeKeys, NodeQuery, NumberQuery, at_database

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["SqlTransaction"]


class Owner(Protocol):
    """What a transaction asks of its backend: a connection, and what all connections know."""

    database: Database
    filters: Filters
    known_state: State | None

    def take(self, *, write: bool) -> Any: ...

    def give(self, connection: Any) -> None: ...

    def remember(self, state: State) -> None: ...


class SqlTransaction:
    """See :class:`lineage.seam.Transaction`."""

    __slots__ = (
        "_backend",
        "_changed_types",
        "_connection",
        "_has_types_lock",
        "_inserted",
        "_keys_read",
        "_state",
        "_statements",
        "_write",
    )

    def __init__(self, backend: Owner, *, write: bool) -> None:
        self._backend = backend
        self._write = write
        self._state: State | None = None
        self._changed_types = False
        self._has_types_lock = False
        self._inserted: dict[NodeKind, set[int]] = {}
        self._keys_read: set[NodeKind] = set()

    # --- begin and end ------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        database = self._backend.database
        with at_database(statements=0):
            self._connection = self._backend.take(write=self._write)
        self._statements: Statements = database.statements(self._connection)
        try:
            with at_database(statements=0):
                database.begin(self._connection, write=self._write)
        except BaseException as error:
            self._backend.give(self._connection)
            if isinstance(error, database.errors):
                raise database.translated(error) from error
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        database, connection = self._backend.database, self._connection
        is_done = False
        try:
            if error is None and self._changed_types:
                self._state = read_state(self._statements, self._state)
            with at_database(statements=0):
                database.end(connection, write=self._write, commit=error is None)
            is_done = error is None
        except database.errors as failure:
            raise database.translated(failure) from failure
        finally:
            if is_done and self._state is not None:
                connection.state = self._state
                self._backend.remember(self._state)
            elif self._changed_types or error is not None:
                connection.version = None
            self._backend.give(connection)
        if isinstance(error, ClashError) and isinstance(error.__cause__, Exception):
            error = error.__cause__
        if isinstance(error, database.errors):
            raise database.translated(error) from error

    def _known(self) -> State:
        """Return the state of the store, read again if another connection has written since this one looked last."""
        if self._state is not None:
            return self._state
        connection = self._connection
        version = self._backend.database.version(connection)
        if connection.version != version or connection.state is None:
            connection.state = read_state(self._statements, self._backend.known_state)
            connection.version = version
            self._backend.remember(connection.state)
        state: State = connection.state
        self._state = state
        return state

    def _check_writable(self) -> None:
        if self._backend.database.is_read_only:
            raise FailedPreconditionError(
                f"{self._backend.database.path!r} is open for reading only; leave {self._backend.database.reading} out "
                "to write"
            )

    # --- types --------------------------------------------------------------------------------------------------------

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        return self._known().types[kind]

    def _lock_types(self) -> None:
        """Be the only one that writes types or parents of contexts, of which MLMD's tables have not all keys."""
        if self._has_types_lock:
            return
        self._has_types_lock = True
        if self._backend.database.lock_types(self._statements):
            known = self._known()
            if read_state(self._statements, known).fingerprint != known.fingerprint:
                error = AbortedError("types have changed meanwhile; repeat the call")
                error.repeatable = True
                raise error

    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        self._check_writable()
        self._lock_types()
        ids = insert_types(self._statements, self._known(), kind, types)
        self._types_changed()
        return ids

    def restore_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        self._check_writable()
        self._lock_types()
        insert_types(self._statements, self._known(), kind, types, keep_ids=True)
        self._types_changed()

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        self._check_writable()
        self._lock_types()
        update_types(self._statements, self._known(), kind, types)
        self._types_changed()

    def delete_types(self, kind: NodeKind, ids: Sequence[int]) -> int:
        self._check_writable()
        self._lock_types()
        count = delete_types(self._statements, kind, ids)
        self._types_changed()
        return count

    def _types_changed(self) -> None:
        self._changed_types = True
        self._state = read_state(self._statements, None)

    # --- nodes --------------------------------------------------------------------------------------------------------

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        self._check_writable()
        with self._racing(kind):
            ids, is_beside = insert_nodes(self._statements, kind, nodes)
        self._inserted.setdefault(kind, set()).update(ids)
        if is_beside:
            self._note_beside()
        return ids

    def restore_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> None:
        self._check_writable()
        if insert_nodes(self._statements, kind, nodes, keep_ids=True)[1]:
            self._note_beside()

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        self._check_writable()
        has_beside = self._known().has_beside
        with self._racing(kind):
            is_beside = update_nodes(self._statements, kind, nodes, expected_update_times_ms, has_beside=has_beside)
        if is_beside:
            self._note_beside()

    def delete_nodes(self, kind: NodeKind, ids: Sequence[int]) -> int:
        self._check_writable()
        self._inserted.get(kind, set()).difference_update(ids)
        return delete_nodes(self._statements, kind, ids, has_beside=self._known().has_beside)

    @contextmanager
    def _racing(self, kind: NodeKind) -> Generator[None, None, None]:
        """Have the unit of work repeated where a key is taken that was free when it looked: somebody was faster."""
        try:
            yield
        except AlreadyExistsError as error:
            error.repeatable = not self._backend.database.is_alone and kind in self._keys_read
            raise

    def _note_beside(self) -> None:
        known = self._known()
        if not known.has_beside:
            self._state = State(known.fingerprint, known.types, known.names, has_beside=True)

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        if not can_match(query):
            return []
        statements = self._statements
        if query.keys is not None or query.external_ids is not None:
            self._keys_read.add(query.kind)
        state = self._for_reading(query)
        rendered = self._rendered(query, state)
        rows = self._rows(query, node_columns(query.kind, "n"), rendered)
        if state is not self._state and not state.names.keys() >= {row[1] for row in rows}:
            state = self._known()
        return records(statements, query.kind, rows, state.names, has_beside=state.has_beside)

    def _rows(self, query: NodeQuery, columns: str, rendered: SqlFilter | None) -> Sequence[Sequence[Any]]:
        """Return rows of nodes, which begin with these columns, of which the first is the id."""
        statements = self._statements
        if rendered is not None and rendered.otherwise is not None:
            attempted = statements.attempted(*node_statement(query, columns, statements, rendered))
            return matching_rows(query, statements, rendered.otherwise()) if attempted is None else attempted
        if rendered is not None and rendered.computed is not None:
            return matching_rows(query, statements, rendered)
        text, parameters = node_statement(query, columns, statements, rendered)
        return (statements.locked_rows if self._locks(query) else statements.rows)(text, parameters)

    def find_values(self, query: NodeQuery, family: str | None, name: str) -> Sequence[tuple[int, Any]]:
        """See :class:`lineage.seam.CanFindValues`."""
        if not can_match(query):
            return []
        state = self._known()
        ids = [row[0] for row in self._rows(query, "n.id", self._rendered(query, state))]
        if family is None:
            return field_values(self._statements, query.kind, ids, name)
        return property_values(self._statements, query.kind, ids, family, name, has_beside=state.has_beside)

    def find_first_numbers(self, asked: NumberQuery) -> Sequence[tuple[int, Any]] | None:
        """See :class:`lineage.seam.CanFindFirstNumbers`."""
        query = asked.nodes
        if not can_match(query):
            return []
        statements, state = self._statements, self._known()
        rendered = self._rendered(query, state)
        if rendered is not None and (rendered.computed is not None or rendered.otherwise is not None):
            return None
        if state.has_beside and has_values_beside(statements, asked):
            return None
        ids = first_number_ids(statements, asked, rendered)
        return property_values(statements, query.kind, ids, asked.family, asked.name, has_beside=False)

    def count_nodes(self, query: NodeQuery) -> int:
        """See :class:`lineage.seam.CanCount`."""
        if not can_match(query):
            return 0
        statements = self._statements
        rendered = self._rendered(query, self._for_reading(query))
        if rendered is not None and rendered.computed is not None:
            return len(matching_rows(query, statements, rendered))
        text, parameters = node_statement(query, "n.id", statements, rendered)
        text = f"SELECT COUNT(*) FROM ({text}) AS counted"
        if rendered is not None and rendered.otherwise is not None:
            attempted = statements.attempted(text, parameters)
            if attempted is None:
                return len(matching_rows(query, statements, rendered.otherwise()))
            return int(attempted[0][0])
        return int(statements.one(text, parameters)[0])

    def _rendered(self, query: NodeQuery, state: State) -> SqlFilter | None:
        if query.filter is None:
            return None
        return self._backend.filters.rendered(self._statements, query.kind, query.filter, has_beside=state.has_beside)

    def _for_reading(self, query: NodeQuery) -> State:
        """Return what is needed to read nodes: an earlier state will do where it is dear to ask for the present one.

        The name of a type never changes, and what stands beside MLMD's tables is then read with the properties. For a
        filter, it must be known whether anything does.
        """
        known = self._backend.known_state
        if self._state is not None or self._write or self._backend.database.is_alone or query.filter is not None:
            return self._known()
        if known is None or not self._statements.has_beside_table():
            return self._known()
        return State(known.fingerprint, known.types, known.names, has_beside=True)

    def _locks(self, query: NodeQuery) -> bool:
        """Whether nodes are found to be written to: those that are named; nobody else may change them then."""
        is_list = query.filter is not None or query.linked is not None
        return self._write and not is_list and (query.ids, query.keys, query.external_ids) != (None, None, None)

    def find_keys(
        self, kind: NodeKind, external_ids: Sequence[str], names: Sequence[tuple[int, str]]
    ) -> Sequence[NodeKeys]:
        table, dialect = NODE_TABLES[kind].name, self._statements.dialect
        found: list[NodeKeys] = []
        columns = "id, type_id, name, external_id"
        conditions: list[tuple[str, dict[str, Any]]] = []
        self._keys_read.add(kind)
        if external_ids:
            conditions.append(dialect.chosen("external_id", "keys", external_ids))
        if names:
            conditions.append(dialect.chosen_pairs(("type_id", "name"), "keys", names))
        for chosen, given in conditions:
            rows = self._statements.rows(f"SELECT {columns} FROM {table} WHERE {chosen}", given)
            found += map(NodeKeys._make, rows)
        return found

    # --- links --------------------------------------------------------------------------------------------------------

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        self._check_writable()
        insert_links(self._statements, kind, links, existing=existing, known=self._inserted)

    def delete_links(self, kind: LinkKind, links: Sequence[Link]) -> int:
        self._check_writable()
        return delete_links(self._statements, kind, links)

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        if self._write and query.kind is LinkKind.PARENT:
            self._lock_types()  # two writers could close a circle that neither sees
        return find_links(self._statements, query)

    def scan_links(self, kind: LinkKind, after: int, limit: int) -> Sequence[tuple[int, Link]]:
        return scan_links(self._statements, kind, after, limit)
