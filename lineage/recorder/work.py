"""The execution of one step: what is written of it, when, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from lineage.errors import FailedPreconditionError, LineageError
from lineage.model import Artifact, ArtifactState, Context, Event, EventType, Execution, ExecutionState
from lineage.model.arguments import checked_text
from lineage.recorder import heartbeat, surroundings
from lineage.recorder.declared import Declared
from lineage.recorder.files import DIGEST, SIZE
from lineage.recorder.spool import Spool, is_away, patient
from lineage.recorder.values import Converter
from lineage.recorder.writes import UNKNOWN_TYPE, Link, Write, Written, context_of, write_to
from lineage.store import Store

__all__ = ["Target", "Work"]

_logger = logging.getLogger("lineage")
_INTERRUPTS = (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)
_METRICS_EVERY_S = 1.0
"""How long metrics wait at most for each other, so that a loop that gives one each round does not wait for the disk."""


class Target:
    """Where a recorder records: the store, what its types declare, and the contexts of its steps."""

    def __init__(self, store: Store, contexts: Sequence[Context], heartbeat_s: float, folder: Path) -> None:
        self.store = store
        self.contexts = list(contexts)
        self.heartbeat_s = heartbeat_s
        self.folder = folder
        self.declared = Declared(store)
        self.spool = Spool(store, folder)

    def __reduce__(self) -> tuple[type[Target], tuple[Store, list[Context], float, Path]]:
        return Target, (self.store, self.contexts, self.heartbeat_s, self.folder)

    def nested(self, context: Context) -> Target:
        """Return a target within this one: what it cannot send is kept in the same file."""
        inner = Target(self.store, [*self.contexts, context], self.heartbeat_s, self.folder)
        inner.spool, inner.declared = self.spool, self.declared
        return inner

    def write(self, write: Write) -> Written | None:
        """Put it into the store, or keep it while that is away: None then."""
        if not self.spool.sent():
            self.spool.keep(write, None)
            return None
        try:
            with patient():
                for index, context in enumerate(self.contexts):
                    if context.id is None:  # it was begun while the store was away
                        parent = self.contexts[index - 1] if index else None
                        self.contexts[index] = context_of(self.store, context.type or "", context.name or "", parent)
                return write_to(self.store, self.declared, self.contexts, write)
        except LineageError as error:
            if not is_away(error):
                raise
            try:
                self.spool.keep(write, error)
            except OSError:
                _logger.exception("what cannot be sent cannot be kept either")
                raise error from None
            return None


class Work:
    """An execution that runs. It is written whole each time, with the events that are new."""

    def __init__(self, target: Target, type_name: str, parameters: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        self.target = target
        self._process_id = os.getpid()
        self._lock = threading.RLock()
        self.parameters = Converter().named(parameters, "parameters")
        self.metrics: dict[str, float] = {}
        self._facts = dict(facts)
        self._places: Counter[tuple[EventType, str]] = Counter()
        self._key = f"step:{uuid4().hex}"
        self.execution = Execution(type=type_name)
        self._started = time.perf_counter()
        self._written = 0.0
        self._ended = False
        self.heartbeat_s = target.heartbeat_s
        self._facts.update({"start_ms": _now_ms(), heartbeat.HEARTBEAT_S: self.heartbeat_s})
        self.put(ExecutionState.RUNNING)
        heartbeat.start(self)

    @contextmanager
    def recording(self) -> Generator[None, None, None]:
        """Let one thread record. Raises FailedPreconditionError after the end, and in another process."""
        if self._process_id != os.getpid():
            raise FailedPreconditionError(
                f"this step belongs to process {self._process_id}, which began it; begin one of the recorder in "
                f"process {os.getpid()}, or return results and record them there"
            )
        with self._lock:
            if self._ended:
                raise FailedPreconditionError("this step has ended; record within its `with`, or begin another one")
            yield

    def put(self, state: ExecutionState, links: Sequence[Link] = ()) -> Sequence[int] | None:
        """Write the execution as it is now, with links; return the ids of their artifacts, None if it is only kept."""
        self._facts[heartbeat.HEARTBEAT_MS] = _now_ms()
        write = Write(
            key=self._key,
            execution_id=self.execution.id,
            type_name=self.execution.type or "",
            state=state,
            values={**self.parameters, **self.metrics},
            facts=dict(self._facts),
            contexts=tuple((context.type or "", context.name or "") for context in self.target.contexts),
            links=tuple(links),
        )
        written = self.target.write(write)
        self._written = time.monotonic()
        if written is None:
            self.execution = self.execution.model_copy(
                update={"last_known_state": state, "properties": write.values, "custom_properties": write.facts}
            )
            return None
        self.execution = written.execution
        return written.artifact_ids

    def link(self, link: Link, role: str) -> Artifact:
        """Write an event with its artifact, and return that: without an id while the store is away."""
        place = link.type, checked_text(role, "a role")
        placed = replace(link, path=(role, self._places[place]))
        ids = self.put(ExecutionState.RUNNING, [placed])
        self._places[place] += 1
        if ids is not None:
            try:
                with patient():
                    return self.target.store.get_artifact(ids[0])
            except LineageError as error:
                if not is_away(error):
                    raise
        known: dict[str, Any] = {} if link.digest is None else {DIGEST: link.digest, SIZE: link.size}
        self.target.spool.given.add(link.external_id or link.uri)
        return Artifact(
            id=None if ids is None else ids[0],
            type=link.type_name or UNKNOWN_TYPE,
            uri=link.uri,
            external_id=link.external_id,
            state=ArtifactState.LIVE,
            properties=link.values,
            custom_properties=known,
        )

    def keep_metric(self, name: str, number: float) -> None:
        """Keep a metric, and write it if the last write was a second ago."""
        self.metrics[name] = number
        if time.monotonic() - self._written >= _METRICS_EVERY_S:
            self.put(ExecutionState.RUNNING)

    def renew(self) -> None:
        """Write the execution, so that it is seen to run, unless it was written within the interval; never raise."""
        if time.monotonic() - self._written < self.heartbeat_s / 2 or self._process_id != os.getpid():
            return
        if not self.target.spool.sent():  # a sign that comes later is none
            return
        if not self._lock.acquire(blocking=False):  # it is being written
            return
        try:
            if not self._ended:
                self.put(ExecutionState.RUNNING)
        except Exception as error:  # noqa: BLE001  # the thread goes on for the other steps
            _logger.warning("execution/%s gave no sign of life: %s", self.execution.id, error)
        finally:
            self._lock.release()

    def note(self, facts: Mapping[str, Any]) -> None:
        """Keep more facts about the execution, to be written with what comes next."""
        self._facts.update(facts)

    def link_output(self, artifact: Artifact, event: Event) -> None:
        """Record an output that an earlier execution made, in the place that it had there."""
        role, index = event.path[0], event.path[1]
        with self.recording():
            link = Link(EventType.OUTPUT, (str(role), int(index)), artifact_id=artifact.id)
            self.put(ExecutionState.RUNNING, [link])

    def end(self, error: BaseException | None, *, cached: bool = False) -> None:
        """Write how the step ended. In a fork of the process that began it this does nothing: it goes on there.

        With an ``error`` it never raises one of its own: what cannot be recorded is logged then.
        """
        if self._ended or self._process_id != os.getpid():
            return
        heartbeat.stop(self)
        with self._lock:
            self._ended = True
            self._facts["end_ms"] = _now_ms()
            self._facts["duration_s"] = time.perf_counter() - self._started
            self._facts["packages"] = surroundings.packages()
            if error is None:
                self.put(ExecutionState.CACHED if cached else ExecutionState.COMPLETE)
                return
            self._facts.update(surroundings.of_error(error))
            try:
                self.put(ExecutionState.CANCELED if isinstance(error, _INTERRUPTS) else ExecutionState.FAILED)
            except LineageError:
                _logger.exception("the end of execution/%s is not recorded", self.execution.id)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
