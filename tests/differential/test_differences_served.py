"""Deliberate differences from MLMD: what it ignores, its client, and its server, which the wheel lacks."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pytest

from lineage import Artifact, ArtifactType, Store
from lineage.errors import AbortedError, InvalidArgumentError
from lineage.mlmd import MetadataStore
from lineage.mlmd import errors as mlmd_errors
from lineage.server import Server, ServerOptions
from lineage.server.config_file import read_config_file
from tests.differential.codes import DATA, pb2
from tests.differential.reference import Reference, ReferenceClient, StepClock, reference_errors

pytestmark = [
    pytest.mark.differential,
    pytest.mark.filterwarnings("ignore"),  # ml-metadata's own
]


def test_given_ignored(reference: Reference, store: Store) -> None:
    for side in (reference, store):
        side.put_artifact_type(ArtifactType(name="T"))
        side.put_artifacts([Artifact(type_id=DATA, name="a", uri="u")])
    for given, mask in (
        (Artifact(type_id=DATA, create_time_ms=5), []),
        (Artifact(type_id=DATA, last_update_time_ms=5), []),
        (Artifact(id=1, name="b", uri="u"), []),
        (Artifact(id=1, create_time_ms=5, uri="u"), []),
        (Artifact(id=1, uri="v"), ["name"]),
        (Artifact(id=1, uri="v"), ["no such"]),
    ):
        reference.put_artifacts([given], update_mask=mask)
        with pytest.raises(InvalidArgumentError):
            store.put_artifacts([given], update_mask=mask)
    stored = reference.get_by_id("Artifact", [1, 2, 3])
    assert [(each.name, each.uri, each.create_time_ms == 5) for each in stored] == [
        ("a", "u", False),
        (None, "", False),
        (None, "", False),
    ]


def test_endless_retries(reference: Reference, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    attempts = 0

    def abort(*_: object) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 50:
            raise KeyboardInterrupt
        raise reference_errors.AbortedError("again")

    reference.store._max_num_retries = 0
    monkeypatch.setattr(reference.store, "_call_method", abort)
    with pytest.raises(KeyboardInterrupt):
        reference.store.get_artifact_types()

    def aborted(*_: object, **__: object) -> None:
        nonlocal attempts
        attempts += 1
        raise AbortedError("again")

    attempts = 0
    config = pb2.ConnectionConfig(retry_options={"max_num_retries": 0})
    config.fake_database.SetInParent()
    monkeypatch.setattr(Store, "get_artifact_types", aborted)
    with MetadataStore(config) as ours, pytest.raises(mlmd_errors.AbortedError):
        ours.get_artifact_types()
    assert attempts == 1


def _reference_has_no_server() -> bool:
    names = {Path(str(file)).name for file in distribution("ml-metadata").files or ()}
    return {name for name in names if name.endswith(".so")} == {"metadata_store_extension.so"} and not any(
        name.startswith("metadata_store_server") for name in names
    )


def test_server_address() -> None:
    assert _reference_has_no_server()
    assert ServerOptions().host == "127.0.0.1"


def test_server_config_file(tmp_path: Path) -> None:
    assert _reference_has_no_server()
    with pytest.raises(InvalidArgumentError, match="cannot read"):
        read_config_file(str(tmp_path / "none"))


def test_server_database(store: Store) -> None:
    assert _reference_has_no_server()
    with Server(store, ServerOptions(port=0)) as server:
        for expected in (0, 1):
            client = ReferenceClient(StepClock(), server.port)
            assert len(client.get_types("Artifact")) == expected
            client.put_artifact_type(ArtifactType(name="T"))
