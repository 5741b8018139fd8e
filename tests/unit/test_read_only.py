"""Opened for reading only, and upgrades when asked: what the engine sees to."""

from __future__ import annotations

import pytest

from backends.memory import MemoryBackend
from lineage import ArtifactType, Store, open_store
from lineage.api.units import BackendUnits
from lineage.errors import InvalidArgumentError, PermissionDeniedError


class Prepared(MemoryBackend):
    """Notes how it was prepared, and how often it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[tuple[bool, bool]] = []

    def prepare(self, *, read_only: bool = False, upgrade: bool = False) -> None:
        self.prepared.append((read_only, upgrade))


def test_a_backend_is_told_and_nothing_is_written() -> None:
    backend = Prepared()
    with Store(BackendUnits(backend, read_only=True)) as store:
        assert store.get_artifact_types(include_simple=True) == []
        with pytest.raises(PermissionDeniedError, match="opened for reading only"):
            store.put_artifact_type(ArtifactType(name="T"))
        with pytest.raises(PermissionDeniedError):
            store.bulk()
        with store.snapshot():
            assert not store.list_artifacts()
    assert backend.prepared == [(True, False)]
    other = Prepared()
    Store(BackendUnits(other, upgrade=True)).close()
    assert other.prepared == [(False, True)]


def test_options_of_opening() -> None:
    with open_store("memory:", read_only=True) as store, pytest.raises(PermissionDeniedError):
        store.put_artifact_type(ArtifactType(name="T"))
    with pytest.raises(InvalidArgumentError, match="an upgrade writes"):
        open_store("memory:", read_only=True, upgrade=True)
    with pytest.raises(InvalidArgumentError, match="read_only"):
        open_store("memory:", read_only="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # that is what is tested
