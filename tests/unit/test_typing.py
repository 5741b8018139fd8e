"""What users write passes mypy and pyright, which `make check` runs over this file too, and does what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lineage
from backends.neo4j import connection
from backends.sql import address as sql
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType, Store
from lineage.errors import InvalidArgumentError
from lineage.remote import address as remote
from lineage.store import StoreOptions


@pytest.fixture
def store() -> Store:
    opened = lineage.open_store("memory:", timeout_s=5, read_only=False)
    opened.put_artifact_type(ArtifactType(name="Model", properties={"accuracy": float, "epochs": int}))
    opened.put_execution_type(ExecutionType(name="Train"))
    for accuracy, epochs in ((0.9, 3), (0.97, 5)):
        given = Artifact(type="Model", properties={"accuracy": accuracy, "epochs": epochs})
        opened.put_execution(Execution(type="Train"), [(given, Event(type="OUTPUT"))])
    return opened


def test_properties_that_are_read_are_compared_and_computed_with(store: Store) -> None:
    models = store.list_artifacts(type="Model")
    best = max(models, key=lambda model: model.properties["accuracy"])
    assert best.id == 2
    assert min(models, key=lambda model: -model.properties["accuracy"]) == best
    assert best.properties["accuracy"] * 100 + best.properties["epochs"] == 102
    assert sum(model.properties["epochs"] for model in models) / len(models) == 4


def test_the_id_of_what_is_read_is_an_id(store: Store) -> None:
    models = store.list_artifacts(type="Model")
    assert store.get_artifacts_by_id([model.id for model in models]) == list(models)
    assert store.get_artifact(models[0].id) == models[0]
    ids: list[int] = [model.id for model in models]
    by_id: dict[int, Artifact] = {model.id: model for model in models}
    assert sorted(by_id) == ids
    [type_] = store.get_artifact_types()
    assert store.get_artifact_types_by_id([type_.id]) == [type_]


def test_a_wrong_option_of_a_store_is_wrong_for_type_checkers_too(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="has no option 'time_out'"):
        lineage.open_store(tmp_path / "a.db", time_out=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # that is what is tested
    with pytest.raises(InvalidArgumentError, match="timeout_s"):
        lineage.open_store("memory:", timeout_s="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # as above
    assert not list(tmp_path.iterdir())


def test_the_typed_options_are_those_that_stores_have() -> None:
    def known(module: Any, name: str) -> set[str]:
        return set(getattr(module, name))

    assert set(StoreOptions.__annotations__) == {
        *("timeout_s", "read_only", "upgrade"),
        *("mode", "journal_mode"),
        *known(sql, "_MYSQL"),
        *known(sql, "_POSTGRES"),
        *("database", "index_declared_properties"),
        *known(connection, "_DRIVER_OPTIONS"),
        *known(remote, "_FROM_ENVIRONMENT"),
    }
