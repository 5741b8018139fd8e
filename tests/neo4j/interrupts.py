"""Ctrl-C, alarms, and exceptions from other threads: whatever comes in the middle of a call, the next one is right.

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
def filled(url: str) -> Iterator[Filled]:
    with lineage.open_store(url) as store:
        yield fill(store, many=3000, times=100)
