"""Published packages that are built on ml_metadata, unchanged: through our server, and through install()."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage.server import Server, ServerOptions
from tests.servers.neo4j import Neo4jServer

pytestmark = [
    pytest.mark.consumers,
    pytest.mark.skipif(sys.version_info >= (3, 13), reason="artitrack has no version for this Python"),
]

PROGRAMS = Path(__file__).parent / "programs"
ROOT = PROGRAMS.parents[2]
FOLDER = ROOT / ".consumers" / "bin"


def run(program: str, *arguments: object, folder: Path, **environment: str) -> str:
    """Run a program of the other environment, with this checkout to import from; return what it printed."""
    if not (FOLDER / program).exists():
        pytest.fail(f"{FOLDER / program} is missing; run: make consumers", pytrace=False)
    result = subprocess.run(
        [str(FOLDER / program), *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-5000:]
    return result.stdout


@pytest.fixture(params=["memory", pytest.param("neo4j", marks=pytest.mark.neo4j)])
def store(request: pytest.FixtureRequest) -> Iterator[lineage.Store]:
    url = "memory:"
    if request.param == "neo4j":
        server: Neo4jServer = request.getfixturevalue("empty_neo4j")
        url = server.bolt_url
    with lineage.open_store(url) as opened:
        yield opened


@pytest.fixture
def port(store: lineage.Store) -> Iterator[int]:
    with Server(store, ServerOptions(port=0)) as server:
        yield server.port


# --- TFX ------------------------------------------------------------------------------------------------------------


def check_pipeline(said: dict[str, Any], store: lineage.Store) -> None:
    """Compare what TFX and the store say of the four runs of tfx_pipeline.py."""
    assert said["runs"] == [["Load", "Train", "Judge"], [], ["Train", "Judge"], []]  # the rest was in TFX's cache
    assert said["train"] == ["CACHED", "CACHED", "COMPLETE", "COMPLETE"]
    assert said["rankers"] == ["0.5", "0.5", "0.25", "0.25"]  # newest first, each once made and once reused
    assert said["made from"] == [1, 3]
    assert said["contexts"] == ["execution_cache", "node", "pipeline", "pipeline_run"]
    assert {name: said["executions"].count(name) for name in said["executions"]} == {
        "Importer": 4, "Judge": 4, "Load": 4, "Resolver": 4, "Train": 4,
    }  # fmt: skip
    rankers = store.list_artifacts("type = 'Ranker'", order_by="ID")
    assert len(rankers) == 2
    for ranker in rankers:
        above = store.upstream(ranker)
        made = {execution.type.rpartition(".")[2] for execution in above.executions if execution.type}
        assert made >= {"Importer", "Load", "Train"}  # and the resolvers that passed it on
        assert sorted(str(table.properties["rows"]) for table in above.artifacts if table.type == "Table") == ["1", "3"]
    assert store.list_artifacts("custom_properties.separator.string_value IS NOT NULL")


@pytest.mark.differential
def test_a_tfx_pipeline_through_the_server(store: lineage.Store, port: int, tmp_path: Path) -> None:
    said = json.loads(
        run("python", PROGRAMS / "tfx_pipeline.py", tmp_path, "server", "localhost", port, folder=tmp_path)
    )
    assert said["ml_metadata"] == "ml_metadata"
    check_pipeline(said, store)


@pytest.mark.neo4j
def test_a_tfx_pipeline_in_process(empty_neo4j: Neo4jServer, tmp_path: Path) -> None:
    """On Neo4j: TFX opens its database anew for every step, so that a store in memory would forget."""
    url = empty_neo4j.bolt_url
    said = json.loads(run("python", PROGRAMS / "tfx_pipeline.py", tmp_path, "in-process", url, folder=tmp_path))
    assert said["ml_metadata"] == "lineage.mlmd"
    with lineage.open_store(url) as store:
        check_pipeline(said, store)


# --- artitrack ------------------------------------------------------------------------------------------------------

RUNS = {
    "experiments": ["ranking"],
    "runs": [["first", "completed"], ["second", "failed"]],
    "of raw": ["first", "second"],
    "of the first model": ["first"],
    "writers": ["first:clean", "second:clean"],
    "run of job 12": "second",
    "beside job 1": ["first:clean", "first:train"],
    "failed": ["second:train"],
    "active": [],
}
"""What artitrack_runs.py prints, beside the module that it used."""


@pytest.mark.differential
def test_artitrack_through_the_server(store: lineage.Store, port: int, tmp_path: Path) -> None:
    """Its storage layer writes and asks; then its command line, which looks for a server by itself, reads that."""
    said = json.loads(run("python", PROGRAMS / "artitrack_runs.py", "localhost", port, folder=tmp_path))
    assert said == {"ml_metadata": "ml_metadata", **RUNS}

    def at(*arguments: str) -> list[list[str]]:
        environment = {"ARTITRACK_DATA_DIR": str(tmp_path / "at"), "ARTITRACK_GRPC_PORT": str(port)}
        lines = run("at", *arguments, folder=tmp_path, **environment).splitlines()
        return [line.split()[:3] for line in lines]

    assert at("runs", "--failed")[1:] == [["second", "ranking/second", "failed"]]
    assert at("runs", "--output", "/models/ranker-first")[1:] == [["first", "ranking/first", "completed"]]
    assert at("query", "--entity", "execution", "--filter", "properties.exit_code.int_value = 1")[1:] == [
        ["12", "second", "train"]
    ]
    [model] = store.list_artifacts("uri = '/models/ranker-first'")
    assert sorted(node.uri for node in store.upstream(model).artifacts) == [
        "/data/clean.csv", "/data/raw.csv", "/models/ranker-first",
    ]  # fmt: skip


def test_artitrack_in_process(tmp_path: Path) -> None:
    said = json.loads(run("python", PROGRAMS / "artitrack_runs.py", folder=tmp_path))
    assert said == {"ml_metadata": "lineage.mlmd", **RUNS}


OWN_TESTS = """
import sys
import lineage.mlmd
lineage.mlmd.install()
import ml_metadata
assert ml_metadata is lineage.mlmd
import pytest
sys.exit(pytest.main(["-q", "-rf", "-p", "no:cacheprovider", "--pyargs", "artitrack.storage"]) not in (0, 1))
"""


def test_the_tests_that_artitrack_brings(tmp_path: Path) -> None:
    """Those of its storage layer, in memory and on files of SQLite's, which some of them read past ml_metadata."""
    printed = run("python", "-c", OWN_TESTS, folder=tmp_path)
    assert printed.splitlines()[-1].startswith("86 passed"), printed[-5000:]
