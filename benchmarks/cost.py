"""What filters cost in Neo4j, in hits of the database: does the cost follow the result, or the store?

::

    team ──> pipeline ──> run    three contexts one under the other, of which the run and the pipeline hold
                                 data ──> prepare ──> examples ──> train ──> model, metrics ──> push ──> pushed

Every question finds as much in a store of any number of runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lineage
from backends.neo4j.reads import node_statement
from benchmarks.report import Table
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Store
from lineage.api.lists import PAGE_SIZE
from lineage.model import NodeKind
from lineage.reading.lists import filter_of
from lineage.seam import NodeQuery, OrderBy
from tests.servers.neo4j import Neo4jServer, start_neo4j

PIPELINES = 10
SIZES = (200, 2_000)
QUICK_SIZES = (40, 200)
GOAL = 1.5
"""A question may cost so many times as much in a store ten times as large: the statistics of a planner differ."""

_SAVED = Path(__file__).parents[1] / "browser" / "queries"
_A, _E, _C = NodeKind.ARTIFACT, NodeKind.EXECUTION, NodeKind.CONTEXT
_STEPS = (
    ("prepare", ("data",), ("examples",)),
    ("train", ("examples",), ("model", "metrics")),
    ("push", ("model",), ("pushed",)),
)
_ROLES = ("data", "examples", "model", "metrics", "pushed")


@dataclass(frozen=True)
class Question:
    """A list. ``limit`` None wants all."""

    kind: NodeKind
    where: str
    limit: int | None = None
    order_by: OrderBy = OrderBy.ID
    descending: bool = False

    @property
    def name(self) -> str:
        order = "" if self.order_by is OrderBy.ID else f" by {self.order_by.name}"
        limit = "" if self.limit is None else f", the {'last' if self.descending else 'first'} {self.limit}{order}"
        return f"{self.kind.value}: {self.where}{limit}"

    def query(self) -> NodeQuery:
        """Return what `list_artifacts` and its like ask the backend for."""
        limit = None if self.limit is None else self.limit + 1
        return NodeQuery(
            self.kind,
            filter=filter_of(self.kind, self.where),
            limit=limit,
            order_by=self.order_by,
            descending=self.descending,
        )


_OF_ALL: Sequence[tuple[NodeKind, str]] = (
    (_A, "properties.accuracy.double_value > 0.9 AND contexts_run.name = 'run-9'"),
    (_A, "state = LIVE AND contexts_a.name = 'run-7'"),
    (_A, "contexts_a.name = 'run-7' OR contexts_a.external_id = 'run-3'"),
    (_A, "contexts_a.name = 'run-7' AND contexts_b.name = 'pipeline-7'"),
    (_A, "contexts_b.name = 'pipeline-7' AND contexts_a.name = 'run-7'"),
    (_A, "contexts_a.name = 'run-7' AND contexts_a.id > contexts_b.id"),
    (_A, "contexts_a.name = 'run-7' AND contexts_b.name = contexts_a.external_id"),
    (_A, "contexts_a.name LIKE 'run-7' AND type = 'Model'"),
    (_A, "name = 'run-7/model' OR name = 'run-3/model'"),
    (_A, "uri = 's3://run-7/model' OR uri = 's3://run-3/model'"),
    (_A, "name = 'run-7/model' OR uri = 's3://run-3/model' OR external_id = 'run-4/model'"),
    (_A, "id = 5 OR EXISTS(contexts_c.name = 'run-7')"),
    (_A, "type = 'Model' AND (name = 'run-7/model' OR EXISTS(contexts_c.name = 'run-7'))"),
    (_A, "name LIKE 'run-7/%' OR name LIKE 'run-3/%'"),
    (_A, "state IN (DELETED, ABANDONED) AND type = 'Model'"),
    (_A, "events_0.path[0].key = 'rare' AND events_0.path[1].index = 0"),
    (_A, "events_0.execution_id = 5 AND events_0.type = INPUT"),
    (_A, "id IN (1, 2, 3) AND contexts_p.name = 'pipeline-0'"),
    (_E, "last_known_state = RUNNING OR name = 'run-7/train'"),
    (_E, "contexts_a.name = 'run-7' AND last_known_state = COMPLETE"),
    (_C, "EXISTS(executions_e.name = 'run-7/train') OR EXISTS(artifacts_a.name = 'run-7/model')"),
    (_C, "child_contexts_c.name = 'run-7'"),
    (_C, "parent_contexts_p.name = 'pipeline-7' AND name = 'run-7'"),
    (_A, "properties.owner.string_value IN ('rare', 'absent') AND state = LIVE"),
    (_A, "properties.step.int_value = 7 OR name = 'run-3/model'"),
)
_OF_PAGES: Sequence[tuple[NodeKind, str]] = (
    (_A, "properties.accuracy.double_value > 0.9 AND contexts_run.name = 'run-9'"),
    (_A, "name LIKE 'run-7/%'"),
    (_A, "uri LIKE 's3://run-7/%'"),
    (_A, "external_id LIKE 'run-7/%'"),
    (_A, "type = 'Rare'"),
    (_A, "type IN ('Rare', 'Absent') AND state = LIVE"),
    (_A, "state = DELETED"),
    (_A, "events_0.path[0].key = 'rare'"),
    (_A, "create_time_since_epoch < 2"),
    (_A, "custom_properties.tag.string_value = 'rare'"),
    (_A, "properties.step.int_value BETWEEN 4 AND 6 AND state = LIVE"),
    (_E, "last_known_state = RUNNING"),
    (_E, "last_known_state = NEW"),
    (_E, "last_known_state IN (RUNNING, FAILED) AND type = 'train'"),
)
_OF_ITERATORS: Sequence[tuple[NodeKind, str]] = (
    (_A, "name LIKE 'run-7/%'"),
    (_A, "type = 'Rare'"),
    (_A, "contexts_a.name = 'run-7'"),
    (_E, "last_known_state = RUNNING"),
)
"""What `iter_artifacts` and its like ask for: pages of :data:`PAGE_SIZE`."""
QUESTIONS: Sequence[Question] = (
    *(Question(kind, where) for kind, where in _OF_ALL),
    *(Question(kind, where, PAGE_SIZE) for kind, where in _OF_ITERATORS),
    *(Question(kind, where, 20) for kind, where in _OF_PAGES),
    Question(_E, "last_known_state = RUNNING", 20, OrderBy.LAST_UPDATE_TIME, descending=True),
)


def put_types(store: Store) -> None:
    properties: Mapping[str, Any] = {"step": int, "accuracy": float, "owner": str}
    store.put_types(
        artifact_types=[
            ArtifactType(name=name, properties=properties) for name in ("Data", "Model", "Metrics", "Rare")
        ],
        execution_types=[ExecutionType(name=name) for name, _, _ in _STEPS],
        context_types=[ContextType(name=name) for name in ("Team", "Pipeline", "Run")],
    )


def put_runs(store: Store, runs: range) -> None:
    """Put these runs, and with the first also what every store has besides, so that a store may grow."""
    with store.bulk() as load:
        if runs.start == 0:
            load.put_contexts([Context(type="Team", name="team")])
            load.put_contexts([Context(type="Pipeline", name=f"pipeline-{number}") for number in range(PIPELINES)])
            load.put_parent_contexts(
                [(("Pipeline", f"pipeline-{number}"), ("Team", "team")) for number in range(PIPELINES)]
            )
        load.put_contexts(Context(type="Run", name=f"run-{run}", external_id=f"run-{run}") for run in runs)
        load.put_parent_contexts((("Run", f"run-{run}"), ("Pipeline", f"pipeline-{run % PIPELINES}")) for run in runs)
        load.put_artifacts(artifact for run in runs for artifact in _artifacts(run))
        load.put_executions(execution for run in runs for execution in _executions(run))
        load.put_events(event for run in runs for event in _events(run))
        load.put_attributions(
            (f"run-{run}/{role}", context) for run in runs for role in _ROLES for context in _contexts(run)
        )
        load.put_associations(
            (f"run-{run}/{step}", context) for run in runs for step, _, _ in _STEPS for context in _contexts(run)
        )


def _contexts(run: int) -> tuple[tuple[str, str], ...]:
    return ("Run", f"run-{run}"), ("Pipeline", f"pipeline-{run % PIPELINES}")


def _artifacts(run: int) -> Iterator[Artifact]:
    is_rare = run in (2, 3)
    for role in _ROLES:
        name = {"model": "Model", "metrics": "Metrics"}.get(role, "Data")
        yield Artifact(
            type="Rare" if is_rare and role == "pushed" else name,
            name=f"run-{run}/{role}",
            external_id=f"run-{run}/{role}",
            uri=f"s3://run-{run}/{role}",
            state="DELETED" if is_rare and role == "model" else "LIVE",
            properties={
                "step": run,
                "owner": "rare" if is_rare and role == "data" else f"owner-{run % 5}",
                **({"accuracy": 0.5 + run % 10 / 20} if role == "metrics" else {}),
            },
            custom_properties={"tag": "rare" if is_rare and role == "data" else "common"},
        )


def _executions(run: int) -> Iterator[Execution]:
    for step, _, _ in _STEPS:
        state = {2: "RUNNING", 3: "FAILED"}.get(run, "COMPLETE")
        yield Execution(type=step, name=f"run-{run}/{step}", external_id=f"run-{run}/{step}", last_known_state=state)


def _events(run: int) -> Iterator[tuple[str, str, Event]]:
    for step, inputs, outputs in _STEPS:
        for kind, roles in (("INPUT", inputs), ("OUTPUT", outputs)):
            for role in roles:
                key = "rare" if run == 2 and role == "data" else role
                yield f"run-{run}/{role}", f"run-{run}/{step}", Event(type=kind, path=(key, 0))


@dataclass(frozen=True)
class Saved:
    """A query that the Neo4j Browser has saved, with other nodes than those that it names."""

    file: str
    edits: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"saved query of the Browser: {self.file}"

    @property
    def text(self) -> str:
        text = (_SAVED / f"{self.file}.cypher").read_text(encoding="utf-8")
        for old, new in self.edits.items():
            if old not in text:
                raise ValueError(f"{self.file} has no {old}")
            text = text.replace(old, new)
        return text


SAVED: Sequence[Saved] = (
    Saved("08-artifacts-by-a-filter", {"'run-2'": "'run-9'", "'run-1'": "'run-3'", "0.93": "0.9"}),
)
ASKED: Sequence[Question | Saved] = [*QUESTIONS, *SAVED]


@dataclass(frozen=True)
class Cost:
    """What a question found, and how often the database looked at something to find it."""

    found: tuple[str | None, ...]
    hits: int
    plan: Mapping[str, Any]


def _cost_of_saved(driver: Any, saved: Saved) -> Cost:
    with driver.session(database="neo4j") as session:
        text: Any = f"PROFILE {saved.text}"  # the driver wants a literal
        result = session.run(text)
        names = tuple(record[0]["name"] for record in result)
        plan = result.consume().profile
    return Cost(names, _hits(plan), plan)


def cost_of(driver: Any, question: Question | Saved) -> Cost:
    """Run what the store runs for a question, under PROFILE. All properties of these questions have an index."""
    if isinstance(question, Saved):
        return _cost_of_saved(driver, question)
    statement = node_statement(question.query(), lock=False, is_indexed=lambda _, __: True)
    with driver.session(database="neo4j") as session:
        result = session.run(f"PROFILE {statement.text}", statement.parameters)
        names = tuple(each["name"] for record in result for each in record["items"])
        plan = result.consume().profile
    return Cost(names, _hits(plan), plan)


def _hits(plan: Mapping[str, Any]) -> int:
    return int(plan.get("dbHits", 0)) + sum(map(_hits, plan.get("children", ())))


def costs(server: Neo4jServer, questions: Sequence[Question | Saved], sizes: Sequence[int]) -> list[list[Cost]]:
    """Fill the empty database up to one size after the other; return what each question costs at each size."""
    measured: list[list[Cost]] = []
    with lineage.open_store(server.url) as store:
        put_types(store)
        store.create_property_index("tag", "Artifact", family="custom_properties")
        for before, size in zip((0, *sizes), sizes, strict=False):
            put_runs(store, range(before, size))
            server.run("CALL db.prepareForReplanning(60)")
            with server.driver() as driver:
                measured.append([cost_of(driver, question) for question in questions])
    return [list(each) for each in zip(*measured, strict=True)]


def cost(sizes: tuple[int, int]) -> tuple[Table, bool]:
    """Measure on a Neo4j of its own; print and return the table, and whether no cost follows the store."""
    with start_neo4j() as server:
        return report(sizes, ASKED, costs(server, ASKED, sizes))


def report(
    sizes: tuple[int, int], questions: Sequence[Question | Saved], measured: Sequence[Sequence[Cost]]
) -> tuple[Table, bool]:
    """Print and return the table of what questions cost, and whether no cost follows the store."""
    table = Table(
        f"Database hits of filters with {sizes[0]:,} and with {sizes[1]:,} runs in Neo4j",
        ("filter", "result", f"{sizes[0]:,}", f"{sizes[1]:,}", ""),
        (88, 6, 6, 6, 5),
    )
    reached = True
    for question, (small, big) in zip(questions, measured, strict=True):
        if small.found != big.found:
            raise AssertionError(f"{question.name}: {small.found} in the small store, {big.found} in the big one")
        is_well = big.hits <= GOAL * small.hits
        reached &= is_well
        table.add(
            (question.name, str(len(small.found)), f"{small.hits:,}", f"{big.hits:,}", "ok" if is_well else "above")
        )
    return table, reached
