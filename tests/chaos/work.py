"""What a worker does to a store: steps, nodes, counters, names that several want, and reads that must fit together."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, Store
from lineage.errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidArgumentError,
    LineageError,
    UnavailableError,
)
from tests.chaos.checker import is_torn
from tests.chaos.interrupts import INTERRUPTS, Calm
from tests.chaos.journal import Journal, Outcome, Plan

Result = TypeVar("Result")

EQUAL = tuple(f"p{number}" for number in range(8))
"""Properties that are always written together, with one value: where they differ, a node is torn."""
COUNTERS = 3
SLOTS = 8
"""How many workers may have a register on each counter: a property that they alone write."""

PAUSE_S = 0.05
"""Between a call that failed and the next."""
LOOK_AFTER_S = 2.0
"""How long after a call of unknown outcome its client looks; what is not there by then must never come."""
_OPEN = (UnavailableError, DeadlineExceededError, CancelledError)
"""Errors that leave open whether the call happened."""


def prepare(store: Store, journal: Journal) -> list[int]:
    """Put the types and the counters, and return the counters' ids."""
    whole = dict.fromkeys(("token",), "STRING") | dict.fromkeys(EQUAL, "INT")
    notes = {f"note{slot}": "INT" for slot in range(SLOTS)}
    store.put_types(
        artifact_types=[ArtifactType(name="Data", properties={**whole, **notes})],
        execution_types=[ExecutionType(name="Step", properties={"token": "STRING"})],
        context_types=[ContextType(name="Run")],
    )
    tokens = tuple(f"{journal.worker}/{number}" for number in range(COUNTERS))
    names = {token: f"counter-{number}" for number, token in enumerate(tokens)}
    number = journal.begin("put", Plan(artifacts=tokens, names=names))
    ids = store.put_artifacts(
        Artifact(type="Data", name=names[token], properties={"token": token, **dict.fromkeys(EQUAL, 0)})
        for token in tokens
    )
    journal.end(number, Outcome.DONE, ids={"artifacts": ids})
    return ids


class WrongError(Exception):
    """What a read returned cannot be."""


@dataclass
class Worker:
    store: Store
    journal: Journal
    rng: random.Random
    counters: list[int]
    slot: int | None = None
    """Its own register on each counter; None has none."""
    limit_s: float = 40.0
    """How long a call may take."""
    is_steady: bool = False
    """Nothing that the store stands on fails, so no call may."""
    calm: Calm = field(default_factory=Calm)
    """What may interrupt a call."""

    def __post_init__(self) -> None:
        self.own: int | None = None
        self._own_value = 0
        self._own_update_ms = 0
        self._noted = 0
        self._counts = dict.fromkeys(self.counters, 0)
        self._steps: deque[tuple[str, int, list[int], int]] = deque(maxlen=50)
        """Acknowledged steps: token, execution, artifacts, what it read."""
        self._open: deque[tuple[float, int, str]] = deque()
        """Calls of unknown outcome: when they ended, their number, and the token of an artifact."""

    def once(self) -> None:
        """Make one call, or a few that belong together."""
        if self.own is None:
            self._make_own()
        elif self._open and time.monotonic() > self._open[0][0] + LOOK_AFTER_S:
            self._look()
        else:
            verbs = (self._step, self._put, self._contested, self._refused, self._count, self._note, self._update)
            [verb] = self.rng.choices((*verbs, self._read), weights=(6, 3, 2, 1, 6, 2, 3, 6))
            verb()

    # --- writes -------------------------------------------------------------------------------------------------------

    def _make_own(self) -> None:
        token = self._token()
        done = self._call("put", Plan(artifacts=(token,)), lambda: self.store.put_artifacts([_data(token, value=0)]))
        if done:
            [self.own] = done

    def _step(self) -> None:
        """Record a nameless step of two outputs, in two runs that all share, one old, one new twice a second."""
        token = self._token()
        outputs = (f"{token}.0", f"{token}.1")
        read = self._steps[-1][2][0] if self._steps and self.rng.random() < 0.8 else self.counters[0]
        runs = (f"shared-{int(time.monotonic() * 2)}", f"run-{self.rng.randrange(4)}")
        done = self._call(
            "step",
            Plan(artifacts=outputs, executions=(token,), reads=(read,), runs=runs),
            lambda: self.store.put_execution(
                Execution(type="Step", properties={"token": token}),
                [
                    (None, Event(type="INPUT", artifact_id=read)),
                    *((_data(output), Event(type="OUTPUT")) for output in outputs),
                ],
                [Context(type="Run", name=run) for run in runs],
                reuse_context_if_already_exist=True,
            ),
        )
        if done:
            self._steps.append((token, done.execution_id, done.artifact_ids[1:], read))

    def _put(self) -> None:
        tokens = tuple(self._token() for _ in range(self.rng.randint(1, 3)))
        names = {tokens[0]: f"named-{tokens[0]}"}
        self._call(
            "put",
            Plan(artifacts=tokens, names=names),
            lambda: self.store.put_artifacts([_data(token, name=names.get(token)) for token in tokens]),
        )

    def _contested(self) -> None:
        """Put an artifact of a name that others want, too: one gets it."""
        token, name = self._token(), f"contested-{int(time.monotonic() * 5)}"
        self._call(
            "contested",
            Plan(artifacts=(token,), names={token: name}),
            lambda: self.store.put_artifacts([_data(token, name=name)]),
            may=AlreadyExistsError,
        )

    def _refused(self) -> None:
        """Put three artifacts, one of which must be refused: by the engine, or, as its name is taken, by the store."""
        tokens = tuple(self._token() for _ in range(3))
        name = "counter-0" if self.rng.random() < 0.5 else None
        given = [_data(tokens[0]), _data(tokens[1], name=name), _data(tokens[2])]
        if name is None:
            given[1] = given[1].model_copy(update={"properties": {"nosuch": 1}})
        names = {} if name is None else {tokens[1]: name}
        done = self._call(
            "refused",
            Plan(artifacts=tokens, names=names),
            lambda: self.store.put_artifacts(given),
            may=InvalidArgumentError if name is None else AlreadyExistsError,
        )
        if done:
            self.journal.wrong(f"what must be refused was acknowledged: {given[1]!r}")

    def _count(self) -> None:
        """Count one up, from what was just read, unless somebody else was faster."""
        read = self._get(self.rng.choice(self.counters))
        if read is not None:
            to = read.properties["p0"] + 1
            counted = read.model_copy(update={"properties": {**read.properties, **dict.fromkeys(EQUAL, to)}})
            self._call(
                "count",
                Plan(counter=read.id, to=to),
                lambda: self.store.put_artifacts([counted], abort_if_latest_updated_time_changed=True),
                may=FailedPreconditionError,
            )

    def _note(self) -> None:
        """Set the worker's own register on a counter, by a mask, while others count."""
        if self.slot is None:
            return
        counter, name = self.counters[0], f"note{self.slot}"
        self._noted += 1
        noted = Artifact(id=counter, type="Data", properties={name: self._noted})
        self._call(
            "note",
            Plan(register=(counter, name), to=self._noted),
            lambda: self.store.put_artifacts([noted], update_mask=[f"properties.{name}"]),
        )

    def _update(self) -> None:
        """Replace the artifact that this worker alone changes; its update time grows with each change."""
        assert self.own is not None
        before = self._get(self.own)
        if before is None:
            return
        if before.last_update_time_ms <= self._own_update_ms and before.properties["p0"] != self._own_value:
            times = f"{self._own_update_ms} and then {before.last_update_time_ms}"
            self.journal.wrong(f"two values of artifact {self.own} have the update times {times}")
        self._own_value, self._own_update_ms = before.properties["p0"], before.last_update_time_ms
        to = self.journal.number
        put = Artifact(
            id=self.own, type="Data", properties={"token": before.properties["token"], **dict.fromkeys(EQUAL, to)}
        )
        self._call("update", Plan(register=(self.own, "p0"), to=to), lambda: self.store.put_artifacts([put]))

    # --- reads --------------------------------------------------------------------------------------------------------

    def _read(self) -> None:
        asks = [self._read_counters, self._read_torn]
        if self._steps:
            asks += [self._read_token, self._read_events, self._read_upstream]
        self._reading(self.rng.choice(asks))

    def _reading(self, ask: Callable[[], Result]) -> Result | None:
        return self._call(f"read{ask.__name__.removeprefix('_read')}", Plan(), ask)

    def _get(self, artifact: int) -> Any:
        """Return an artifact, or None if it could not be read."""

        def ask() -> Artifact:
            found = self.store.get_artifacts_by_id([artifact])
            expect([each.id for each in found], [artifact], "ids")
            self._whole(found)
            return found[0]

        return self._reading(ask)

    def _whole(self, found: Iterable[Any]) -> None:
        for each in found:
            if is_torn({name: value for name, value in each.properties.items() if isinstance(value, int)}):
                raise WrongError(f"a torn node: {each!r}")

    def _read_counters(self) -> None:
        asked = self.rng.sample(self.counters, len(self.counters))
        found = {each.id: each for each in self.store.get_artifacts_by_id(asked)}
        expect(set(found), set(asked), "ids")
        self._whole(found.values())
        for counter, artifact in found.items():
            value: Any = artifact.properties["p0"]
            if value < self._counts[counter or 0]:
                raise WrongError(f"counter {counter} was {self._counts[counter or 0]}, and now is {value}")
            self._counts[counter or 0] = value

    def _read_torn(self) -> None:
        expect(list(self.store.list_artifacts("properties.p0.int_value != properties.p7.int_value")), [], "torn nodes")

    def _read_token(self) -> None:
        token, _, artifacts, _ = self.rng.choice(self._steps)
        found = self.store.list_artifacts(_has_token(f"{token}.1"))
        expect([each.id for each in found], artifacts[1:], f"the artifact {token}.1")

    def _read_events(self) -> None:
        _, execution, artifacts, read = self.rng.choice(self._steps)
        events = self.store.get_events_by_execution_ids([execution])
        expect(sorted(event.artifact_id or 0 for event in events), sorted([read, *artifacts]), "events of a step")

    def _read_upstream(self) -> None:
        token, execution, artifacts, read = self.rng.choice(self._steps)
        graph = self.store.upstream(artifact_ids=artifacts[:1], max_hops=2)
        expect(sorted(each.id or 0 for each in graph.artifacts), sorted([read, artifacts[0]]), "upstream artifacts")
        expect([each.id for each in graph.executions], [execution], "upstream executions")
        expect([each.properties["token"] for each in graph.executions], [token], "tokens")

    def _look(self) -> None:
        """Look whether the oldest call of unknown outcome happened."""
        _, number, token = self._open[0]
        found = self._call("look", Plan(), lambda: list(self.store.list_artifacts(_has_token(token))))
        if found is not None:
            self._open.popleft()
            self.journal.saw(number, there=bool(found))

    # --- one call -----------------------------------------------------------------------------------------------------

    def _call(
        self,
        verb: str,
        plan: Plan,
        call: Callable[[], Result],
        *,
        may: type[LineageError] | None = None,
    ) -> Result | None:
        """Make a call, with what the journal must know of it. ``may`` is the refusal that is no surprise."""
        journal, began = self.journal, time.monotonic()
        number = journal.begin(verb, plan)
        result = None
        try:
            result = self.calm.run(call)
        except INTERRUPTS as error:
            self._unknown(number, plan, error)
        except WrongError as error:
            journal.end(number, Outcome.UNKNOWN, error=f"{error}")
            journal.wrong(f"{verb} {number}: {error}")
        except Exception as error:  # noqa: BLE001  # whatever it is, the journal must have it
            if isinstance(error, _OPEN):
                self._unknown(number, plan, error)
                is_expected = not self.is_steady
                time.sleep(PAUSE_S)
            else:
                journal.end(
                    number, Outcome.REFUSED if isinstance(error, LineageError) else Outcome.UNKNOWN, error=_said(error)
                )
                is_expected = isinstance(error, AbortedError) or (may is not None and isinstance(error, may))
            if not is_expected:
                journal.wrong(f"{verb} {number} raised {_said(error)}")
        else:
            journal.end(number, Outcome.DONE, ids=_ids(result) if plan.tokens else {})
        took_s = time.monotonic() - began
        if took_s > self.limit_s:
            journal.wrong(f"{verb} {number} took {took_s:.1f} s")
        return result

    def _unknown(self, number: int, plan: Plan, error: BaseException) -> None:
        self.journal.end(number, Outcome.UNKNOWN, error=_said(error))
        if plan.artifacts:
            self._open.append((time.monotonic(), number, plan.artifacts[0]))

    def _token(self) -> str:
        return f"{self.journal.worker}/{self.journal.number}.{self.rng.randrange(10**6)}"


def expect(found: Any, wanted: Any, what: str) -> None:
    if found != wanted:
        raise WrongError(f"{what}: {str(found)[:300]} instead of {wanted}")


def _data(token: str, *, name: str | None = None, value: int | None = None) -> Artifact:
    equal = {} if value is None else dict.fromkeys(EQUAL, value)
    return Artifact(type="Data", name=name, properties={"token": token, **equal})


def _has_token(token: str) -> str:
    return f"properties.token.string_value = '{token}'"


def _ids(result: Any) -> dict[str, list[int]]:
    """Return the ids of an acknowledgement; for a step, the first artifact is the one that it read."""
    if isinstance(result, list):
        return {"artifacts": result}
    return {
        "artifacts": result.artifact_ids[1:],
        "executions": [result.execution_id],
        "runs": result.context_ids,
    }


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {str(error)[:500]}"
