"""The first numbers of a property come from the database alone, and in exact order, where it holds all the values."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

import lineage
from backends.sql import open_backend
from backends.sql.numbers import bound_of
from lineage import Artifact, ArtifactType
from lineage.model import NodeKind
from lineage.seam import CanFindFirstNumbers, NodeQuery, NumberQuery

ALL = NodeQuery(NodeKind.ARTIFACT)
INTS = (-(2**63), -(2**63) + 1, -(2**53) - 1, -3, -2, 0, 1, 2, 2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1)
DOUBLES = (
    -math.inf,
    -1e300,
    -float(2**63),
    -2.5,
    -2.0,
    0.0,
    5e-324,
    1.5,
    2.0,
    2.5,
    float(2**53),
    float(2**63),
    math.inf,
)


def test_few_values_are_read_for_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with lineage.open_store(path) as store:
        store.put_artifact_type(ArtifactType(name="Thing"))
        values = [*range(50), *(each + 0.5 for each in range(50)), "a", True]
        store.put_artifacts([Artifact(type="Thing", custom_properties={"v": each}) for each in values])
        store.put_artifacts([Artifact(type="Thing", custom_properties={"w": math.nan})])
    backend = open_backend(str(path))
    backend.prepare()
    with backend.transaction() as tx:
        assert isinstance(tx, CanFindFirstNumbers)
        asked = NumberQuery(ALL, "custom_properties", "v", descending=False, after=None, limit=3)
        first = tx.find_first_numbers(asked)
        assert sorted(first or ()) == [(1, 0), (2, 1), (3, 2), (51, 0.5), (52, 1.5), (53, 2.5)]
        last = tx.find_first_numbers(replace(asked, descending=True, after=(1, 2)))
        assert sorted(last or ()) == [(1, 0), (51, 0.5)]
        assert tx.find_first_numbers(replace(asked, family="properties")) == []
        assert tx.find_first_numbers(replace(asked, name="w")) is None
    backend.close()


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("column", [INTS, DOUBLES], ids=["ints", "doubles"])
def test_a_bound_of_the_other_kind_cuts_a_column_at_the_same_place(column: tuple[float, ...], descending: bool) -> None:
    for number in (*INTS, *DOUBLES):
        bound, is_same = bound_of(number, type(column[0]), descending=descending)
        assert is_same == (bound is not None and bound == number)
        for value in column:
            beyond = value < number if descending else value > number
            said = bound is None or (value < bound if descending else value > bound)
            assert said == beyond, (value, number, bound)
