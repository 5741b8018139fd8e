"""What the demo leaves in Neo4j: two runs of its pipeline, the second with one other parameter, written by plain Cypher."""

from __future__ import annotations

from typing import Any

from tests.servers.neo4j import Neo4jServer

Row = dict[str, Any]

_FORESTS = {"small": (5, 1), "medium": (50, 3), "large": (100, 4)}
_ACCURACY = {"small": 0.924, "medium": 0.947, "large": 0.942, "larger": 0.953}
_START_MS = 1_700_000_000_000


class DemoGraph:
    """Rows of nodes and links, as the demo's pipeline makes them."""

    def __init__(self) -> None:
        self.nodes: dict[str, list[Row]] = {"Artifact": [], "Execution": [], "Context": []}
        self.links: list[Row] = []
        self._made: dict[str, str] = {}
        self._node("Context", "Pipeline", "tumours")
        for run, note in (("run-1", "first run"), ("run-2", "large: max_depth 4 -> 6")):
            self._run(run, note)

    def load(self, server: Neo4jServer) -> None:
        for kind, rows in self.nodes.items():
            for row in rows:
                server.run(f"CREATE (n:{kind}:`{row['type']}`) SET n = $row", row=row)
        for row in self.links:
            source, target = row["source"], row["target"]
            server.run(
                f"MATCH (a:{source[0]} {{name: $source}}), (b:{target[0]} {{name: $target}}) "
                f"CREATE (a)-[e:{row['link']}]->(b) SET e = $properties",
                source=source[1],
                target=target[1],
                properties=row["properties"],
            )

    def _run(self, run: str, note: str) -> None:
        self._node("Context", "Run", run, note=note)
        self._link("PARENT", ("Context", "tumours"), ("Context", run))
        again = run != "run-1"
        self._step(run, "ingest", {}, {"raw": "Table"}, {}, reused=again)
        self._step(
            run, "validate", {"raw": ["raw"]}, {"statistics": "Statistics"}, {"max_missing": 0.0}, reused=again
        )
        inputs = {"raw": ["raw"], "statistics": ["statistics"]}
        outputs = {"train": "Table", "test": "Table"}
        self._step(run, "split", inputs, outputs, {"test_share": 0.3, "seed": 1}, reused=again)
        for size, (trees, depth) in _FORESTS.items():
            reused = again and size != "large"
            parameters = {"trees": trees, "max_depth": 6 if again and size == "large" else depth, "seed": 1}
            self._step(run, f"train-{size}", {"data": ["train"]}, {f"model-{size}": "Model"}, parameters, reused=reused)
            inputs = {"model": [f"model-{size}"], "data": ["test"]}
            self._step(run, f"evaluate-{size}", inputs, {f"metrics-{size}": "Metrics"}, {}, reused=reused)
        metrics = [f"metrics-{size}" for size in _FORESTS]
        self._step(run, "choose", {"metrics": metrics}, {"choice": "Choice"}, {}, reused=False)
        chosen = {"chosen": ["model-large" if again else "model-medium"], "choice": ["choice"]}
        self._step(run, "push", chosen, {"pushed": "PushedModel"}, {"destination": "served"}, reused=False)

    def _step(
        self,
        run: str,
        step: str,
        inputs: dict[str, list[str]],
        outputs: dict[str, str],
        parameters: Row,
        *,
        reused: bool,
    ) -> None:
        name = f"{run}/{step}"
        kind, _, variant = step.partition("-")
        state = "CACHED" if reused else "COMPLETE"
        row = self._node("Execution", kind.title(), name, **parameters)
        row |= {"last_known_state": state, "custom_properties.code": f"code of {kind}"}
        self._link("ASSOCIATION", ("Context", "tumours"), ("Execution", name))
        self._link("ASSOCIATION", ("Context", run), ("Execution", name))
        for key, sources in inputs.items():
            for index, source in enumerate(sources):
                self._event("INPUT", ("Artifact", self._made[source]), ("Execution", name), key, index)
        for output, type_name in outputs.items():
            if not reused:
                self._artifact(f"{run}/{output}", type_name)
                self._made[output] = f"{run}/{output}"
            artifact = ("Artifact", self._made[output])
            self._event("OUTPUT", ("Execution", name), artifact, output.partition("-")[0], 0)
            for context in ("tumours", run):
                self._link("ATTRIBUTION", ("Context", context), artifact)

    def _artifact(self, name: str, type_name: str) -> None:
        row = self._node("Artifact", type_name, name)
        row |= {"state": "LIVE", "uri": f"/work/{name}"}
        if type_name == "Metrics":
            size = name.partition("-")[2].partition("-")[2]
            row["properties.accuracy"] = _ACCURACY["larger" if name == "run-2/metrics-large" else size]

    def _node(self, kind: str, type_name: str, name: str, **properties: Any) -> Row:
        rows = self.nodes[kind]
        time_ms = _START_MS + 1000 * sum(map(len, self.nodes.values()))
        times = {"create_time_ms": time_ms, "last_update_time_ms": time_ms}
        row: Row = {"id": len(rows) + 1, "type": type_name, "name": name, **times}
        row |= {f"properties.{key}": value for key, value in properties.items()}
        rows.append(row)
        return row

    def _event(self, link: str, source: tuple[str, str], target: tuple[str, str], key: str, index: int) -> None:
        time_ms = _START_MS + 1000 * len(self.links)
        self._link(link, source, target, type=link, path=[f"'{key}", f"[{index}]"], time_ms=time_ms)

    def _link(self, link: str, source: tuple[str, str], target: tuple[str, str], **properties: Any) -> None:
        row = {"link": link, "source": source, "target": target, "properties": properties}
        if not (properties == {} and row in self.links):
            self.links.append(row)
