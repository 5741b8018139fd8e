"""Which backends and access paths the conformance suite runs on, and what each is known not to do yet.

To add a backend, add one entry to :data:`BACKENDS`; to add an access path, one to :data:`PATHS`. A test asks for
``store`` (every backend, through every path) or for ``backend`` (every backend, at the seam) and names neither.

What an entry opens is new and empty, is its own to fill, and is removed again when its block ends: a test never wipes a
database that it did not create.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import pytest

from backends.memory import MemoryBackend
from lineage.errors import InvalidArgumentError, NotFoundError, UnimplementedError
from lineage.seam import Backend
from lineage.store import Store
from tests.conformance import paths
from tests.conformance.broken import BROKEN
from tests.mysql.fresh import NEEDS as MYSQL_NEEDS
from tests.mysql.fresh import fresh_mysql
from tests.neo4j.fresh import NEEDS, fresh_neo4j
from tests.postgres.fresh import NEEDS as POSTGRES_NEEDS
from tests.postgres.fresh import fresh_postgres
from tests.sql.fresh import fresh_sqlite

__all__ = ["BACKENDS", "DEFAULT_BACKENDS", "GAPS", "PATHS", "BackendEntry", "Case", "Gap", "PathEntry", "chosen"]


@dataclass(frozen=True)
class BackendEntry:
    """A backend under test."""

    name: str
    fresh: Callable[[], AbstractContextManager[Backend]]
    """Makes a new, empty store and removes it at the end of the block. Raises whatever happens if it cannot."""
    needs: str
    """What must be there, for the message when it is not."""
    paths: frozenset[str] | None = None
    """The paths that it is reached through unless some are asked for; all, if None."""


@dataclass(frozen=True)
class PathEntry:
    """A way to reach a store: something with the methods of :class:`~lineage.Store`."""

    name: str
    reach: Callable[[Store], AbstractContextManager[Store]]


@dataclass(frozen=True)
class Gap:
    """A test that is known to fail on a backend or path (None: on all). The suite fails when it passes.

    ``parameters`` narrows a parametrized test to those with these ids, ``raises`` is what it must fail with.
    """

    test: str
    reason: str
    backend: str | None = None
    path: str | None = None
    parameters: frozenset[str] | None = None
    raises: type[BaseException] | None = None


Entry = TypeVar("Entry", BackendEntry, PathEntry)


@contextmanager
def _memory() -> Generator[Backend]:
    backend = MemoryBackend()
    yield backend
    backend.close()


BACKENDS: Mapping[str, BackendEntry] = {
    entry.name: entry
    for entry in (
        BackendEntry("memory", _memory, needs="nothing"),
        BackendEntry("sqlite", fresh_sqlite, "a folder for temporary files"),
        # The ways in do not know what is behind the seam: all of them to two stores is enough. A test takes half a
        # second on Neo4j, and a tenth on a file.
        BackendEntry("neo4j", fresh_neo4j, NEEDS, frozenset({"direct"})),
        BackendEntry("mysql", fresh_mysql, MYSQL_NEEDS, frozenset({"direct"})),
        BackendEntry("postgres", fresh_postgres, POSTGRES_NEEDS, frozenset({"direct"})),
        *(BackendEntry(f"broken:{broken.name}", broken.fresh, needs="nothing") for broken in BROKEN.values()),
    )
}
DEFAULT_BACKENDS = ("memory", "sqlite", "mysql", "postgres", "neo4j")

DIRECT = PathEntry("direct", nullcontext)
PATHS: Mapping[str, PathEntry] = {
    entry.name: entry
    for entry in (
        DIRECT,
        PathEntry("grpc", paths.over_grpc),
        PathEntry("mlmd", paths.through_mlmd),
        PathEntry("mlmd-grpc", paths.through_mlmd_over_grpc),
    )
}


def _through_mlmd(
    test: str, reason: str, raises: type[BaseException], parameters: frozenset[str] | None = None
) -> list[Gap]:
    """A gap of both paths that speak MLMD's protocol."""
    return [Gap(test, reason, path=path, raises=raises, parameters=parameters) for path in ("mlmd", "mlmd-grpc")]


GAPS: Sequence[Gap] = (
    *_through_mlmd(
        "test_executions_and_contexts_have_the_option_too",
        "MLMD's protocol has abort_if_latest_updated_time_changed for artifacts only",
        UnimplementedError,
    ),
    *_through_mlmd(
        "test_a_link_that_exists_may_be_left_as_it_is",
        "MLMD's protocol has no reuse_link_if_already_exist",
        UnimplementedError,
    ),
    *_through_mlmd(
        "test_artifacts_are_checked_before_the_execution_and_that_before_contexts",
        "the name of a type becomes its id before the call is made, so an unknown one is reported first",
        NotFoundError,
    ),
    *_through_mlmd(
        "test_simple_types_are_hidden_by_name_whatever_the_kind_but_not_from_context_types",
        "MLMD's lists leave out types with a simple type's name, and only those of its own kind are asked for by name",
        AssertionError,
    ),
    *_through_mlmd(
        "test_absence_in_the_past",
        "MLMD's filters have no EXISTS, so what it asks for cannot be narrowed to what was there",
        UnimplementedError,
    ),
    *_through_mlmd(
        "test_a_value_is_read_back_exactly",
        "every number in a message Struct is a double",
        AssertionError,
        parameters=frozenset({"nested", "list of int and double", "list of big ints"}),
    ),
    *(
        Gap(
            "test_a_path_is_kept_step_by_step",
            "MLMD's tables on servers have 32 bits for the index of a step; the error says so",
            backend=backend,
            parameters=frozenset({"path6"}),
            raises=InvalidArgumentError,
        )
        for backend in ("mysql", "postgres")
    ),
    Gap(
        "test_a_value_is_read_back_exactly",
        "a text of PostgreSQL's has no NUL in it; the error says so",
        backend="postgres",
        parameters=frozenset({"NUL"}),
        raises=InvalidArgumentError,
    ),
    Gap(
        "test_names_uris_external_ids_and_property_keys_are_kept_exactly",
        "as above",
        backend="postgres",
        parameters=frozenset({"NUL\\x00"}),
        raises=InvalidArgumentError,
    ),
)
"""What paths and servers' tables are known not to do. UnimplementedError is what MLMD's protocol has no words for."""


@dataclass(frozen=True)
class Case:
    """One backend, and one path to it unless the test works at the seam."""

    backend: BackendEntry
    path: PathEntry | None

    @property
    def id(self) -> str:
        return self.backend.name if self.path is None else f"{self.backend.name}-{self.path.name}"

    def gap(self, test: str, parameters: str = "", gaps: Sequence[Gap] = GAPS) -> Gap | None:
        """The reason why ``test``, with these parameters of its own, is expected to fail here, if it is."""
        for gap in gaps:
            path = None if self.path is None else self.path.name
            if (
                gap.test == test
                and gap.backend in (None, self.backend.name)
                and gap.path in (None, path)
                and (gap.parameters is None or parameters in gap.parameters)
            ):
                return gap
        return None

    @contextmanager
    def fresh(self) -> Generator[Backend]:
        """Open a new store. One that was asked for and cannot be opened is a failure, never a skip."""
        opening = self.backend.fresh()
        try:
            backend = opening.__enter__()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is reported
            pytest.fail(
                f"backend {self.backend.name!r} was asked for and cannot be reached: {error!r}; it needs "
                f"{self.backend.needs}",
                pytrace=False,
            )
        try:
            yield backend
        finally:
            opening.__exit__(None, None, None)


def chosen(names: Sequence[str], path_names: Sequence[str] = (), *, at_seam: bool) -> list[Case]:
    """Return the cases of these backends, through these paths or through all of them.

    Those that are broken on purpose are reached directly only: what is wrong with them is seen there. Raises UsageError
    for a name that is not in the tables.
    """
    entries = [_named("backend", name, BACKENDS) for name in names]
    ways = [_named("path", name, PATHS) for name in path_names] or list(PATHS.values())
    if at_seam:
        return [Case(entry, None) for entry in entries]
    return [
        Case(entry, way)
        for entry, way in product(entries, ways)
        if (way is DIRECT or not entry.name.startswith("broken:"))
        and (path_names or entry.paths is None or way.name in entry.paths)
    ]


def _named(what: str, name: str, table: Mapping[str, Entry]) -> Entry:
    if name not in table:
        known = ", ".join(name for name in table if not name.startswith("broken:"))
        raise pytest.UsageError(f"unknown {what} {name!r}; known are {known}")
    return table[name]
