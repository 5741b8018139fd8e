"""The kinds of trouble. Each makes it for a while, and says what it did."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import lineage
from tests.chaos.checker import check
from tests.chaos.crew import Crew, told
from tests.chaos.interrupts import INTERRUPTS
from tests.chaos.journal import Record
from tests.chaos.places import ServedStore, served_here
from tests.chaos.proxy import CUTS, Fault, Proxy
from tests.chaos.state import read_state
from tests.chaos.worker import stepping_clock
from tests.servers.neo4j import Neo4jServer

WRITERS = 3
CALLS_BETWEEN_KILLS = 30
NOTHING_CHANGES_FOR_S = 2.0
"""How long after the last writer the store is read again: nothing may come late."""


@dataclass
class Round:
    """One round of one trouble."""

    name: str
    seconds: float
    rng: random.Random
    folder: Path
    neo4j: Callable[[], Neo4jServer]
    """An empty database; the server starts when it is first asked for."""

    def __post_init__(self) -> None:
        self.did = ""
        self.wrong: list[str] = []
        self.record = Record()
        self._until = time.monotonic() + self.seconds

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self._until

    @contextmanager
    def crew(self, url: str, truth: str | None = None, **orders: object) -> Generator[Crew, None, None]:
        """Let workers work; then compare what they wrote down with the store, which ``truth`` opens."""
        crew = Crew(url, self.folder / self.name, self.rng, dict(orders))
        crew.prepare(truth or url)
        try:
            crew.start(WRITERS)
            crew.wait_until_done(WRITERS * 10)
            self._until = time.monotonic() + self.seconds
            yield crew
        finally:
            self.record = crew.stop()
        with lineage.open_store(truth or url) as store:
            state = read_state(store)
            time.sleep(NOTHING_CHANGES_FOR_S)
            self.wrong = check(self.record, state)
            if read_state(store) != state:
                self.wrong.append("the store changed after everybody had stopped")

    def __str__(self) -> str:
        verdict = "nothing wrong" if not self.wrong else f"{len(self.wrong)} WRONG"
        return f"{self.name:<22} {self.did}; {told(self.record)}: {verdict}"


# --- kills ------------------------------------------------------------------------------------------------------------


def neo4j_killed(round_: Round) -> None:
    server = round_.neo4j()
    kills = 0
    with round_.crew(server.url) as crew:
        while round_.goes_on:
            time.sleep(round_.rng.uniform(0, 0.5))
            server.kill()
            server.start()
            kills += 1
            crew.wait_until_done(CALLS_BETWEEN_KILLS)
    round_.did = f"{kills} kills of Neo4j"


def server_killed(round_: Round) -> None:
    neo4j = round_.neo4j()
    kills = 0
    with ServedStore(neo4j.url) as server, round_.crew(server.url, neo4j.url, options=_PATIENT) as crew:
        while round_.goes_on:
            time.sleep(round_.rng.uniform(0, 0.5))
            server.kill()
            server.start()
            kills += 1
            crew.wait_until_done(CALLS_BETWEEN_KILLS)
    round_.did = f"{kills} kills of the server"


def clients_killed(round_: Round) -> None:
    _kill_clients(round_, round_.neo4j().url)


def sqlite_killed(round_: Round) -> None:
    _kill_clients(round_, f"sqlite:///{round_.folder}/killed.db")


def _kill_clients(round_: Round, url: str) -> None:
    kills = 0
    with round_.crew(url, is_steady=True) as crew:
        while round_.goes_on:
            crew.wait_until_done(CALLS_BETWEEN_KILLS)
            crew.kill_one()
            kills += 1
    round_.did = f"{kills} kills of clients"


# --- connections ------------------------------------------------------------------------------------------------------


def neo4j_cut(round_: Round) -> None:
    server = round_.neo4j()
    port = urlsplit(server.bolt_url).port
    assert port is not None
    with Proxy(port, round_.rng) as proxy:
        url = server.url.replace(f":{port}", f":{proxy.port}")
        with round_.crew(url, server.url):
            round_.did = _strike(round_, proxy)


def server_cut(round_: Round) -> None:
    with (
        ServedStore("memory:") as server,
        Proxy(server.port, round_.rng) as proxy,
        round_.crew(f"grpc://127.0.0.1:{proxy.port}", server.url, options=_PATIENT),
    ):
        round_.did = _strike(round_, proxy)


def _strike(round_: Round, proxy: Proxy) -> str:
    struck: Counter[Fault] = Counter()
    while round_.goes_on:
        fault = round_.rng.choices((*CUTS, Fault.STALL), weights=(3, 3, 3, 1))[0]
        struck[fault] += proxy.strike(fault)
        time.sleep(round_.rng.uniform(0, 0.1))
    return f"{sum(struck[cut] for cut in CUTS)} connections cut, {struck[Fault.STALL]} stalled"


# --- clients ----------------------------------------------------------------------------------------------------------


@contextmanager
def _neo4j(round_: Round) -> Generator[str, None, None]:
    yield round_.neo4j().url


@contextmanager
def _server(_: Round) -> Generator[str, None, None]:
    with ServedStore("memory:") as server:
        yield server.url


@contextmanager
def _sqlite(round_: Round) -> Generator[str, None, None]:
    yield f"sqlite:///{round_.folder}/{round_.name}.db"


Trouble: TypeAlias = Callable[[Round], None]
Place: TypeAlias = Callable[[Round], AbstractContextManager[str]]
"""Opens the store that is written to; gives its URL."""


def _interrupted(place: Place) -> Trouble:
    def trouble(round_: Round) -> None:
        with place(round_) as url, round_.crew(url, is_steady=True, interrupts=True):
            time.sleep(round_.seconds)
        names = tuple(each.__name__ for each in INTERRUPTS)
        round_.did = f"{sum(call.error.startswith(names) for call in round_.record.calls)} interrupts"

    return trouble


def _forked(place: Place) -> Trouble:
    def trouble(round_: Round) -> None:
        with place(round_) as url, round_.crew(url, is_steady=True, forks=True):
            time.sleep(round_.seconds)
        round_.did = f"{len({call.worker for call in round_.record.calls if '-' in call.worker})} forked children"

    return trouble


# --- clocks -----------------------------------------------------------------------------------------------------------


def neo4j_clock(round_: Round) -> None:
    server = round_.neo4j()
    with round_.crew(server.url, is_steady=True, clock=True):
        time.sleep(round_.seconds)
    round_.did = "clocks that step and stand still"


def memory_clock(round_: Round) -> None:
    with served_here("memory:", stepping_clock(round_.rng)) as url, round_.crew(url, is_steady=True):
        time.sleep(round_.seconds)
    round_.did = "a clock that steps and stands still"


_PATIENT = {"timeout_s": 20.0}

TROUBLES: dict[str, Trouble] = {
    "neo4j-killed": neo4j_killed,
    "server-killed": server_killed,
    "clients-killed": clients_killed,
    "sqlite-killed": sqlite_killed,
    "neo4j-cut": neo4j_cut,
    "server-cut": server_cut,
    "neo4j-interrupted": _interrupted(_neo4j),
    "server-interrupted": _interrupted(_server),
    "sqlite-interrupted": _interrupted(_sqlite),
    "neo4j-forked": _forked(_neo4j),
    "server-forked": _forked(_server),
    "sqlite-forked": _forked(_sqlite),
    "neo4j-clock": neo4j_clock,
    "memory-clock": memory_clock,
}
