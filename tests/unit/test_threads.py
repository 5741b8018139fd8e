"""One store, many threads: get-or-create makes one, of those who race for a name one wins, readers see whole writes."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from backends.memory import MemoryBackend
from lineage import Artifact, ArtifactType, Context, Event, Execution, ParentContext, Store, open_store
from lineage.api.units import BackendUnits
from lineage.errors import AlreadyExistsError, FailedPreconditionError, InvalidArgumentError
from tests.conformance.world import World, contents

THREADS = 8
Result = TypeVar("Result")


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    """Let threads take turns a thousand times as often as usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.fixture
def world() -> World:
    return World(open_store("memory:"))


def at_once(work: Callable[[int], Result], threads: int = THREADS) -> list[Result]:
    """Run ``work(0)``, ``work(1)``, ... in as many threads, all started together; raise what any of them raises."""
    barrier = threading.Barrier(threads)

    def run(index: int) -> Result:
        barrier.wait(timeout=30)
        return work(index)

    with ThreadPoolExecutor(threads) as pool:
        return [done.result(timeout=60) for done in [pool.submit(run, index) for index in range(threads)]]


def test_get_or_create_of_a_context_makes_one(world: World) -> None:
    store = world.store

    def record(index: int) -> set[int]:
        made = set()
        for step in range(20):
            result = store.put_execution(
                Execution(type="Trainer", name=f"{index}/{step}"),
                [(Artifact(type="Model", external_id=f"model {step}"), Event(type="OUTPUT"))],
                [Context(type="Run", name="shared")],
                reuse_context_if_already_exist=True,
                reuse_artifact_if_already_exist_by_external_id=True,
            )
            made |= set(result.context_ids)
        return made

    assert at_once(record) == [{1}] * THREADS
    assert [each.name for each in store.list_contexts()] == ["shared"]
    assert len(store.list_artifacts()) == 20
    assert len(store.get_executions_by_context(1)) == 20 * THREADS
    assert len(store.get_events_by_artifact_ids(range(1, 21))) == 20 * THREADS


def test_of_those_who_race_for_a_name_exactly_one_wins(world: World) -> None:
    def race(index: int) -> list[int]:
        won = []
        for turn in range(30):
            with contextlib.suppress(AlreadyExistsError):
                world.store.put_artifacts(
                    [Artifact(type="Model", name=f"n{turn}", external_id=f"e{turn}", custom_properties={"by": index})]
                )
                won.append(turn)
        return won

    winners = at_once(race)
    assert sorted(turn for won in winners for turn in won) == list(range(30))
    for index, won in enumerate(winners):
        for turn in won:
            [artifact] = world.store.get_artifacts_by_external_ids([f"e{turn}"])
            assert (artifact.name, artifact.custom_properties["by"]) == (f"n{turn}", index)


def test_ids_are_unique_and_without_gaps(world: World) -> None:
    def put(index: int) -> list[int]:
        ids: list[int] = []
        for _ in range(25):
            ids += world.store.put_artifacts([Artifact(type="Model"), Artifact(type="DataSet")])
        return ids

    ids = sorted(artifact_id for made in at_once(put) for artifact_id in made)
    assert ids == list(range(1, 50 * THREADS + 1))


def test_readers_see_whole_writes_only(world: World) -> None:
    """Each write sets one number in two artifacts and a context, and adds two executions: a reader never sees half."""
    store = world.store
    artifacts, context_id = [world.artifact(f"a{index}") for index in range(2)], world.context("c")
    done = threading.Event()

    def write() -> None:
        for number in range(150):
            store.put_lineage_subgraph(
                [Execution(type="Trainer"), Execution(type="Trainer")],
                [Artifact(id=each, type="Model", properties={"i": number}) for each in artifacts],
                [Context(id=context_id, type="Run", name="c", properties={"i": number})],
            )
        done.set()

    def read(_: int) -> int:
        seen = 0
        while not done.is_set() or seen == 0:
            numbers = {str(each.properties.get("i")) for each in store.get_artifacts_by_id(artifacts)}
            assert len(numbers) == 1
            assert len(store.list_executions("contexts_c.name = 'c'")) % 2 == 0
            graph = store.get_context_graph(context_id) if seen else None
            if graph is not None and graph.artifacts:
                assert len({str(each.properties.get("i")) for each in (*graph.artifacts, *graph.contexts)}) == 1
            seen += 1
        return seen

    def work(index: int) -> int:
        if index == 0:
            try:
                write()
            finally:
                done.set()
            return 1
        return read(index)

    assert min(at_once(work, threads=4)) >= 1


def test_a_failing_write_is_never_seen(world: World) -> None:
    store = world.store
    world.artifact("good")
    done = threading.Event()

    def work(index: int) -> int:
        if index:
            seen = 0
            while not done.is_set() or seen == 0:
                assert [each.name for each in store.list_artifacts()] == ["good"]
                assert store.list_executions().nodes == ()
                seen += 1
            return seen
        try:
            for _ in range(150):
                with pytest.raises(InvalidArgumentError):
                    store.put_execution(
                        Execution(type="Trainer"),
                        [(Artifact(type="Model", name="bad"), Event(type="OUTPUT")), (Artifact(id=99), None)],
                    )
        finally:
            done.set()
        return 1

    assert min(at_once(work, threads=4)) >= 1


def test_no_update_is_lost_with_compare_and_set(world: World) -> None:
    """Every thread counts to 25 in the same property; whoever comes second reads again."""
    artifact_id = world.artifact("counter", properties={"i": 0})

    def count(_: int) -> int:
        retries = 0
        for _turn in range(25):
            while True:
                read = world.read_artifact(artifact_id)
                number: Any = read.properties["i"]
                try:
                    world.store.put_artifacts(
                        [read.model_copy(update={"properties": {"i": number + 1}})],
                        abort_if_latest_updated_time_changed=True,
                    )
                    break
                except FailedPreconditionError:
                    retries += 1
        return retries

    at_once(count, threads=4)
    assert world.read_artifact(artifact_id).properties["i"] == 100


def test_types_put_at_once_are_made_once(world: World) -> None:
    def put(index: int) -> tuple[int, ...]:
        ids = []
        for turn in range(10):
            given = ArtifactType(name=f"T{turn}", properties={"shared": int, f"p{index}": str})
            ids.append(world.store.put_artifact_type(given, can_add_fields=True, can_omit_fields=True))
            world.store.put_artifacts([Artifact(type=f"T{turn}", properties={f"p{index}": "x"})])
        return tuple(ids)

    assert len(set(at_once(put))) == 1
    for turn in range(10):
        properties = world.store.get_artifact_type(f"T{turn}").properties
        assert set(properties) == {"shared", *(f"p{index}" for index in range(THREADS))}


def test_no_cycle_can_be_made_from_two_sides(world: World) -> None:
    ids = [world.context(f"c{index}") for index in range(THREADS)]

    def link(index: int) -> bool:
        """Thread k makes k a part of k + 1: all of them together would close a ring."""
        try:
            world.store.put_parent_contexts([ParentContext(child_id=ids[index], parent_id=ids[(index + 1) % THREADS])])
        except InvalidArgumentError:
            return False
        return True

    assert sorted(at_once(link)) == [False] + [True] * (THREADS - 1)


def test_iterating_while_others_write_ends_and_repeats_nothing(world: World) -> None:
    store: Store = world.store
    store.put_artifacts([Artifact(type="Model") for _ in range(2500)])

    def work(index: int) -> list[int | None]:
        if index % 2:
            for _ in range(40):
                store.put_artifacts([Artifact(type="Model") for _ in range(5)])
            return []
        return [each.id for each in store.iter_artifacts(order_by="CREATE_TIME")]

    for walked in at_once(work, threads=4)[::2]:
        assert len(walked) == len(set(walked))
        assert set(range(1, 2501)) <= set(walked)
    assert len(contents(store)["artifacts"]) == 2500 + 2 * 200


def test_closing_waits_for_the_call_that_runs_and_refuses_those_that_wait() -> None:
    backend = MemoryBackend()
    store = Store(BackendUnits(backend))
    outcomes: list[str] = []

    def call() -> None:
        try:
            store.list_artifacts()
            outcomes.append("answered")
        except FailedPreconditionError:
            outcomes.append("refused")

    waiting = [threading.Thread(target=call) for _ in range(4)]
    closing = threading.Thread(target=store.close)
    with backend.transaction():
        for thread in [*waiting, closing]:
            thread.start()
    for thread in [*waiting, closing]:
        thread.join(timeout=10)
        assert not thread.is_alive()
    assert len(outcomes) == len(waiting)
    call()
    assert outcomes[-1] == "refused"
