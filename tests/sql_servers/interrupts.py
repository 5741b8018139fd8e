"""Ctrl-C, alarms and exceptions from other threads in calls on servers: whatever comes, the next call is right.

`test_interrupts.py` runs each of these in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import lineage
from tests.interrupted_calls import (
    Filled,
    fill,
    test_an_exception_that_another_thread_throws_in,
    test_an_interrupt_at_any_moment,
)

__all__ = ["test_an_exception_that_another_thread_throws_in", "test_an_interrupt_at_any_moment"]


@pytest.fixture
def filled(made: str) -> Iterator[Filled]:
    with lineage.open_store(made) as store:
        yield fill(store, many=1000, times=200)
