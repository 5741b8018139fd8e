"""Workers as processes, and what they wrote down."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lineage
from tests.chaos.journal import Journal, Outcome, Record, read_journals
from tests.chaos.work import SLOTS, prepare
from tests.chaos.worker import STOP, Orders

ROOT = Path(__file__).parents[2]
ENDS_WITHIN_S = 90.0
"""How long a worker may take to end: the call that it is in may wait for a server."""


@dataclass
class Crew:
    """Workers on one store. Left, they are told to stop and have ended."""

    url: str
    folder: Path
    rng: random.Random
    orders: dict[str, Any] = field(default_factory=dict)
    """What all of them are told."""
    crew: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def prepare(self, url: str) -> None:
        """Put types and counters, by a URL that no trouble comes to."""
        self.folder.mkdir(parents=True)
        with lineage.open_store(url) as store:
            self.counters = prepare(store, Journal(self.folder, "first"))

    def start(self, count: int = 1) -> None:
        for _ in range(count):
            number = len(self.crew)
            orders = Orders(
                url=self.url,
                folder=str(self.folder),
                name=f"w{number}",
                seed=f"{self.rng.random()}",
                counters=tuple(self.counters),
                slot=number if number < SLOTS else None,
                **self.orders,
            )
            with (self.folder / f"{orders.name}.err").open("wb") as errors:
                self.crew[orders.name] = subprocess.Popen(
                    [sys.executable, "-m", "tests.chaos.worker", str(orders)], cwd=ROOT, stderr=errors
                )

    def work_for(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait_until_done(self, calls: int, *, within_s: float = 60.0) -> None:
        """Wait until so many more calls were acknowledged."""
        aim, until = self.done() + calls, time.monotonic() + within_s
        while self.done() < aim and time.monotonic() < until:
            time.sleep(0.05)

    def done(self) -> int:
        return sum(path.read_bytes().count(b'"done"') for path in self.folder.glob("*.jsonl"))

    def kill_one(self) -> None:
        """Kill a worker that has begun, as `kill -9` does, and start another."""
        alive = [name for name, worker in self.crew.items() if worker.poll() is None]
        name = self.rng.choice(alive)
        self.crew[name].kill()
        self.crew[name].wait()
        self.start()

    def stop(self) -> Record:
        """Let all come to their end, and return what they wrote down."""
        (self.folder / STOP).touch()
        until = time.monotonic() + ENDS_WITHIN_S
        ends = {name: self._end(worker, until) for name, worker in self.crew.items()}
        record = read_journals(self.folder)
        for name, (status, hung) in ends.items():
            if status not in (0, -signal.SIGKILL):
                record.wrong.append(
                    f"{name} {'hung' if hung else 'ended with the status ' + str(status)}: {self._last_words(name)}"
                )
        return record

    def _end(self, worker: subprocess.Popen[bytes], until: float) -> tuple[int, bool]:
        try:
            return worker.wait(max(0.1, until - time.monotonic())), False
        except subprocess.TimeoutExpired:
            worker.send_signal(signal.SIGABRT)  # faulthandler says where it was
            try:
                return worker.wait(5), True
            except subprocess.TimeoutExpired:
                worker.kill()
                return worker.wait(), True

    def _last_words(self, name: str) -> str:
        return (self.folder / f"{name}.err").read_text(errors="replace")[-3000:]


def told(record: Record) -> str:
    counts = ", ".join(f"{record.count(outcome):,} {outcome.value}" for outcome in Outcome)
    return f"{len(record.calls):,} calls ({counts})"
