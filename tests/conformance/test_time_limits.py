"""A time limit that nobody will see the end of is none: the call goes on to every database."""

from __future__ import annotations

import math
import sys

import pytest

from lineage import Artifact, ArtifactType, Store
from lineage.seam.deadline import limited

NO_DEADLINE_OF_GRPC_S = 9.223372035058874e18


@pytest.mark.parametrize(
    "timeout_s", [None, 86_400.0, 3.2e7, 1e10, NO_DEADLINE_OF_GRPC_S, sys.float_info.max, math.inf]
)
def test_a_long_time_limit(store: Store, timeout_s: float | None) -> None:
    with limited(timeout_s):
        store.put_artifact_type(ArtifactType(name="Data"))
        (put,) = store.put_artifacts([Artifact(type="Data", name="a")])
        assert [each.id for each in store.list_artifacts("name = 'a'").nodes] == [put]
        assert len(store.upstream(artifact_ids=[put]).artifacts) == 1
