"""Ctrl-C, alarms and exceptions from other threads in calls on servers: whatever comes, the next call is right.

`test_interrupts.py` runs each of these in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lineage
from tests.interrupted_calls import any_moment, fill, from_another_thread

TIMES = 200
MANY = 1000


@pytest.fixture
def store(made: str) -> Iterator[lineage.Store]:
    with lineage.open_store(made) as store:
        fill(store, MANY)
        yield store


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # one may come in a finalizer
def test_an_interrupt_at_any_moment(store: lineage.Store) -> None:
    any_moment(store, MANY, TIMES)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # it may come outside of the call
def test_an_exception_that_another_thread_throws_in(store: lineage.Store) -> None:
    from_another_thread(store, MANY, TIMES)
