"""A TFX pipeline, run three times by TFX's local runner. Runs in the environment of `make consumers`.

    python tfx_pipeline.py FOLDER server HOST PORT      ml_metadata is Google's, and talks to a server
    python tfx_pipeline.py FOLDER in-process URI        ml_metadata is lineage.mlmd, on Neo4j

Prints as JSON what TFX and its store said. TFX is imported after `install()`, as its users would.
"""

import json
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
if sys.argv[2] == "in-process":
    import lineage.mlmd

    lineage.mlmd.install()

import ml_metadata
from ml_metadata.proto import metadata_store_pb2 as pb
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, OutputDict, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.common.importer import Importer
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution import resolver_op
from tfx.dsl.input_resolution.ops.graph_traversal_op import GraphTraversal
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.orchestration import metadata
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline, RunOptions
from tfx.orchestration.portable.mlmd import store_ext
from tfx.types import artifact_utils
from tfx.types.artifact import Artifact, Property, PropertyType
from tfx.types.channel import Channel


class Table(Artifact):
    TYPE_NAME = "Table"
    PROPERTIES = {"rows": Property(type=PropertyType.INT)}


class Ranker(Artifact):
    TYPE_NAME = "Ranker"


RAN: list[str] = []


@component
def Load(source: InputArtifact[Table], table: OutputArtifact[Table]):
    Path(table.uri).mkdir(parents=True, exist_ok=True)
    (Path(table.uri) / "table.csv").write_text(Path(source.uri).read_text())
    table.rows = 3
    table.set_string_custom_property("separator", "',\"\n")
    RAN.append("Load")


@component
def Train(table: InputArtifact[Table], ranker: OutputArtifact[Ranker], rate: Parameter[float]) -> OutputDict(
    accuracy=float
):
    Path(ranker.uri).mkdir(parents=True, exist_ok=True)
    (Path(ranker.uri) / "weights").write_text(str(rate))
    RAN.append("Train")
    return {"accuracy": 1 - rate}


@component
def Judge(ranker: InputArtifact[Ranker], accuracy: float):
    assert (Path(ranker.uri) / "weights").is_file()
    assert 0 < accuracy < 1
    RAN.append("Judge")


def connection() -> Any:
    if sys.argv[2] == "in-process":
        return pb.ConnectionConfig(neo4j={"uri": sys.argv[3]})
    return pb.MetadataStoreClientConfig(host=sys.argv[3], port=int(sys.argv[4]))


def pipeline(rate: float) -> Any:
    source = FOLDER / "source.csv"
    source.write_text("a,b\n1,2\n")
    raw = Importer(source_uri=str(source), artifact_type=Table, properties={"rows": 1}).with_id("Source")
    load = Load(source=raw.outputs["result"]).with_id("Load")
    train = Train(table=load.outputs["table"], rate=rate).with_id("Train")
    judge = Judge(ranker=train.outputs["ranker"], accuracy=train.outputs["accuracy"]).with_id("Judge")
    newest = Resolver(strategy_class=LatestArtifactStrategy, ranker=Channel(type=Ranker)).with_id("Newest")
    newest.add_upstream_node(judge)
    return Pipeline(
        pipeline_name="ranking",
        pipeline_root=str(FOLDER / "root"),
        metadata_connection_config=connection(),
        components=[raw, load, train, judge, newest],
        enable_cache=True,
    )


def ran(rate: float, options: Any = None) -> list[str]:
    RAN.clear()
    LocalDagRunner().run(pipeline(rate), run_options=options)
    return list(RAN)


def found() -> dict[str, Any]:
    """Ask what was recorded, by TFX's own functions."""
    handle = metadata.Metadata(connection())
    with handle as entered:
        store = entered.store
        by_node = store_ext.get_live_output_artifacts_of_node_by_output_key(
            store, pipeline_id="ranking", node_id="Train"
        )
        rankers = [ranker for of_one_execution in by_node["ranker"] for ranker in of_one_execution]
        newest = max(rankers, key=lambda ranker: ranker.id)
        [ranker_type] = store.get_artifact_types_by_id([newest.type_id])
        root = artifact_utils.deserialize_artifact(ranker_type, newest)
        above = GraphTraversal.create(traverse_upstream=True, artifact_type_names=["Table"])
        above.set_context(resolver_op.Context(mlmd_handle_like=entered))
        tables = above.apply([root])
        executions = store_ext.get_node_executions(store, pipeline_id="ranking", node_id="Train")
        types = {type_.id: type_.name for type_ in store.get_execution_types()}
        return {
            "rankers": [(Path(ranker.uri) / "weights").read_text() for ranker in rankers],
            "made from": sorted(
                table.rows for name, found in tables.items() if name != "root_artifact" for table in found
            ),
            "train": sorted(pb.Execution.State.Name(execution.last_known_state) for execution in executions),
            "executions": sorted(types[execution.type_id].rpartition(".")[2] for execution in store.get_executions()),
            "contexts": sorted({context.type for context in store.get_contexts()}),
        }


first, second, third = ran(0.25), ran(0.25), ran(0.5)
partial = ran(0.5, RunOptions(from_nodes=["Judge"]))
print(json.dumps({"runs": [first, second, third, partial], "ml_metadata": ml_metadata.__name__, **found()}))
