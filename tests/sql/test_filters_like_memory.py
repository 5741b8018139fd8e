"""Random filters and lists: SQLite selects the same nodes as the memory store, in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential.like_memory import Case, check_filters, check_lists, put_what_stands_beside

GRAPHS = 10
BESIDE = (float("nan"), -0.0, "mlmd-struct::x", "__MLMD_NULL__", {"a": 1})


@pytest.fixture(params=range(GRAPHS))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Case]:
    case = Case("sqlite", request.param, f"sqlite:///{tmp_path}/lineage.db")
    if request.param % 2 == 1:
        put_what_stands_beside(case.twins, BESIDE)
    yield case
    case.twins.close()


def test_filters(case: Case) -> None:
    check_filters(case)


def test_lists(case: Case) -> None:
    check_lists(case)
