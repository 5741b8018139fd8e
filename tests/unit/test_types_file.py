"""Types from JSON files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lineage import ArtifactStructType, ExecutionBaseType, Store, open_store
from lineage.errors import AlreadyExistsError, InvalidArgumentError
from tests.conformance.world import contents


@pytest.fixture
def store() -> Store:
    return open_store("memory:")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "types.json"


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"artifact_types": [{"name": ' + "[" * 100_000,
        '{"execution_types": [{"name": "T", "input_type": ' + '{"list": ' * 900 + "{}" + "}" * 900 + "}]}",
    ],
)
def test_a_file_that_is_nested_too_deep_is_refused(store: Store, path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(InvalidArgumentError, match=r"types\.json"):
        store.load_types(path)


def test_every_field_can_be_written(store: Store, path: Path) -> None:
    content = {
        "artifact_types": [
            {"name": "Model", "version": "2", "properties": {"a": "DOUBLE", "b": "STRUCT", "é": "PROTO"}}
        ],
        "execution_types": [
            {
                "name": "Trainer",
                "description": "trains",
                "external_id": "t",
                "base_type": "TRAIN",
                "input_type": {"dict": {"properties": {"x": {"list": {"any": True}}}}},
                "output_type": {"simple": {"name": "Model", "properties": {"a": "DOUBLE"}}},
            }
        ],
        "context_types": [{"name": "Run"}, {"name": "Pipeline", "properties": {"owner": "STRING"}}],
    }
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert store.load_types(path) == ([10], [11], [12, 13])
    assert [each.name for each in store.get_artifact_type("Model", "2").properties.values()] == [
        "DOUBLE",
        "STRUCT",
        "PROTO",
    ]
    trainer = store.get_execution_type("Trainer")
    assert (trainer.description, trainer.external_id, trainer.base_type) == ("trains", "t", ExecutionBaseType.TRAIN)
    assert trainer.input_type is not None
    assert trainer.input_type.dict_ is not None
    assert trainer.input_type.dict_.properties["x"].list_ == ArtifactStructType(any=True)
    assert store.load_types(str(path)) == ([10], [11], [12, 13])


def test_what_is_stored_can_be_written_and_loaded_elsewhere(store: Store, path: Path) -> None:
    path.write_text('{"artifact_types": [{"name": "A", "properties": {"x": "INT"}, "base_type": "MODEL"}]}')
    store.load_types(path)
    again = path.with_name("again.json")
    again.write_text(
        json.dumps({"artifact_types": [each.model_dump(mode="json") for each in store.get_artifact_types()]})
    )
    other = open_store("memory:")
    other.load_types(again)
    assert other.get_artifact_types() == store.get_artifact_types()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "cannot read types from"),
        ("{", "cannot read types from"),
        ("[]", "is not a file of types"),
        ('"x"', "is not a file of types"),
        ('{"artifact_type": []}', "is not a file of types"),
        ('{"artifact_types": {}}', "artifact_types must be a list of types"),
        ('{"artifact_types": ["x"]}', "artifact_types[0] must be an object"),
        (
            '{"artifact_types": [{"name": "ok"}, {"nmae": "x"}]}',
            "artifact_types[1]: ArtifactType.nmae: there is no such",
        ),
        ('{"context_types": [{"name": 5}]}', "context_types[0]: ContextType.name: input should be a valid string"),
        ('{"artifact_types": [{"name": "A", "properties": {"x": "FLOAT"}}]}', "'FLOAT' is not a property type"),
        ('{"artifact_types": [{"name": "A"}], "execution_types": [{}]}', "no type name is specified"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_place(store: Store, path: Path, content: str, message: str) -> None:
    before = contents(store)
    path.write_text(content)
    with pytest.raises(InvalidArgumentError) as caught:
        store.load_types(path)
    assert message in caught.value.message
    assert contents(store) == before


@pytest.mark.parametrize("data", [b"\xff\xfe", b'{"artifact_types": "\xff"}'])
def test_a_file_that_is_no_text_is_refused(store: Store, path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(InvalidArgumentError, match="cannot read types from"):
        store.load_types(path)


@pytest.mark.parametrize("given", [None, 5, ["x"]])
def test_a_path_that_is_none_is_refused(store: Store, given: Any) -> None:
    with pytest.raises(InvalidArgumentError):
        store.load_types(given)


def test_evolution_follows_the_rules_of_put_types(store: Store, path: Path) -> None:
    path.write_text('{"artifact_types": [{"name": "A", "properties": {"x": "INT"}}]}')
    store.load_types(path)
    path.write_text('{"artifact_types": [{"name": "New"}, {"name": "A", "properties": {"y": "INT"}}]}')
    before = contents(store)
    with pytest.raises(AlreadyExistsError):
        store.load_types(path, can_add_fields=True)
    assert contents(store) == before
    store.load_types(path, can_add_fields=True, can_omit_fields=True)
    assert list(store.get_artifact_type("A").properties) == ["x", "y"]
