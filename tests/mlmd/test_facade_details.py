"""The facade's smaller promises: what attrs knows of list options, and errors in words that hold for both APIs."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import mlmd
from lineage.mlmd.proto import metadata_store_pb2

pb: Any = metadata_store_pb2


def test_list_options_are_known_to_attrs() -> None:
    """As MLMD's, which attrs made."""
    attr: Any = pytest.importorskip("attr")
    options = mlmd.ListOptions(limit=3, order_by=mlmd.OrderByField.ID)
    assert attr.evolve(options, limit=4) == mlmd.ListOptions(limit=4, order_by=mlmd.OrderByField.ID)
    assert attr.asdict(options) == {
        "limit": 3, "order_by": mlmd.OrderByField.ID, "is_asc": True, "filter_query": None
    }  # fmt: skip
    assert [each.name for each in attr.fields(mlmd.ListOptions)] == ["limit", "order_by", "is_asc", "filter_query"]
    assert options < mlmd.ListOptions(limit=4)


def test_what_is_missing_is_said_in_words_that_hold_for_both_apis() -> None:
    with mlmd.MetadataStore("memory:") as store:
        store.put_artifact_type(pb.ArtifactType(name="D"))
        with pytest.raises(mlmd.errors.InvalidArgumentError, match=r"^Type id is missing: give .* a type_id"):
            store.put_artifacts([pb.Artifact(type="D")])
        with pytest.raises(
            mlmd.errors.InvalidArgumentError, match=r"^No event type is specified; .* e.g. INPUT or OUTPUT"
        ):
            store.put_events([pb.Event(artifact_id=1, execution_id=1)])
