"""What a worker writes down: each call before it is made, and afterwards how it ended.

A line is a JSON object, and one system call writes it: killing the process that wrote it takes nothing of it away.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class Outcome(str, Enum):
    DONE = "done"
    """Acknowledged: it is there."""
    REFUSED = "refused"
    """By a definite error: it is not there."""
    UNKNOWN = "unknown"
    """Nobody said: an error that leaves it open, an interrupt, or the end of the process. There as a whole, or not."""


@dataclass(frozen=True)
class Plan:
    """What the store holds if the call happens."""

    artifacts: tuple[str, ...] = ()
    """Their tokens: every node that a worker makes has a token of its own."""
    executions: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """By token."""
    reads: tuple[int, ...] = ()
    """The artifacts that the execution reads; all others of the plan are made by it."""
    runs: tuple[str, ...] = ()
    """The contexts, by name, that hold the execution and its artifacts."""
    counter: int | None = None
    """The artifact that counts, from ``to - 1`` to ``to``, by compare-and-set."""
    register: tuple[int, str] | None = None
    """The artifact and the property that holds ``to`` from now on; one worker alone writes it."""
    to: int = 0

    @property
    def tokens(self) -> tuple[str, ...]:
        return (*self.artifacts, *self.executions)


@dataclass
class Call:
    """A call, as the journal has it."""

    worker: str
    number: int
    verb: str
    plan: Plan
    outcome: Outcome = Outcome.UNKNOWN
    ids: dict[str, list[int]] = field(default_factory=dict)
    """What an acknowledged call returned: the ids of artifacts, executions and runs, in the order of the plan."""
    error: str = ""
    seen: bool | None = None
    """Whether a later look found what a call of unknown outcome was to make."""

    def __str__(self) -> str:
        return f"{self.verb} {self.number} of {self.worker}"


class Journal:
    def __init__(self, folder: Path, worker: str) -> None:
        self.worker = worker
        self._file = os.open(folder / f"{worker}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self.number = 0

    def begin(self, verb: str, plan: Plan) -> int:
        self.number += 1
        self._write(number=self.number, verb=verb, plan=asdict(plan))
        return self.number

    def end(self, number: int, outcome: Outcome, *, ids: Mapping[str, Iterable[int]] = {}, error: str = "") -> None:
        self._write(
            number=number, outcome=outcome.value, ids={kind: list(each) for kind, each in ids.items()}, error=error
        )

    def saw(self, number: int, *, there: bool) -> None:
        """Note what a look found of an earlier call of unknown outcome."""
        self._write(number=number, seen=there)

    def wrong(self, what: str) -> None:
        """Note what the worker itself saw and must not be."""
        self._write(wrong=what)

    def _write(self, **entry: Any) -> None:
        line = json.dumps({"at": round(time.monotonic(), 3), **entry}) + "\n"
        os.write(self._file, line.encode())


@dataclass
class Record:
    """All journals of a round together."""

    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def count(self, outcome: Outcome) -> int:
        return sum(call.outcome is outcome for call in self.calls)


def read_journals(folder: Path) -> Record:
    record = Record()
    for path in sorted(folder.glob("*.jsonl")):
        calls: dict[int, Call] = {}
        for entry in _entries(path):
            _apply(entry, path.stem, calls, record.wrong.append)
        record.calls += calls.values()
    return record


def _apply(entry: dict[str, Any], worker: str, calls: dict[int, Call], wrong: Callable[[str], None]) -> None:
    if "wrong" in entry:
        wrong(f"{worker}: {entry['wrong']}")
    elif "verb" in entry:
        calls[entry["number"]] = Call(worker, entry["number"], entry["verb"], _plan(entry["plan"]))
    elif "seen" in entry:
        calls[entry["number"]].seen = entry["seen"]
    else:
        call = calls[entry["number"]]
        call.outcome, call.ids, call.error = Outcome(entry["outcome"]), entry["ids"], entry["error"]


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):  # else the process was killed while it wrote
            yield json.loads(line)


def _plan(written: Mapping[str, Any]) -> Plan:
    fields: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in written.items()
    }
    return Plan(**fields)
