"""A process that works on a store until it is told to stop: `python -m tests.chaos.worker ORDERS`."""

from __future__ import annotations

import faulthandler
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import lineage
from lineage import registry
from lineage.api.units import BackendUnits
from lineage.errors import LineageError
from tests.chaos.interrupts import Calm, Interrupts
from tests.chaos.journal import Journal
from tests.chaos.work import Worker

STOP = "stop"
"""The file whose coming tells workers to stop."""
_PARENT = os.getppid()
"""Who started this process; when it is gone, the worker goes, too."""
CALLS_BETWEEN_FORKS = 30
CALLS_OF_A_CHILD = 40
CHILDREN = 3
CHILD_TAKES_S = 60.0


@dataclass(frozen=True)
class Orders:
    """What a worker is told, as JSON."""

    url: str
    folder: str
    name: str
    seed: str
    counters: tuple[int, ...]
    options: dict[str, Any] = field(default_factory=dict)
    """Of `open_store`."""
    slot: int | None = None
    limit_s: float = 40.0
    is_steady: bool = False
    interrupts: bool = False
    forks: bool = False
    clock: bool = False

    def __str__(self) -> str:
        return json.dumps(asdict(self))

    @property
    def has_to_stop(self) -> bool:
        return Path(self.folder, STOP).exists() or os.getppid() != _PARENT


def work(orders: Orders) -> None:
    journal = Journal(Path(orders.folder), orders.name)
    rng = random.Random(orders.seed)
    store = _open(orders, rng)
    if store is None:
        return
    calm = Interrupts(rng) if orders.interrupts else Calm()
    worker = Worker(
        store,
        journal,
        rng,
        list(orders.counters),
        slot=orders.slot,
        limit_s=orders.limit_s,
        is_steady=orders.is_steady,
        calm=calm,
    )
    generation = 0
    while not orders.has_to_stop:
        worker.once()
        if orders.forks and journal.number > (generation + 1) * CALLS_BETWEEN_FORKS:
            generation += 1
            _fork(orders, worker, generation)
    store.close()


def _open(orders: Orders, rng: random.Random) -> lineage.Store | None:
    """Open the store; a server that is away just now comes again."""
    while not orders.has_to_stop:
        try:
            if orders.clock:
                backend = registry.open_backend(orders.url, **orders.options)
                return lineage.Store(BackendUnits(backend, clock=stepping_clock(rng)), url=orders.url)
            return lineage.open_store(orders.url, **orders.options)
        except LineageError as error:  # noqa: PERF203  # it is what the loop is for
            if not error.retryable:
                raise
            time.sleep(0.2)
    return None


def stepping_clock(rng: random.Random) -> Callable[[], int]:
    """Return a clock that stands still, goes on, or is set forward or back by up to five seconds."""
    offset_ms, last_ms = 0, 0

    def clock() -> int:
        nonlocal offset_ms, last_ms
        if rng.random() < 0.2:
            offset_ms = rng.randint(-5000, 5000)
        if rng.random() < 0.7:
            last_ms = time.time_ns() // 1_000_000 + offset_ms
        return last_ms or time.time_ns() // 1_000_000

    return clock


# --- forks ------------------------------------------------------------------------------------------------------------


def _fork(orders: Orders, worker: Worker, generation: int) -> None:
    """Fork children that go on with the open store, as the parent does meanwhile."""
    children = [_child(orders, worker, f"{orders.name}-{generation}-{number}") for number in range(CHILDREN)]
    until = time.monotonic() + CHILD_TAKES_S
    while children:
        worker.once()
        for child in list(children):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                children.remove(child)
                if status:
                    worker.journal.wrong(f"a forked child ended with the status {status}")
            elif time.monotonic() > until:
                os.kill(child, signal.SIGABRT)  # which prints where it hangs
                os.waitpid(child, 0)
                children.remove(child)
                worker.journal.wrong(f"a forked child did not end within {CHILD_TAKES_S:g} s")


def _child(orders: Orders, worker: Worker, name: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        mine = Worker(
            worker.store,
            Journal(Path(orders.folder), name),
            random.Random(f"{orders.seed}/{name}"),
            worker.counters,
            limit_s=orders.limit_s,
            is_steady=orders.is_steady,
        )
        while mine.journal.number < CALLS_OF_A_CHILD:
            mine.once()
    except BaseException as error:  # noqa: BLE001  # a child must not come back into its parent's code
        sys.excepthook(type(error), error, error.__traceback__)
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    faulthandler.enable()  # a worker that hangs is ended by SIGABRT, and says where it was
    work(Orders(**json.loads(sys.argv[1])))
