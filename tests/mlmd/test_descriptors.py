"""Our messages are MLMD's, number by number and line by line; they live beside the genuine ones."""

from __future__ import annotations

import pickle
from importlib import import_module
from typing import Any

import pytest
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, struct_pb2

from lineage.mlmd.descriptors import FILES, own
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2
from lineage.mlmd.simple_types.proto import simple_types_pb2

pb: Any = metadata_store_pb2
MODULES: dict[str, Any] = dict(
    zip(FILES, (metadata_store_pb2, metadata_store_service_pb2, simple_types_pb2), strict=True)
)


def described(file: Any) -> dict[str, Any]:
    """Everything in a file that decides what goes over the wire and what code can name, by full name."""
    found: dict[str, Any] = {}
    for extension in file.extension:
        found[extension.name] = _plain(extension)
    for enum in file.enum_type:
        _describe_enum(enum, enum.name, found)
    for message in file.message_type:
        _describe(message, message.name, found)
    for service in file.service:
        for method in service.method:
            found[f"{service.name}.{method.name}"] = (method.input_type, method.output_type)
    return found


def _describe(message: Any, path: str, found: dict[str, Any]) -> None:
    reserved = [(each.start, each.end) for each in message.reserved_range]
    extensible = [(each.start, each.end) for each in message.extension_range]
    fields = [field.name for field in message.field if f"{path}.{field.name}" not in OURS_ONLY]  # the order of str()
    found[path] = (reserved, extensible, _plain(message.options), fields)
    oneofs = [oneof.name for oneof in message.oneof_decl]
    for field in message.field:
        plain = _plain(field)
        if field.HasField("oneof_index"):
            plain["oneof_index"] = oneofs[field.oneof_index]
        found[f"{path}.{field.name}"] = plain
    for enum in message.enum_type:
        _describe_enum(enum, f"{path}.{enum.name}", found)
    for nested in message.nested_type:
        _describe(nested, f"{path}.{nested.name}", found)


def _describe_enum(enum: Any, path: str, found: dict[str, Any]) -> None:
    # Options go by their bytes: they hold an extension that only one of the pools knows.
    found[path] = [(value.name, value.number, value.options.SerializeToString()) for value in enum.value]


def _plain(message: Any) -> dict[str, Any]:
    return {field.name: str(value) for field, value in message.ListFields() if field.name != "json_name"}


def _file(name: str, content: bytes) -> Any:
    file: Any = descriptor_pb2.FileDescriptorProto.FromString(content)
    assert file.name == name
    return file


OURS_ONLY = {
    "Neo4jDatabaseConfig",
    "Neo4jDatabaseConfig.uri",
    "Neo4jDatabaseConfig.database",
    "Neo4jDatabaseConfig.user",
    "Neo4jDatabaseConfig.password",
    "ConnectionConfig.neo4j",
}


@pytest.mark.differential
@pytest.mark.parametrize("name", FILES)
def test_every_message_field_and_enum_is_that_of_the_reference(name: str) -> None:
    for module in ("proto.metadata_store_service_pb2", "simple_types.proto.simple_types_pb2"):
        import_module(f"ml_metadata.{module}")  # it fills protobuf's default pool
    default: Any = descriptor_pool.Default()
    theirs = described(_file(name, default.FindFileByName(name).serialized_pb))
    ours = described(_file(name, MODULES[name].DESCRIPTOR.serialized_pb))
    assert theirs == {key: value for key, value in ours.items() if key not in OURS_ONLY}
    assert ours.keys() >= OURS_ONLY or name != FILES[0]


def test_our_own_field_is_far_from_those_of_mlmd() -> None:
    numbers = sorted(field.number for field in pb.ConnectionConfig.DESCRIPTOR.fields)
    assert numbers[-1] == pb.ConnectionConfig.DESCRIPTOR.fields_by_name["neo4j"].number == 20260
    assert numbers[-2] < 100


@pytest.mark.differential
def test_the_modules_have_the_names_of_generated_code() -> None:
    from ml_metadata.proto import metadata_store_pb2 as core
    from ml_metadata.proto import metadata_store_service_pb2 as service

    for theirs, ours in ((core, metadata_store_pb2), (service, metadata_store_service_pb2)):
        public = {name for name in dir(theirs) if not name.startswith("_") and not name.endswith("__pb2")}
        assert public <= set(dir(ours))
        for name in public:
            their_value = getattr(theirs, name)
            if isinstance(their_value, int):
                assert getattr(ours, name) == their_value


@pytest.mark.differential
def test_both_live_in_one_process_and_a_message_of_theirs_is_taken() -> None:
    from ml_metadata.proto import metadata_store_pb2 as theirs

    message = theirs.Artifact(id=3, uri="u", properties={"n": theirs.Value(int_value=1)})
    taken = own(pb.Artifact, message)
    assert type(taken) is pb.Artifact
    assert taken.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)
    with pytest.raises(TypeError, match=r"expected a message ml_metadata\.Artifact"):
        own(pb.Artifact, theirs.Event())


def test_anything_but_a_message_is_refused() -> None:
    wrongs: list[Any] = [None, 1, "text", pb.Event(), {}]
    for wrong in wrongs:
        with pytest.raises(TypeError):
            own(pb.Artifact, wrong)


def test_values_take_the_well_known_types_that_callers_import_from_protobuf() -> None:
    struct = struct_pb2.Struct()
    struct.update({"a": [1, {"b": None}], "c": "x"})
    packed = any_pb2.Any(type_url="type.googleapis.com/x.Y", value=b"z")
    built = pb.Value(struct_value=struct)
    copied = pb.Value()
    copied.struct_value.CopyFrom(struct)
    merged = pb.Value()
    merged.struct_value.MergeFrom(struct)
    assert built == copied == merged
    assert built.struct_value["a"][1]["b"] is None
    assert pb.Value(proto_value=packed).proto_value.value == b"z"
    artifact = pb.Artifact(properties={"s": pb.Value(struct_value=struct)})
    artifact.custom_properties["p"].proto_value.CopyFrom(packed)
    artifact.custom_properties["q"].proto_value.Pack(pb.Event(artifact_id=7))
    event = pb.Event()
    assert artifact.custom_properties["q"].proto_value.Unpack(event)
    assert event.artifact_id == 7
    with pytest.raises(TypeError):
        copied.struct_value.CopyFrom(packed)


def test_messages_can_be_pickled() -> None:
    path = pb.Event.Path(steps=[pb.Event.Path.Step(index=1)])
    assert pickle.loads(pickle.dumps(path)) == path


def test_the_compiled_files_are_up_to_date() -> None:
    pytest.importorskip("uv", reason="a development requirement, which makes the environment of the compiler")
    from tests.mlmd.compile_protos import compile_protos

    for path, content in compile_protos().items():
        assert path.read_bytes() == content, f"{path} is out of date; run: make protos"
