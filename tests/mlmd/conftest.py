"""A drop-in on a store in memory, with one type of artifacts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import lineage
from lineage import mlmd
from lineage.mlmd.proto import metadata_store_pb2

pb: Any = metadata_store_pb2


@pytest.fixture
def native() -> lineage.Store:
    return lineage.open_store("memory:")


@pytest.fixture
def store(native: lineage.Store) -> Iterator[mlmd.MetadataStore]:
    with mlmd.MetadataStore(native) as opened:
        yield opened


@pytest.fixture
def type_id(store: mlmd.MetadataStore) -> int:
    return store.put_artifact_type(pb.ArtifactType(name="A", properties={"i": pb.INT}))
