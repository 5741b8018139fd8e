"""The facade: its names and signatures, and what MLMD's client does around the calls."""

from __future__ import annotations

import gc
import inspect
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import lineage
from lineage import mlmd
from lineage.mlmd import errors
from lineage.mlmd.metadata_store import metadata_store, mlmd_types
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2

pb: Any = metadata_store_pb2
rpc: Any = metadata_store_service_pb2


# --- names and signatures -------------------------------------------------------------------------------------------


def _public(module: ModuleType) -> set[str]:
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType)
        and getattr(value, "__module__", "") not in ("typing", "collections.abc")
    }


@pytest.mark.differential
@pytest.mark.parametrize(
    "name", ["", ".errors", ".proto", ".metadata_store", ".metadata_store.metadata_store", ".metadata_store.mlmd_types"]
)
def test_every_public_name_of_the_reference_is_there(name: str) -> None:
    from importlib import import_module

    theirs, ours = import_module(f"ml_metadata{name}"), import_module(f"lineage.mlmd{name}")
    for public in _public(theirs):
        assert hasattr(ours, public), f"lineage.mlmd{name} lacks {public}"
    assert getattr(ours, "__version__", None) == getattr(theirs, "__version__", None)


def _parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(each.name, each.kind, each.default) for each in inspect.signature(function).parameters.values()]


@pytest.mark.differential
def test_every_signature_is_that_of_the_reference() -> None:
    from ml_metadata import errors as their_errors
    from ml_metadata.metadata_store import metadata_store as theirs

    ours = metadata_store
    its_self, config, upgrade = _parameters(theirs.MetadataStore.__init__)
    found = _parameters(ours.MetadataStore.__init__)
    assert (found[0], found[1][:2], found[2]) == (its_self, config[:2], upgrade)  # ours may be left out
    for name, method in inspect.getmembers(theirs.MetadataStore, inspect.isfunction):
        if not name.startswith("_"):
            assert _parameters(getattr(ours.MetadataStore, name)) == _parameters(method), name
    for name in ("ListOptions", "ExtraOptions", "downgrade_schema"):
        assert _parameters(getattr(ours, name)) == _parameters(getattr(theirs, name)), name
    assert [(each.name, each.value) for each in ours.OrderByField] == [
        (each.name, each.value) for each in theirs.OrderByField
    ]
    assert repr(ours.ListOptions(1, None, False, "x")) == repr(theirs.ListOptions(1, None, False, "x"))
    for name, error in inspect.getmembers(their_errors, inspect.isclass):
        assert _parameters(getattr(errors, name)) == _parameters(error), name
        assert [base.__name__ for base in getattr(errors, name).__mro__] == [base.__name__ for base in error.__mro__]


@pytest.mark.differential
def test_the_simple_types_are_those_of_the_reference() -> None:
    from ml_metadata.metadata_store import mlmd_types as theirs

    for name in ("Dataset", "Model", "Statistics", "Metrics", "Train", "Transform", "Process", "Evaluate", "Deploy"):
        expected, got = getattr(theirs, name)(), getattr(mlmd_types, name)()
        assert (got.name, got.system_type) == (expected.name, expected.system_type)
        assert any(base.__name__ == type(expected).__mro__[1].__name__ for base in type(got).__mro__)


def test_an_unset_simple_type_has_no_name() -> None:
    with pytest.raises(errors.NotFoundError, match="Type name: unset_artifact_type is not found"):
        _ = mlmd_types.ArtifactType(pb.ArtifactType.UNSET).name
    with pytest.raises(KeyError):
        mlmd_types.ExecutionType(77)


# --- errors ---------------------------------------------------------------------------------------------------------


def test_errors_have_code_and_message() -> None:
    for code in range(1, 17):
        error = errors.make_exception("m", code)
        assert (type(error), error.error_code, error.message, str(error)) == (
            errors.exception_type_from_error_code(code),
            code,
            "m",
            "m",
        )
    strange = errors.make_exception("m", 99)
    assert (type(strange), strange.error_code) == (errors.UnknownError, 99)
    with pytest.raises(KeyError):
        errors.exception_type_from_error_code(99)


def test_every_status_of_the_engine_has_its_twin() -> None:
    for name in lineage.errors.__all__:
        engine = getattr(lineage.errors, name)
        if isinstance(engine, type) and lineage.errors.LineageError in engine.__bases__:
            assert errors.exception_type_from_error_code(engine.code).__name__ == name  # type: ignore[attr-defined]  # the module has no types


def test_a_failed_call_raises_the_twin_with_a_capital(store: mlmd.MetadataStore) -> None:
    with pytest.raises(errors.NotFoundError, match=r"^No type found for query") as caught:
        store.get_artifact_type("nope")
    assert caught.value.error_code == errors.NOT_FOUND
    assert isinstance(caught.value.__cause__, lineage.errors.NotFoundError)


# --- opening --------------------------------------------------------------------------------------------------------


def test_what_a_store_is_opened_with() -> None:
    fake = pb.ConnectionConfig(fake_database=pb.FakeDatabaseConfig())
    sqlite_in_memory = pb.ConnectionConfig()
    sqlite_in_memory.sqlite.SetInParent()
    native = lineage.open_store("memory:")
    for config in (fake, sqlite_in_memory, "memory:", native):
        with mlmd.MetadataStore(config) as opened:
            assert opened.get_artifact_types() == []
            assert opened.pipeline_asset is None


def test_a_store_that_was_given_stays_open(native: lineage.Store) -> None:
    with mlmd.MetadataStore(native) as opened:
        opened.put_artifact_type(pb.ArtifactType(name="A"))
    opened.close()
    with pytest.raises(errors.FailedPreconditionError, match="The store is closed"):
        opened.get_artifact_types()
    with pytest.raises(errors.FailedPreconditionError, match="The store is closed"):
        opened.get_lineage_subgraph(pb.LineageSubgraphQueryOptions())
    del opened
    gc.collect()
    assert [each.name for each in native.get_artifact_types()] == ["A"]


def test_what_was_opened_is_let_go_of_with_the_last_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[lineage.Store] = []

    def open_store(url: str, **options: Any) -> lineage.Store:
        opened.append(original(url, **options))
        return opened[-1]

    original = lineage.open_store
    monkeypatch.setattr(lineage, "open_store", open_store)
    fake = pb.ConnectionConfig(fake_database=pb.FakeDatabaseConfig())
    for config in (fake, "memory:"):
        store = mlmd.MetadataStore(config)
        assert store.get_artifact_types() == []
        assert repr(opened[-1]) == "Store('memory:')"
        del store
        gc.collect()
        assert repr(opened[-1]) == "Store('memory:', closed)"
    with mlmd.MetadataStore("memory:"):
        pass
    assert repr(opened[-1]) == "Store('memory:', closed)"


@pytest.mark.differential
def test_a_config_of_the_genuine_module_is_taken() -> None:
    from ml_metadata.proto import metadata_store_pb2 as theirs

    config: Any = theirs.ConnectionConfig(fake_database=theirs.FakeDatabaseConfig())
    with mlmd.MetadataStore(config) as opened:
        type_id = opened.put_artifact_type(theirs.ArtifactType(name="A"))
        assert opened.put_artifacts([theirs.Artifact(type_id=type_id)]) == [1]
        assert type(opened.get_artifacts()[0]) is pb.Artifact


def test_what_cannot_be_opened() -> None:
    for wrong in (None, 3, pb.Artifact()):
        with pytest.raises(ValueError, match="MetadataStore is expecting either"):
            mlmd.MetadataStore(wrong)  # type: ignore[arg-type]  # that is the point
    with pytest.raises(RuntimeError, match=r"^Unset"):
        mlmd.MetadataStore(pb.ConnectionConfig())
    with pytest.raises(RuntimeError, match="nosuch"):
        mlmd.MetadataStore("nosuch:")
    remote = pb.MetadataStoreClientConfig(host="localhost", port=1)
    with pytest.raises(ValueError, match="Upgrade migration is not allowed when using gRPC"):
        mlmd.MetadataStore(remote, enable_upgrade_migration=True)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("sqlite {filename_uri: '/data/a b.db' connection_mode: READONLY}", "sqlite:////data/a%20b.db?mode=ro"),
        ("sqlite {filename_uri: 'mlmd.db'}", "sqlite:///mlmd.db"),
        (
            """mysql {host: 'h' port: 3306 database: 'd' user: 'u' password: 'p@/' skip_db_creation: true
            ssl_options {ca: '/ca.pem' verify_server_cert: true}}""",
            "mysql://u:p%40%2F@h:3306/d?ssl_ca=%2Fca.pem&ssl_verify_server_cert=true&skip_db_creation=true",
        ),
        (
            "postgresql {host: 'h' port: '5432' dbname: 'd' user: 'u' ssloption {sslmode: 'require'}}",
            "postgresql://u@h:5432/d?sslmode=require",
        ),
        (
            "neo4j {uri: 'neo4j://h:7687' user: 'u' password: 'p' database: 'lineage'}",
            "neo4j://u:p@h:7687/lineage",
        ),
        ("neo4j {uri: 'bolt+s://h'}", "bolt+s://h"),
    ],
)
def test_configs_become_urls(text: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from google.protobuf import text_format

    asked: list[str] = []

    def open_store(asked_url: str, **_: Any) -> lineage.Store:
        asked.append(asked_url)
        return original("memory:")

    original = lineage.open_store
    monkeypatch.setattr(lineage, "open_store", open_store)
    mlmd.MetadataStore(text_format.Parse(text, pb.ConnectionConfig())).close()
    assert asked == [url]


def test_the_schema_is_not_downgraded_without_a_database() -> None:
    config = pb.ConnectionConfig(fake_database=pb.FakeDatabaseConfig())
    with pytest.raises(errors.InvalidArgumentError, match="downgrade_to_schema_version not specified"):
        mlmd.downgrade_schema(config, -1)
    with pytest.raises(errors.InvalidArgumentError, match="MLMD cannot be downgraded to schema_version: 99"):
        mlmd.downgrade_schema(config, 99)
    with pytest.raises(RuntimeError, match="Empty database is given"):
        mlmd.downgrade_schema(config, 8)


def test_what_has_no_sql_schema_is_not_downgraded(native: lineage.Store) -> None:
    native.put_context_type(lineage.ContextType(name="Run"))
    given: Any = native  # as a Neo4j database would be, with something in it
    with pytest.raises(RuntimeError, match="does not have MLMD's SQL schema"):
        mlmd.downgrade_schema(given, 8)


# --- retries --------------------------------------------------------------------------------------------------------


class Flaky:
    """A connection that aborts some calls."""

    page_size = 100

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    def call(self, method_name: str, request: Any) -> Any:
        self.calls += 1
        if self.calls <= self.failures:
            raise errors.AbortedError("busy")
        return rpc.GetArtifactsResponse()

    def lineage_subgraph(self, options: Any, paths: list[str]) -> Any:
        return self.call("", options)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("attempts", "failures", "succeeds"), [(5, 4, True), (5, 5, False), (1, 1, False), (0, 1, False)]
)
def test_aborted_calls_are_repeated_but_not_without_end(
    attempts: int, failures: int, succeeds: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    delays: list[float] = []
    monkeypatch.setattr("time.sleep", delays.append)
    config = pb.ConnectionConfig(fake_database=pb.FakeDatabaseConfig())
    config.retry_options.max_num_retries = attempts
    with mlmd.MetadataStore(config) as store:
        flaky = Flaky(failures)
        monkeypatch.setattr(store, "_connection", flaky)
        if succeeds:
            assert store.get_artifacts() == []
        else:
            with pytest.raises(errors.AbortedError, match="busy"):
                store.get_artifacts()
        assert flaky.calls == max(1, min(failures + 1, attempts))
        assert len(delays) == flaky.calls - 1


# --- the client's habits --------------------------------------------------------------------------------------------


def test_arguments_of_the_wrong_kind(store: mlmd.MetadataStore, type_id: int) -> None:
    ours: Any = store
    for call in (
        lambda: ours.put_artifacts(pb.Artifact(type_id=type_id)),
        lambda: ours.put_artifacts([1]),
        lambda: ours.put_artifacts([pb.Event()]),
        lambda: ours.put_artifacts(None),
        lambda: ours.get_artifacts_by_id(1),
        lambda: ours.get_artifacts_by_id(["a"]),
        lambda: ours.get_artifact_type(None),
        lambda: ours.get_artifact_type(3),
        lambda: ours.get_artifacts_by_uri(None),
        lambda: ours.put_execution(pb.Execution(), None, None),
        lambda: ours.put_execution(pb.Execution(), [pb.Artifact()], None),
        lambda: ours.put_artifact_type(pb.ExecutionType(name="x")),
        lambda: ours.get_contexts_by_artifact(None),
        lambda: ours.get_artifacts(mlmd.ListOptions(limit="a")),  # type: ignore[arg-type]  # that is the point
    ):
        with pytest.raises(TypeError):
            call()  # type: ignore[no-untyped-call]  # as above
    with pytest.raises(ValueError, match=r"."):
        ours.get_artifacts_by_id([2**70])
    with pytest.raises(errors.InvalidArgumentError, match="No type name is specified"):
        ours.put_artifact_type(None)
    assert ours.put_artifacts(iter([pb.Artifact(type_id=type_id)])) == [1]
    assert ours.put_artifacts([pb.Artifact(type_id=type_id)], "uri") == [2]


def test_pairs_of_an_execution(store: mlmd.MetadataStore, type_id: int) -> None:
    execution_type = store.put_execution_type(pb.ExecutionType(name="E"))
    [artifact_id] = store.put_artifacts([pb.Artifact(type_id=type_id)])
    pairs: Any = [
        None,
        (),
        (None, pb.Event(artifact_id=artifact_id, type=pb.Event.INPUT)),
        (pb.Artifact(type_id=type_id), pb.Event(type=pb.Event.OUTPUT)),
        (pb.Artifact(type_id=type_id),),
        (pb.Artifact(type_id=type_id), None),
        (pb.Artifact(type_id=type_id), pb.Event(type=pb.Event.OUTPUT), "a third"),
    ]
    execution_id, artifact_ids, context_ids = store.put_execution(pb.Execution(type_id=execution_type), pairs, None)
    assert (execution_id, artifact_ids, context_ids) == (1, [1, 2, 3, 4, 5], [])
    assert [event.artifact_id for event in store.get_events_by_execution_ids([1])] == [
        1,
        2,
    ]  # the triple lost its event


def test_list_options(store: mlmd.MetadataStore, type_id: int) -> None:
    store.put_artifacts([pb.Artifact(type_id=type_id, uri=str(number)) for number in range(250)])
    ids = [artifact.id for artifact in store.get_artifacts()]
    assert ids == list(range(1, 251))

    def listed(*options: Any, **named: Any) -> list[int]:
        return [artifact.id for artifact in store.get_artifacts(mlmd.ListOptions(*options, **named))]

    assert listed() == listed(0) == listed(None) == ids
    assert listed(is_asc=False) == listed(300, mlmd.OrderByField.ID, False) == ids[::-1]
    assert listed(7) == ids[:7]
    assert listed(120, mlmd.OrderByField.UPDATE_TIME, False) == ids[:-121:-1]
    assert listed(filter_query="uri = '7'") == [8]
    with pytest.raises(errors.InvalidArgumentError, match=r"Invalid list_options\.limit value passed"):
        listed(-1)
    with pytest.raises(errors.InvalidArgumentError, match="Invalid `filter_query`"):
        listed(filter_query=" ")


def test_executions_of_a_context_come_newest_first(store: mlmd.MetadataStore) -> None:
    execution_type = store.put_execution_type(pb.ExecutionType(name="E"))
    context_type = store.put_context_type(pb.ContextType(name="C"))
    for _ in range(3):
        store.put_execution(
            pb.Execution(type_id=execution_type),
            [],
            [pb.Context(type_id=context_type, name="c")],
            reuse_context_if_already_exist=True,
        )
    assert [each.id for each in store.get_executions_by_context(1)] == [3, 2, 1]
    assert [each.id for each in store.get_executions_by_context(1, mlmd.ListOptions())] == [1, 2, 3]


def test_a_wrong_type_name_on_a_node_is_ignored_natively_it_is_not(store: mlmd.MetadataStore, type_id: int) -> None:
    assert store.put_artifacts([pb.Artifact(type_id=type_id, type="nonsense")]) == [1]
    with pytest.raises(errors.InvalidArgumentError, match="Type id is missing"):
        store.put_artifacts([pb.Artifact(type="A")])
    assert store.put_artifacts([pb.Artifact(id=1, type="other", uri="u")]) == [1]
    [read] = store.get_artifacts()
    assert (read.type, read.uri) == ("A", "u")


# --- other ways in --------------------------------------------------------------------------------------------------


def test_types_load_from_textproto_files(tmp_path: Any) -> None:
    path = tmp_path / "types.textproto"
    path.write_text(
        """
        # what we record
        artifact_types { name: "Model" properties { key: "accuracy" value: DOUBLE } base_type: MODEL }
        execution_types { name: "Trainer" input_type { any {} } }
        context_types { name: "Run" version: "v1" }
        """
    )
    with lineage.open_store("memory:") as store:
        assert store.load_types(path) == ([10], [11], [12])
        assert store.get_artifact_type("Model").properties == {"accuracy": lineage.PropertyType.DOUBLE}
        assert store.get_context_type("Run", "v1").id == 12
        path.write_text("artifact_types { nam: 1 }")
        with pytest.raises(lineage.errors.InvalidArgumentError, match=r"types\.textproto.*1:18.*nam"):
            store.load_types(path)


@pytest.mark.parametrize("module", ["lineage", "lineage.store"])
def test_the_engine_does_without_protobuf(module: str) -> None:
    code = f"import sys, {module}; sys.exit('google.protobuf' in sys.modules or 'grpc' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_grpc_is_imported_only_for_a_server() -> None:
    code = "import sys, lineage.mlmd as m; m.MetadataStore('memory:'); sys.exit('grpc' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_snapshot_cannot_be_written_to(native: lineage.Store) -> None:
    with native.snapshot(), native.snapshot():
        assert native.get_artifact_types() == []
        with pytest.raises(lineage.errors.FailedPreconditionError, match="a snapshot cannot be written to"):
            native.put_artifact_type(lineage.ArtifactType(name="A"))
    assert native.put_artifact_type(lineage.ArtifactType(name="A")) == 10
