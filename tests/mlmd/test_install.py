"""install(): `import ml_metadata` means ours. Each test has a process of its own, as it changes the whole process."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(code: str) -> None:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_module_is_ours() -> None:
    run("""
import lineage.mlmd
lineage.mlmd.install()
lineage.mlmd.install()
import ml_metadata, ml_metadata.metadata_store.metadata_store as deep
import ml_metadata as mlmd
from ml_metadata import errors, metadata_store, proto
from ml_metadata.errors import NotFoundError
from ml_metadata.metadata_store import metadata_store as module, mlmd_types
from ml_metadata.proto import metadata_store_pb2, metadata_store_service_pb2, metadata_store_service_pb2_grpc
from ml_metadata.proto import Artifact
from ml_metadata.simple_types.proto import simple_types_pb2
import ml_metadata.metadata_store.pywrap, ml_metadata.tools
assert mlmd is lineage.mlmd and errors is lineage.mlmd.errors and NotFoundError is lineage.mlmd.errors.NotFoundError
assert deep.MetadataStore is lineage.mlmd.MetadataStore is mlmd.MetadataStore
assert Artifact is metadata_store_pb2.Artifact is lineage.mlmd.proto.metadata_store_pb2.Artifact
assert metadata_store_service_pb2_grpc.MetadataStoreServiceStub
store = mlmd.MetadataStore(metadata_store_pb2.ConnectionConfig(fake_database=metadata_store_pb2.FakeDatabaseConfig()))
type_id = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="A"))
store.put_artifacts([Artifact(type_id=type_id)])
assert type(store.get_artifacts()[0]) is Artifact
assert lineage.mlmd.__name__ == "lineage.mlmd" and lineage.mlmd.__spec__.name == "lineage.mlmd"
import importlib
for absent in ("ml_metadata.nonsense", "ml_metadata.metadata_store.pywrap.metadata_store_extension"):
    try:
        importlib.import_module(absent)
    except ModuleNotFoundError as error:
        assert "lineage.mlmd, which is installed as ml_metadata, has no module" in str(error)
    else:
        raise AssertionError(absent)
""")


def test_generated_code_of_other_packages_finds_the_messages() -> None:
    """A package's own message has fields of ours: its file imports ml_metadata/proto/metadata_store.proto by name."""
    run("""
from lineage import mlmd
from lineage.mlmd.proto import metadata_store_pb2 as pb
before = pb.Artifact(uri="made before")
mlmd.install()
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
file = descriptor_pb2.FileDescriptorProto(name="other.proto", package="other", syntax="proto3")
file.dependency.append("ml_metadata/proto/metadata_store.proto")
field = file.message_type.add(name="Channel").field.add(name="artifacts", number=1)
field.type, field.label, field.type_name = 11, 3, ".ml_metadata.Artifact"
descriptor_pool.Default().AddSerializedFile(file.SerializeToString())
Channel = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName("other.Channel"))
import ml_metadata
from ml_metadata.proto import metadata_store_pb2
channel = Channel(artifacts=[metadata_store_pb2.Artifact(uri="u")])
store = ml_metadata.MetadataStore("memory:")
type_id = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="A"))
for artifact in (*channel.artifacts, before):
    artifact.type_id = type_id
assert store.put_artifacts(channel.artifacts) == [1] and store.put_artifacts([before]) == [2]
channel.artifacts.extend(store.get_artifacts())
from ml_metadata.metadata_store import mlmd_types
assert mlmd_types.Model().name == "mlmd.Model"
from google.protobuf.internal import api_implementation
if api_implementation.Type() != "python":  # which reads options before it knows their extensions
    enum = metadata_store_pb2.ArtifactType.SystemDefinedBaseType.DESCRIPTOR.values_by_name["MODEL"]
    assert enum.GetOptions().Extensions[metadata_store_pb2.system_type_extension].type_name == "mlmd.Model"
""")


@pytest.mark.differential
def test_a_genuine_module_that_is_imported_already_is_not_replaced() -> None:
    run("""
import ml_metadata
from lineage import mlmd
for _ in range(2):
    try:
        mlmd.install()
    except RuntimeError as error:
        assert "ml_metadata is imported already, from" in str(error), error
    else:
        raise AssertionError
assert ml_metadata.MetadataStore is not mlmd.MetadataStore
mlmd.MetadataStore("memory:")
""")


def test_other_messages_of_these_names_are_told_apart() -> None:
    run("""
from google.protobuf import descriptor_pb2, descriptor_pool
other = descriptor_pb2.FileDescriptorProto(name="ml_metadata/proto/metadata_store.proto", package="ml_metadata")
other.message_type.add(name="Artifact")
descriptor_pool.Default().AddSerializedFile(other.SerializeToString())
from lineage import mlmd
try:
    mlmd.install()
except RuntimeError as error:
    assert "default pool has another 'ml_metadata/proto/metadata_store.proto'" in str(error), error
else:
    raise AssertionError
import sys
assert "ml_metadata" not in sys.modules
mlmd.MetadataStore("memory:")
""")


def test_messages_defined_elsewhere_are_told_apart() -> None:
    run("""
from google.protobuf import descriptor_pb2, descriptor_pool
other = descriptor_pb2.FileDescriptorProto(name="a_copy.proto", package="ml_metadata")
other.message_type.add(name="Artifact")
descriptor_pool.Default().AddSerializedFile(other.SerializeToString())
from lineage import mlmd
try:
    mlmd.install()
except RuntimeError as error:
    assert "refuses the messages of ml_metadata" in str(error), error
else:
    raise AssertionError
""")
