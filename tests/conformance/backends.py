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

import pytest

from backends.memory import MemoryBackend
from lineage.backend import Backend
from lineage.store import Store
from tests.conformance.broken import BROKEN
from tests.neo4j.fresh import NEEDS, fresh_neo4j

__all__ = ["BACKENDS", "DEFAULT_BACKENDS", "GAPS", "PATHS", "BackendEntry", "Case", "Gap", "PathEntry", "chosen"]


@dataclass(frozen=True)
class BackendEntry:
    """A backend under test."""

    name: str
    fresh: Callable[[], AbstractContextManager[Backend]]
    """Makes a new, empty store and removes it at the end of the block. Raises whatever happens if it cannot."""
    needs: str
    """What must be there, for the message when it is not."""


@dataclass(frozen=True)
class PathEntry:
    """A way to reach a store: something with the methods of :class:`~lineage.Store`."""

    name: str
    reach: Callable[[Store], AbstractContextManager[Store]]


@dataclass(frozen=True)
class Gap:
    """A test that is known to fail on a backend or path (None: on all). The suite fails when it passes."""

    test: str
    reason: str
    backend: str | None = None
    path: str | None = None


@contextmanager
def _memory() -> Generator[Backend]:
    backend = MemoryBackend()
    yield backend
    backend.close()


BACKENDS: Mapping[str, BackendEntry] = {
    entry.name: entry
    for entry in (
        BackendEntry("memory", _memory, needs="nothing"),
        BackendEntry("neo4j", fresh_neo4j, needs=NEEDS),
        *(BackendEntry(f"broken:{broken.name}", broken.fresh, needs="nothing") for broken in BROKEN.values()),
    )
}
DEFAULT_BACKENDS = ("memory", "neo4j")

PATHS: Mapping[str, PathEntry] = {entry.name: entry for entry in (PathEntry("direct", nullcontext),)}

GAPS: Sequence[Gap] = ()


@dataclass(frozen=True)
class Case:
    """One backend, and one path to it unless the test works at the seam."""

    backend: BackendEntry
    path: PathEntry | None

    @property
    def id(self) -> str:
        return self.backend.name if self.path is None else f"{self.backend.name}-{self.path.name}"

    def gap(self, test: str, gaps: Sequence[Gap] = GAPS) -> Gap | None:
        """The reason why ``test`` is expected to fail here, if it is."""
        for gap in gaps:
            path = None if self.path is None else self.path.name
            if gap.test == test and gap.backend in (None, self.backend.name) and gap.path in (None, path):
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


def chosen(names: Sequence[str], *, at_seam: bool) -> list[Case]:
    """Return the cases of these backends. Raises UsageError for a name that is not in the table."""
    unknown = [name for name in names if name not in BACKENDS]
    if unknown:
        known = ", ".join(name for name in BACKENDS if not name.startswith("broken:"))
        raise pytest.UsageError(f"unknown backend {unknown[0]!r}; known are {known}")
    entries = [BACKENDS[name] for name in names]
    if at_seam:
        return [Case(entry, None) for entry in entries]
    return [Case(entry, path) for entry, path in product(entries, PATHS.values())]
