"""What ``scale`` measures: calls whose result has the same size in a small store and in a big one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, cycle

import lineage
from benchmarks.workloads import Call
from lineage import (
    Artifact,
    ArtifactState,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionType,
    OrderBy,
    PropertyType,
)

DECLARED = {"step": PropertyType.INT, "accuracy": PropertyType.DOUBLE}
PIPELINES = 10
PER_RUN = 10
MARKED = 20
"""How many artifacts, spread over the store, have what the selective filters ask for."""


class BigStore:
    """A store of ``size`` artifacts in runs of ten, which share nothing but ten pipelines.

    In each run one execution reads the run's first artifact and makes the others. Twenty artifacts are marked, with
    an owner, a state and a uri unlike the others'. The last ten were put some milliseconds later than the others.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.runs = size // PER_RUN
        self.store = store = lineage.open_store("memory:")
        for name in ("DataSet", "Model"):
            store.put_artifact_type(ArtifactType(name=name, properties=DECLARED))
        store.put_execution_type(ExecutionType(name="Trainer"))
        store.put_context_type(ContextType(name="Run"))
        store.put_context_type(ContextType(name="Pipeline"))
        store.put_contexts(Context(type="Pipeline", name=f"pipeline-{number}") for number in range(PIPELINES))
        for first in range(0, self.runs, 100):
            self._put_runs(range(first, min(first + 100, self.runs)))
        [latest] = store.list_artifacts(order_by=OrderBy.CREATE_TIME, descending=True, limit=1)
        self.late_ms = latest.create_time_ms
        """When the first of the last ten artifacts was put, or thereabouts."""

    def _put_runs(self, runs: range) -> None:
        store = self.store
        context_ids = store.put_contexts(Context(type="Run", name=f"run-{run}") for run in runs)
        execution_ids = store.put_executions(Execution(type="Trainer", name=f"train-{run}") for run in runs)
        numbers = range(runs.start * PER_RUN, runs.stop * PER_RUN)
        if numbers.stop == self.size:
            artifact_ids = store.put_artifacts(self.artifact(number) for number in numbers[:-PER_RUN])
            time.sleep(0.005)
            artifact_ids += store.put_artifacts(self.artifact(number) for number in numbers[-PER_RUN:])
        else:
            artifact_ids = store.put_artifacts(self.artifact(number) for number in numbers)
        of_run = [number // PER_RUN - runs.start for number in numbers]
        store.put_attributions_and_associations(
            [
                Attribution(artifact_id=artifact_id, context_id=context_id)
                for artifact_id, place in zip(artifact_ids, of_run, strict=True)
                for context_id in (context_ids[place], 1 + place % PIPELINES)
            ],
            [
                Association(execution_id=execution_id, context_id=context_id)
                for execution_id, context_id in zip(execution_ids, context_ids, strict=True)
            ],
        )
        store.put_events(
            Event(
                artifact_id=artifact_id,
                execution_id=execution_ids[place],
                type=EventType.OUTPUT if number % PER_RUN else EventType.INPUT,
                path=("data", number % PER_RUN),
            )
            for number, artifact_id, place in zip(numbers, artifact_ids, of_run, strict=True)
        )

    def artifact(self, number: int) -> Artifact:
        marked = number % max(1, self.size // MARKED) == 0 and number < self.size
        return Artifact(
            type="Model" if number % 2 else "DataSet",
            name=f"artifact-{number}",
            uri=f"s3://{'marked' if marked else 'bucket'}/{number}",
            external_id=f"external-{number}",
            state=ArtifactState.PENDING if marked else ArtifactState.LIVE,
            properties={"step": number, "accuracy": number * 7919 % self.size / self.size},
            custom_properties={"owner": "nobody" if marked else f"owner-{number % 50}"},
        )

    @property
    def middle(self) -> int:
        """A number in the middle of the store, of a run's first artifact."""
        return self.size // 2


@dataclass(frozen=True, slots=True)
class Probe:
    name: str
    shape: str
    make: Callable[[BigStore], Call]


def _filter(name: str, text: Callable[[BigStore], str]) -> Probe:
    def make(big: BigStore) -> Call:
        where = text(big)
        return lambda: len(big.store.list_artifacts(where))

    return Probe(f"filter-{name}", text(_SHAPE), make)


class _Shape(BigStore):
    """Stands for a store where only the text of a filter is wanted."""

    def __init__(self) -> None:
        self.size = 100_000
        self.runs = self.size // PER_RUN
        self.late_ms = 1_700_000_000_000


_SHAPE = _Shape()

FILTERS: Sequence[Probe] = (
    _filter("equality", lambda big: "custom_properties.owner.string_value = 'nobody'"),
    _filter("equality-type", lambda big: "uri LIKE 's3://marked/%' AND type = 'DataSet'"),
    _filter("range", lambda big: f"properties.step.int_value >= {big.size - 20}"),
    _filter(
        "range-middle",
        lambda big: f"properties.step.int_value >= {big.middle} AND properties.step.int_value < {big.middle + 20}",
    ),
    _filter(
        "between-middle", lambda big: f"properties.accuracy.double_value BETWEEN 0.5 AND {0.5 + 19.5 / big.size:.8f}"
    ),
    _filter(
        "in",
        lambda big: (
            f"properties.step.int_value IN ({', '.join(str(big.middle + n * (big.size // 100)) for n in range(20))})"
        ),
    ),
    _filter("or", lambda big: f"name = 'artifact-{big.middle}' OR name = 'artifact-{big.middle + 7}'"),
    _filter("like-prefix", lambda big: "uri LIKE 's3://marked/%'"),
    _filter("name", lambda big: f"name = 'artifact-{big.middle}'"),
    _filter("external-id", lambda big: f"external_id = 'external-{big.middle}'"),
    _filter("id-range-middle", lambda big: f"id >= {big.middle} AND id < {big.middle + 20}"),
    _filter("state-and-type", lambda big: "state = PENDING AND type = 'DataSet'"),
    _filter("time-range", lambda big: f"create_time_since_epoch >= {big.late_ms}"),
    _filter("context-name", lambda big: f"contexts_c.name = 'run-{big.middle // PER_RUN}'"),
    _filter("context-id", lambda big: f"contexts_c.id = {big.middle // PER_RUN + PIPELINES}"),
    _filter(
        "two-contexts-type",
        lambda big: (
            f"contexts_a.name = 'run-{big.middle // PER_RUN}' AND contexts_b.type = 'Pipeline' AND type = 'Model'"
        ),
    ),
    _filter("event-execution", lambda big: f"events_0.execution_id = {big.middle // PER_RUN}"),
    _filter(
        "event-execution-type", lambda big: f"events_0.execution_id = {big.middle // PER_RUN} AND events_0.type = INPUT"
    ),
)


def _page(order: OrderBy, *, descending: bool, in_the_middle: bool) -> Probe:
    def make(big: BigStore) -> Call:
        def page(limit: int, token: str | None) -> lineage.Page[Artifact]:
            return big.store.list_artifacts(order_by=order, descending=descending, limit=limit, page_token=token)

        token = page(big.middle, None).next_page_token if in_the_middle else None
        return lambda: len(page(20, token))

    direction, place = "descending" if descending else "ascending", "middle" if in_the_middle else "first"
    name = f"page-{order.name.lower().replace('_', '-')}-{direction[:4].removesuffix('e')}-{place}"
    return Probe(name, f"20 by {order.name} {direction}, the {place} page", make)


def _page_of(name: str, **options: str) -> Probe:
    def make(big: BigStore) -> Call:
        return lambda: len(
            big.store.list_artifacts(
                options.get("where"), type=options.get("type"), order_by=OrderBy.CREATE_TIME, descending=True, limit=20
            )
        )

    return Probe(
        f"page-of-{name}",
        f"20 by CREATE_TIME descending, {', '.join(f'{name}={value!r}' for name, value in options.items())}",
        make,
    )


def _page_of_context(big: BigStore) -> Call:
    return lambda: len(
        big.store.list_artifacts(context_id=3, order_by=OrderBy.LAST_UPDATE_TIME, descending=True, limit=20)
    )


PAGES: Sequence[Probe] = (
    *(
        _page(order, descending=descending, in_the_middle=in_the_middle)
        for order in OrderBy
        for descending in (False, True)
        for in_the_middle in (False, True)
    ),
    _page_of("type", type="Model"),
    _page_of("filter", where="properties.accuracy.double_value > 0.25 AND state = LIVE"),
    Probe("page-of-context", "20 by LAST_UPDATE_TIME descending of a context with a tenth of all", _page_of_context),
)


def _numbers(big: BigStore) -> Callable[[], int]:
    """Return numbers all over the store, which jump."""
    numbers = cycle(range(0, big.size, big.size // 97))
    return lambda: next(numbers)


def _read(name: str, shape: str, work: Callable[[BigStore, int], int]) -> Probe:
    def make(big: BigStore) -> Call:
        number = _numbers(big)
        return lambda: work(big, number())

    return Probe(name, shape, make)


READS: Sequence[Probe] = (
    _read("by-id", "one artifact", lambda big, n: len(big.store.get_artifacts_by_id([n + 1]))),
    _read("by-uri", "one artifact", lambda big, n: len(big.store.get_artifacts_by_uri(f"s3://bucket/{n + 1}"))),
    _read(
        "by-name",
        "one artifact by type and name",
        lambda big, n: int(
            big.store.get_artifact_by_type_and_name("Model" if n % 2 else "DataSet", f"artifact-{n}") is not None
        ),
    ),
    _read(
        "by-external-id", "one artifact", lambda big, n: len(big.store.get_artifacts_by_external_ids([f"external-{n}"]))
    ),
    _read("contexts-of-artifact", "2 contexts", lambda big, n: len(big.store.get_contexts_by_artifact(n + 1))),
    _read(
        "artifacts-of-context",
        "the 10 artifacts of a run",
        lambda big, n: len(big.store.get_artifacts_by_context(PIPELINES + 1 + n // PER_RUN)),
    ),
    _read("events-of-artifact", "1 event", lambda big, n: len(big.store.get_events_by_artifact_ids([n + 1]))),
    _read(
        "lineage",
        "a component of 11 nodes, all hops",
        lambda big, n: len(big.store.get_lineage_subgraph(artifact_ids=[n + 1]).artifacts),
    ),
)


def _put_execution(big: BigStore) -> Call:
    numbers, number = count(big.size), _numbers(big)

    def call() -> int:
        new = next(numbers)
        run = number() // PER_RUN
        result = big.store.put_execution(
            Execution(type="Trainer", name=f"new-{new}"),
            [
                (None, Event(artifact_id=run * PER_RUN + 1, type=EventType.INPUT)),
                (big.artifact(new), Event(type=EventType.OUTPUT)),
            ],
            [Context(type="Run", name=f"run-{run}")],
            reuse_context_if_already_exist=True,
        )
        return len(result.artifact_ids)

    return call


def _put_artifacts(big: BigStore) -> Call:
    numbers = count(2 * big.size)
    return lambda: len(big.store.put_artifacts(big.artifact(next(numbers)) for _ in range(10)))


def _update_artifact(big: BigStore) -> Call:
    number, versions = _numbers(big), count(10_000_000)

    def call() -> int:
        update = Artifact(id=number() + 1, properties={"step": next(versions)})
        return len(big.store.put_artifacts([update], update_mask=["properties.step"]))

    return call


WRITES: Sequence[Probe] = (  # last: by now every column is indexed that the filters ask for, and writes must keep it so
    Probe("put-execution", "1 input event, 1 new artifact, 1 context reused", _put_execution),
    Probe("put-artifacts", "10 new artifacts", _put_artifacts),
    Probe("update-artifact", "one property of one artifact", _update_artifact),
)
