"""Neo4j Browser on a record: the saved queries answer the demo's questions, and the graph looks as it should."""

from __future__ import annotations

import json
from typing import Any

import neo4j
import pytest

import lineage
from browser import build
from tests.neo4j.browser_window import neo4j_browser
from tests.neo4j.demo_record import record_demo
from tests.servers.neo4j import Neo4jServer

BLUE, ORANGE = "#4C8EDA", "#F79767"
UPSTREAM = {
    *(f"run-1/{name}" for name in ("raw", "statistics", "train", "test")),
    *(f"run-1/{name}" for name in ("ingest", "validate", "split")),
    *(f"run-1/{kind}-{size}" for kind in ("train", "model", "evaluate", "metrics") for size in ("small", "medium")),
    *(f"run-2/{kind}-large" for kind in ("train", "model", "evaluate", "metrics")),
    *(f"run-2/{name}" for name in ("choose", "choice", "push", "pushed")),
}


@pytest.fixture
def demo(empty_neo4j: Neo4jServer) -> Neo4jServer:
    """A server with what the demo records."""
    with lineage.open_store(empty_neo4j.url) as store:
        record_demo(store)
    return empty_neo4j


def query(name: str) -> str:
    [file] = build.QUERIES.glob(f"??-{name}.cypher")
    return file.read_text()


def answer(server: Neo4jServer, name: str) -> list[dict[str, Any]]:
    """The rows of a saved query, nodes by their names and events by their types."""
    with server.driver() as driver, driver.session(database="neo4j") as session:
        text: Any = query(name)  # the driver wants a literal
        records = session.run(text)
        return [dict(zip(records.keys(), map(_short, record.values()), strict=True)) for record in records]


def _short(value: Any) -> Any:
    if isinstance(value, neo4j.graph.Node):
        return value["name"]
    return value.type if isinstance(value, neo4j.graph.Relationship) else value


def names(rows: list[dict[str, Any]], *keys: str) -> set[str]:
    return {row[key] for row in rows for key in keys if row[key] is not None}


def test_each_saved_query_answers_its_question(demo: Neo4jServer) -> None:
    assert [row["artifact"] for row in answer(demo, "artifacts-of-a-type")] == [
        "run-2/model-large",
        *(f"run-1/model-{size}" for size in ("large", "medium", "small")),
    ]

    compared = answer(demo, "two-executions-compared")
    assert [row for row in compared if row["differs"]] == [
        {"field": "output model [0]", "left": "run-1/model-large", "right": "run-2/model-large", "differs": True},
        {"field": "properties.max_depth", "left": 4, "right": 6, "differs": True},
    ]
    assert {"field": "input data [0]", "left": "run-1/train", "right": "run-1/train", "differs": False} in compared
    assert {"field": "last_known_state", "left": "COMPLETE", "right": "COMPLETE", "differs": False} in compared
    assert {"field": "properties.trees", "left": 100, "right": 100, "differs": False} in compared

    in_run = answer(demo, "everything-in-one-run")
    assert len(names(in_run, "node")) == 11 + 12
    assert names(in_run, "next") < names(in_run, "node")
    assert sum(row["event"] is not None for row in in_run) == 12 + 17
    assert {"node": "run-2/model-large", "event": "INPUT", "next": "run-2/push"} in in_run

    upstream = answer(demo, "how-a-model-came-to-be")
    assert names(upstream, "node", "source") == names(upstream, "node") == UPSTREAM
    assert {"node": "run-2/pushed", "event": "OUTPUT", "source": "run-2/push"} in upstream

    downstream = answer(demo, "made-from-a-data-set")
    assert len(names(downstream, "node", "next")) == 16 + 22 - len({"run-1/ingest", "run-2/ingest"})
    assert {"run-1/raw", "run-1/pushed", "run-2/pushed", "run-2/evaluate-small"} < names(downstream, "node")

    assert answer(demo, "has-this-step-run-before") == [
        {"execution": "run-1/train-large", "made": "OUTPUT", "output": "run-1/model-large"}
    ]
    assert answer(demo, "what-each-run-contains") == [
        {"name": "run-1", "note": "first run", "ran": 11, "reused": 0, "failed": 0, "artifacts": 12},
        {"name": "run-2", "note": "large: max_depth 4 -> 6", "ran": 4, "reused": 7, "failed": 0, "artifacts": 12},
    ]
    [good] = answer(demo, "artifacts-by-a-filter")
    assert (good["metrics"], good["execution"]) == ("run-2/metrics-large", "run-2/evaluate-large")
    assert good["model"] == "run-2/model-large"
    assert names(answer(demo, "models-never-pushed"), "model") == {"run-1/model-small", "run-1/model-large"}


def test_each_saved_query_starts_from_an_index_and_none_walks_every_path(demo: Neo4jServer) -> None:
    demo.run(
        "UNWIND range(1000, 20000) AS id UNWIND ['Artifact', 'Execution', 'Context'] AS kind "
        "CREATE (n:$(kind) {id: id, type: 'T' + id % 9, type_id: id % 9, name: toString(id), last_update_time_ms: id})"
    )
    demo.run("CALL db.prepareForReplanning()")
    for file in sorted(build.QUERIES.glob("*.cypher")):
        operators = _plan(demo, file.read_text())
        assert not [each for each in operators if each.startswith(("NodeByLabelScan", "AllNodes"))], file.name
        walks = [each for each in operators if each.startswith("VarLength")]
        assert walks == [each for each in walks if "Pruning,BFS" in each], file.name
    assert [each for each in _plan(demo, query("how-a-model-came-to-be")) if "Pruning,BFS" in each]


def test_a_saved_query_costs_what_its_answer_costs(demo: Neo4jServer) -> None:
    """08 begins at the run: the good metrics of all other runs cost it nothing."""
    demo.run(
        "UNWIND range(1, 2000) AS i CREATE (:Artifact:Metrics "
        "{id: 100000 + i, type: 'Metrics', type_id: 1, `properties.accuracy`: 0.99})"
    )
    demo.run("CALL db.prepareForReplanning()")
    with demo.driver() as driver, driver.session(database="neo4j") as session:
        text: Any = f"PROFILE {query('artifacts-by-a-filter')}"  # the driver wants a literal
        profile: Any = session.run(text).consume().profile
    assert _hits(profile) < 500


def _hits(plan: dict[str, Any]) -> int:
    return int(plan.get("dbHits", 0)) + sum(map(_hits, plan.get("children", ())))


def _plan(server: Neo4jServer, cypher: str) -> list[str]:
    with server.driver() as driver, driver.session(database="neo4j") as session:
        text: Any = f"EXPLAIN {cypher}"  # the driver wants a literal
        plans: list[Any] = [session.run(text).consume().plan]
    operators: list[str] = []
    while plans:
        plan = plans.pop()
        operators.append(plan["operatorType"])
        plans += plan.get("children", ())
    return operators


@pytest.mark.slow
def test_a_person_sees_how_a_model_came_to_be(demo: Neo4jServer) -> None:
    ours = json.loads(build.STYLE.read_text())
    with neo4j_browser(demo) as window:
        window.wait_for_style(ours)  # it comes by itself, when the Browser has connected
        window.run(":style reset", shows=None)
        window.wait_for_style(ours, gone=True)
        window.drop(build.GRASS)
        window.wait_for_style(ours)

        window.drop(build.QUERIES_ZIP)
        window.run_saved("How a model came to be")
        ids = {
            row["name"]: row["id"]
            for row in demo.run("MATCH (n) WHERE n.type_id IS NOT NULL RETURN n.name AS name, n.id AS id")
        }
        captions = dict(window.circles())
        assert captions[f"PushedModel {ids['run-2/pushed']} run-2/pushed"] == BLUE
        assert captions[f"Train COMPLETE {ids['run-2/train-large']} run-2/train-large"] == ORANGE
        assert len(captions) == len(UPSTREAM)
        assert set(captions.values()) == {BLUE, ORANGE}

        window.run(query("artifacts-of-a-type"))
        assert {colour for _, colour in window.circles()} == {BLUE}, "also when the Browser has met the types' labels"
        with lineage.open_store(demo.url) as store:
            pasted = store.explain("name LIKE 'run-2/metrics-%' AND properties.accuracy.double_value > 0.9")
        values, statement = str(pasted).split("\n", 1)
        window.run(values, shows=None)
        window.run(statement)
        found = f"Metrics {ids['run-2/metrics-large']} run-2/metrics-large"
        assert [caption for caption, _ in window.circles()] == [found]

        demo.run(
            "MATCH (n) WHERE n.name STARTS WITH 'run-' SET n.name = 'team-03/pipe-1/run-101' + substring(n.name, 4)"
        )
        window.run(query("everything-in-one-run").replace("'run-2'", "'team-03/pipe-1/run-1012'"))
        captions = dict(window.circles())
        assert len(captions) == 11 + 12, "names with a long beginning in common"
        assert {caption.split()[1] for caption, colour in captions.items() if colour == ORANGE} == {
            "COMPLETE",
            "CACHED",
        }
        window.run(query("what-each-run-contains"), shows="table")
        assert "large: max_depth 4 -> 6" in window.frame.inner_text()
