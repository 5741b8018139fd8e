"""Sessions of the driver are used again, each by one thread at a time; one in which something failed is not."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import neo4j
import pytest
from neo4j.exceptions import CypherSyntaxError

from backends.neo4j.connection import parse_address
from backends.neo4j.sessions import Sessions, Statements
from tests.servers.neo4j import Neo4jServer

NOTHING = "RETURN 1"


@pytest.fixture
def sessions(url: str, neo4j_server: Neo4jServer) -> Iterator[Sessions]:
    sessions = Sessions(neo4j_server.driver, parse_address(url).database)
    yield sessions
    sessions.close()


def used(sessions: Sessions, *, write: bool = False, statement: str = NOTHING) -> neo4j.Session:
    with sessions.one(write=write) as session:
        text: object = statement
        session.run(text).consume()  # type: ignore[arg-type]  # the driver wants a literal
    return session


def test_one_after_the_other_use_the_same(sessions: Sessions) -> None:
    reading, writing = used(sessions), used(sessions, write=True)
    assert reading is not writing, "on a cluster they go to different servers"
    assert used(sessions) is reading
    assert used(sessions, write=True) is writing


def test_a_session_in_which_something_failed_is_closed(sessions: Sessions) -> None:
    first = used(sessions)
    with pytest.raises(CypherSyntaxError):
        used(sessions, statement="NONSENSE")
    assert first.closed()
    assert used(sessions) is not first


def test_a_unit_of_work_that_is_interrupted_closes_its_session(sessions: Sessions) -> None:
    statements = Statements(sessions, write=True)
    statements.begin()
    statements.run("CREATE (:Interrupted)", {})
    statements.close(KeyboardInterrupt())
    with sessions.one(write=True) as session:
        assert session.run("MATCH (n:Interrupted) RETURN count(n)").values() == [[0]]


def test_threads_at_the_same_time_use_different_ones(sessions: Sessions) -> None:
    barrier = Barrier(8)

    def use() -> int:
        with sessions.one(write=False) as session:
            barrier.wait(30)
            assert session.run(NOTHING).values() == [[1]]
            barrier.wait(30)
            return id(session)

    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            assert len({each.result() for each in [threads.submit(use) for _ in range(8)]}) == 8


def test_one_that_is_in_use_when_the_store_is_closed_is_closed_after_it(sessions: Sessions) -> None:
    idle = used(sessions)
    with sessions.one(write=True) as session:
        sessions.close()
        assert idle.closed()
        assert session.run(NOTHING).values() == [[1]]
    assert session.closed()


def test_a_session_sees_what_another_one_wrote(sessions: Sessions) -> None:
    """Their bookmarks are the same, which is what a cluster needs."""
    used(sessions)
    assert sessions.bookmarks is not None
    before = set(sessions.bookmarks.get_bookmarks())
    used(sessions, write=True, statement="CREATE (:Bookmarked)")
    assert set(sessions.bookmarks.get_bookmarks()) != before
