"""Fixtures: a fresh store for each test, on every backend that was asked for, through every access path."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lineage.api.units import BackendUnits
from lineage.seam import Backend
from lineage.store import Store
from tests.conformance import seam
from tests.conformance.backends import DEFAULT_BACKENDS, DIRECT, Case, chosen
from tests.conformance.world import Clock, World
from tests.conftest import RAN_ON, backends_asked_for, paths_asked_for


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    names = backends_asked_for(metafunc.config) or list(DEFAULT_BACKENDS)
    cases = chosen(names, paths_asked_for(metafunc.config), at_seam="store" not in metafunc.fixturenames)
    if metafunc.definition.get_closest_marker("only_direct"):
        cases = [case for case in cases if case.path in (None, DIRECT)]
    metafunc.parametrize("case", cases, ids=[case.id for case in cases], indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
            continue
        case = item.callspec.params.get("case")
        if isinstance(case, Case):
            item.add_marker(pytest.mark.conformance)
            path = "the seam" if case.path is None else case.path.name
            item.user_properties.append((RAN_ON, f"{case.backend.name} / {path}"))
            gap = case.gap(item.originalname, item.callspec.id.removeprefix(case.id).removeprefix("-"))
            if gap is not None:
                item.add_marker(pytest.mark.xfail(strict=True, reason=gap.reason, raises=gap.raises))


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    given: Case = request.param
    return given


@pytest.fixture
def backend(case: Case) -> Iterator[Backend]:
    """A fresh, prepared backend, for tests of the seam."""
    with case.fresh() as fresh:
        fresh.prepare()
        yield fresh


@pytest.fixture
def clock() -> Clock:
    """The time that ``store`` goes by. It stands still until a test moves it."""
    return Clock()


@pytest.fixture
def store(case: Case, clock: Clock) -> Iterator[Store]:
    """A fresh store that holds nothing but the simple types."""
    assert case.path is not None
    with (
        case.fresh() as fresh,
        Store(BackendUnits(fresh, clock=clock), url=case.backend.name) as opened,
        case.path.reach(opened) as reached,
    ):
        yield reached


@pytest.fixture
def world(store: Store) -> World:
    """The store with types of every kind."""
    return World(store)


@pytest.fixture
def typed(backend: Backend) -> Backend:
    """A backend with one type of each kind: 1, 2, 3."""
    with backend.transaction(write=True) as tx:
        seam.put_types(tx)
    return backend


@pytest.fixture
def filled(typed: Backend) -> Backend:
    """Three nodes of each kind."""
    with typed.transaction(write=True) as tx:
        tx.insert_nodes(seam.A, [seam.artifact(name) for name in "abc"])
        tx.insert_nodes(seam.E, [seam.execution(name) for name in "xyz"])
        tx.insert_nodes(seam.C, [seam.context(name) for name in "pqr"])
    return typed
