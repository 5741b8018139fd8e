"""The workloads of the comparison, each written once for both engines.

A workload is a function from an engine that was filled by its data set to a call. The call repeats the work with the
next input and returns the size of its result, which must be the same on both engines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, cycle
from typing import Any, TypeAlias

from benchmarks.engines import ARTIFACT_TYPES, ArtifactRow, Engine, StepRow

Call: TypeAlias = Callable[[], Any]

EVERY_RUN = 10
"""Artifacts in a run of the library."""
LIBRARY = 5000
LIST = 8000
PIPELINES = 10


@dataclass(frozen=True, slots=True)
class Workload:
    """Something to measure: ``goal`` is the ratio to reach, ``per_call`` how many of ``unit`` one call makes."""

    name: str
    shape: str
    goal: float
    fill: Callable[[Engine], None]
    make: Callable[[Engine], Call]
    unit: str = "calls"
    per_call: int = 1
    writes: bool = False
    """Changes the data set, which nobody else may use afterwards."""


# --- data sets --------------------------------------------------------------------------------------------------------


def artifact(number: int) -> ArtifactRow:
    """The artifact of this number: every second one a Model, ``step`` in hundreds, 50 owners."""
    return ArtifactRow(
        type=ARTIFACT_TYPES[number % 2],
        name=f"artifact-{number}",
        uri=f"s3://bucket/{number % 1000}/artifact-{number}",
        step=number % 1000,
        accuracy=(number * 7919 % 10_000) / 10_000,
        owner=f"owner-{number % 100}",
    )


def empty(engine: Engine) -> None:
    """Only the types."""


def _fill(engine: Engine, size: int) -> None:
    runs = size // EVERY_RUN
    engine.put_contexts([("Pipeline", f"pipeline-{number}") for number in range(PIPELINES)])
    engine.put_contexts([("Run", f"run-{number}") for number in range(runs)])
    engine.put_executions([f"train-{number}" for number in range(runs)])
    for start in range(0, size, 100):
        engine.put_artifacts([artifact(number) for number in range(start, start + 100)])
    numbers = range(size)
    first_run = PIPELINES + 1
    engine.put_attributions([(number + 1, first_run + number // EVERY_RUN) for number in numbers])
    engine.put_attributions([(number + 1, 1 + number // EVERY_RUN % PIPELINES) for number in numbers])
    engine.put_associations([(run + 1, first_run + run) for run in range(runs)])
    # Every run makes its artifacts, and reads one of the previous run.
    engine.put_events(
        [((run - 1) * EVERY_RUN + 1, run + 1) for run in range(1, runs)],
        [(number + 1, number // EVERY_RUN + 1) for number in numbers],
    )


def library(engine: Engine) -> None:
    """5,000 artifacts of 500 runs in 10 pipelines."""
    _fill(engine, LIBRARY)


def long_list(engine: Engine) -> None:
    """8,000 artifacts and nothing else."""
    for start in range(0, LIST, 100):
        engine.put_artifacts([artifact(number) for number in range(start, start + 100)])


CHAIN_STEPS = 50
CHAIN_END = 2001
"""The id of what the last step of the chain made."""


def chain(engine: Engine) -> None:
    """50 steps in a row, each in the pipeline and a run of its own, beside 2,000 other artifacts.

    A step reads what the previous one made, 8 artifacts of its own (the first ten steps: 7), and 2 of those that the
    next step reads as well. 100 hops upstream of what the last step made lie 491 nodes and 586 events.
    """
    _fill(engine, CHAIN_END - 1)
    numbers = count(CHAIN_END)
    [pipeline] = engine.put_contexts([("Pipeline", "pipeline")])
    runs = engine.put_contexts([("Run", f"chain-{step}") for step in range(CHAIN_STEPS)])
    executions = engine.put_executions([f"step-{step}" for step in range(CHAIN_STEPS)])
    # Backwards: step 0 is the last one, spine[step] is what it made, spine[step + 1] what it read.
    spine = engine.put_artifacts([artifact(next(numbers)) for _ in range(CHAIN_STEPS + 1)])
    inputs, outputs = [], []
    attributed: list[tuple[int, int]] = []
    shared: list[int] = []
    for step, execution in enumerate(executions):
        own = engine.put_artifacts([artifact(next(numbers)) for _ in range(7 if step < 10 else 8)])
        inputs += [(each, execution) for each in (spine[step + 1], *own, *shared)]
        outputs.append((spine[step], execution))
        attributed += [(each, context) for each in (spine[step], *own) for context in (pipeline, runs[step])]
        shared = list(own[:2]) if step < CHAIN_STEPS - 2 else []
    engine.put_events(inputs, outputs)
    engine.put_attributions(attributed)
    engine.put_associations([(each, pipeline) for each in executions] + list(zip(executions, runs, strict=True)))


# --- work -------------------------------------------------------------------------------------------------------------


def record_step(engine: Engine) -> Call:
    numbers = count()
    contexts = [("Run", "run-0"), ("Pipeline", "pipeline-0")]
    engine.put_contexts(contexts)
    latest = list(engine.put_artifacts([artifact(next(numbers)), artifact(next(numbers))]))

    def call() -> int:
        outputs = [artifact(next(numbers)), artifact(next(numbers))]
        ids = engine.record_step(StepRow(f"step-{outputs[0].name}", latest, outputs, contexts))
        latest[:] = ids.artifacts[-2:]
        return len(ids.artifacts)

    return call


def create(how_many: int) -> Callable[[Engine], Call]:
    def make(engine: Engine) -> Call:
        numbers = count()

        def call() -> int:
            return len(engine.put_artifacts([artifact(next(numbers)) for _ in range(how_many)]))

        return call

    return make


def update(how_many: int) -> Callable[[Engine], Call]:
    def make(engine: Engine) -> Call:
        starts, versions = cycle(range(0, LIBRARY, how_many)), count(1)

        def call() -> int:
            start, version = next(starts), next(versions)
            return engine.update_artifacts(
                range(start + 1, start + 1 + how_many),
                [artifact(number)._replace(step=version) for number in range(start, start + how_many)],
            )

        return call

    return make


def by_ids(engine: Engine) -> Call:
    starts = cycle(range(1, LIBRARY, 97))

    def call() -> int:
        start = next(starts)
        return engine.by_ids([1 + (start + 37 * step) % LIBRARY for step in range(100)])

    return call


def _each(work: Callable[[Engine, int], int], step: int = 61) -> Callable[[Engine], Call]:
    """Do ``work`` on one number of the library after the other, in an order that jumps."""

    def make(engine: Engine) -> Call:
        numbers = cycle(range(0, LIBRARY, step))
        return lambda: work(engine, next(numbers))

    return make


def _where(text: Callable[[int], str]) -> Callable[[Engine], Call]:
    """List by one of 20 filter texts after the other: a service repeats its filters with a few values."""
    return _each(lambda engine, number: engine.artifacts_where(text(number)), step=LIBRARY // 20)


def _filter_of_new_text(engine: Engine) -> Call:
    """Every call brings a text that was never seen before, so that nothing compiled can be used again."""
    bounds = count(1)
    return lambda: engine.artifacts_where(
        f"properties.accuracy.double_value >= 0.999{next(bounds):09} AND contexts_c.type = 'Run' AND type = 'Model'"
    )


def _upstream(hops: int) -> Callable[[Engine], Call]:
    return lambda engine: lambda: engine.upstream(CHAIN_END, hops)


WORKLOADS = (
    Workload(
        "record-step",
        "put_execution: 2 input events, 2 new artifacts with events, 2 contexts reused",
        1,
        empty,
        record_step,
        writes=True,
    ),
    Workload(
        "create-100", "artifacts with 3 properties, 100 a call", 1, empty, create(100), "artifacts", 100, writes=True
    ),
    Workload("create-1", "artifacts with 3 properties, one a call", 1, empty, create(1), "artifacts", writes=True),
    Workload(
        "update-100",
        "artifacts replaced, one property changed, 100 a call",
        1,
        library,
        update(100),
        "artifacts",
        100,
        writes=True,
    ),
    Workload(
        "update-1",
        "artifacts replaced, one property changed, one a call",
        1,
        library,
        update(1),
        "artifacts",
        writes=True,
    ),
    Workload("by-id-100", "100 of 5,000 artifacts by id", 1, library, by_ids),
    Workload("by-uri", "1 of 5,000 by uri", 1, library, _each(lambda engine, n: engine.by_uri(artifact(n).uri))),
    Workload(
        "by-name",
        "1 of 5,000 by type and name",
        1,
        library,
        _each(lambda engine, n: engine.by_type_and_name(artifact(n).type, artifact(n).name)),
    ),
    Workload(
        "contexts-of-artifact",
        "its 2 contexts",
        1,
        library,
        _each(lambda engine, n: engine.contexts_of_artifact(n + 1)),
    ),
    Workload(
        "artifacts-of-context",
        "the 10 artifacts of a run",
        1,
        library,
        _each(lambda engine, n: engine.artifacts_of_context(PIPELINES + 1 + n // EVERY_RUN)),
    ),
    Workload(
        "events-of-artifact", "its 1 or 2 events", 1, library, _each(lambda engine, n: engine.events_of_artifact(n + 1))
    ),
    Workload(
        "filter-range",
        "properties.step.int_value >= N, 5 to 100 of 5,000",
        3,
        library,
        _where(lambda n: f"properties.step.int_value >= {980 + n // 250}"),
    ),
    Workload(
        "filter-equality",
        "properties.step.int_value = N, 5 of 5,000",
        3,
        library,
        _where(lambda n: f"properties.step.int_value = {n // 250}"),
    ),
    Workload(
        "filter-like",
        "uri LIKE 's3://bucket/N/%', 5 of 5,000",
        3,
        library,
        _where(lambda n: f"uri LIKE 's3://bucket/{n // 250}/%'"),
    ),
    Workload(
        "filter-context",
        "contexts_c.name = '...', 10 of 5,000",
        3,
        library,
        _where(lambda n: f"contexts_c.name = 'run-{n // 250}'"),
    ),
    Workload(
        "filter-two-contexts",
        "contexts_a.name, contexts_b.name and type, 5 of 5,000",
        3,
        library,
        _where(
            lambda n: (
                f"contexts_a.name = 'run-{n // 250}' AND contexts_b.name = 'pipeline-{n // 250 % PIPELINES}'"
                " AND type = 'Model'"
            )
        ),
    ),
    Workload(
        "filter-new-text",
        "a range, context type and type, 2 or 3 of 5,000; a new text in each call",
        3,
        library,
        _filter_of_new_text,
    ),
    Workload(
        "page-by-update-time",
        "the 20 last updated of 5,000",
        3,
        library,
        lambda engine: lambda: engine.last_updated(20),
    ),
    Workload("all-8000", "all of 8,000 artifacts", 3, long_list, lambda engine: engine.all_artifacts),
    Workload("lineage-2", "2 hops up", 3, chain, _upstream(2)),
    Workload("lineage-10", "10 hops up", 3, chain, _upstream(10)),
    Workload("lineage-50", "50 hops up", 3, chain, _upstream(50)),
    Workload("lineage-100", "100 hops up: 491 nodes, 586 events", 3, chain, _upstream(100)),
)
