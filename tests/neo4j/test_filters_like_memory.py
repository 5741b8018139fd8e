"""Random filters and lists: Neo4j selects the same nodes as the memory store, in the same order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.differential.like_memory import Case, check_filters, check_lists

GRAPHS = 12


@pytest.fixture(params=range(GRAPHS))
def case(request: pytest.FixtureRequest, url: str) -> Iterator[Case]:
    case = Case("neo4j", request.param, url)
    yield case
    case.twins.close()


def test_filters(case: Case) -> None:
    check_filters(case)


def test_lists(case: Case) -> None:
    check_lists(case)
