"""Ctrl-C, alarms, and exceptions from other threads: whatever comes in the middle of a call, the next one is right.

`test_interrupts.py` runs each of these in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

import lineage
from tests.interrupted_calls import check, fill, works
from tests.interrupting import AlarmError, Interrupted, interrupt_by_alarms, interrupt_from_another_thread

TIMES = 100
MANY = 3000
TRIES = 10 * TIMES


@pytest.fixture
def store(url: str) -> Iterator[lineage.Store]:
    with lineage.open_store(url) as store:
        fill(store, MANY)
        yield store


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one may come in a finalizer
def test_an_interrupt_at_any_moment(store: lineage.Store) -> None:
    written: list[str] = []
    kinds = (Interrupted, AlarmError)
    made = works(store, written)
    assert interrupt_by_alarms(made, partial(check, store, MANY), times=TIMES, tries=TRIES, kinds=kinds) == TIMES
    assert {each.name for each in store.list_artifacts("name LIKE 'w%'", limit=None).nodes} >= set(written)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it may come outside of the call
def test_an_exception_that_another_thread_throws_in(store: lineage.Store) -> None:
    made = works(store, [])
    assert interrupt_from_another_thread(made, partial(check, store, MANY), times=TIMES, tries=TRIES) == TIMES
