"""Random filters and lists: a database of a server selects the same nodes as the memory store, in the same order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential.like_memory import Case, check_filters, check_lists, put_what_stands_beside
from tests.sql_servers.servers import SqlServer

GRAPHS = 6
NUMBERS = (float("nan"), float("inf"), -float("inf"), -0.0, 2**40, -(2**63))
BESIDE = (*NUMBERS, "mlmd-struct::x", "__MLMD_NULL__", {"a": 1}, "é" * 2_000, {"a": "b" * 4_000})


@pytest.fixture(params=range(GRAPHS))
def case(request: pytest.FixtureRequest, server: SqlServer) -> Iterator[Case]:
    url = server.url_of("filters")
    server.drop(url)
    if server.keeps_names_apart:
        server.make(url)
    case = Case(server.name, request.param, url)
    if request.param % 2 == 1:
        put_what_stands_beside(case.twins, BESIDE)
    yield case
    case.twins.close()
    server.drop(url)


def test_filters(case: Case) -> None:
    check_filters(case)


def test_lists(case: Case) -> None:
    check_lists(case)
