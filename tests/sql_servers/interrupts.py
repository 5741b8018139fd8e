"""Ctrl-C, alarms and exceptions from other threads in calls on servers: whatever comes, the next call is right.

`test_interrupts.py` runs each of these in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

import lineage
from tests.interrupted_calls import check, fill, works
from tests.interrupting import AlarmError, Interrupted, interrupt_by_alarms, interrupt_from_another_thread

TIMES = 200
MANY = 1000
TRIES = 20 * TIMES


@pytest.fixture
def store(made: str) -> Iterator[lineage.Store]:
    with lineage.open_store(made) as store:
        fill(store, MANY)
        yield store


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one may come in a finalizer
def test_an_interrupt_at_any_moment(store: lineage.Store) -> None:
    written: list[str] = []
    kinds = (Interrupted, AlarmError, KeyboardInterrupt)
    made = works(store, written)
    assert interrupt_by_alarms(made, partial(check, store, MANY), times=TIMES, tries=TRIES, kinds=kinds) == TIMES
    assert {each.name for each in store.list_artifacts("name LIKE 'w%'", limit=None).nodes} >= set(written)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it may come outside of the call
def test_an_exception_that_another_thread_throws_in(store: lineage.Store) -> None:
    made = works(store, [])
    assert interrupt_from_another_thread(made, partial(check, store, MANY), times=TIMES, tries=TRIES) == TIMES
