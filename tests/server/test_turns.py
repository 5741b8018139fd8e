"""Turns of streams: in the order in which they are asked for, and no longer waited for than a call may last."""

from __future__ import annotations

import threading
import time
from contextlib import suppress

import pytest

from lineage.errors import CancelledError, DeadlineExceededError
from lineage.seam.deadline import limited
from lineage.server.turns import Turns


def wait_in(turns: Turns, done: list[int], number: int) -> threading.Thread:
    """Begin to wait for a turn in a thread, and return when that stands in the queue."""
    length = turns.queued

    def take() -> None:
        with turns.turn():
            done.append(number)

    thread = threading.Thread(target=take)
    thread.start()
    ends = time.monotonic() + 30
    while turns.queued == length:
        assert time.monotonic() < ends
        time.sleep(0.001)
    return thread


def test_they_come_in_order() -> None:
    turns, done = Turns(), list[int]()
    with turns.turn():
        threads = [wait_in(turns, done, number) for number in range(5)]
        assert done == []
    for thread in threads:
        thread.join(30)
    assert done == [0, 1, 2, 3, 4]


def test_who_is_out_of_time_or_not_waited_for_leaves_the_queue() -> None:
    turns, done = Turns(), list[int]()
    with turns.turn():
        with limited(0.05), pytest.raises(DeadlineExceededError), turns.turn():
            done.append(-1)
        with limited(None) as deadline:
            timer = threading.Timer(0.05, lambda: deadline.cancel("its caller has gone"))
            timer.start()
            with pytest.raises(CancelledError, match="its caller has gone"), turns.turn():
                done.append(-2)
            timer.join()
        thread = wait_in(turns, done, 1)
    thread.join(30)
    assert done == [1]


def test_a_turn_that_comes_too_late_is_given_on() -> None:
    turns, done = Turns(), list[int]()
    with limited(None) as deadline:
        deadline.cancel("enough")
        with pytest.raises(CancelledError), turns.turn():
            done.append(-1)
    with turns.turn():
        done.append(1)
    assert done == [1]


def test_a_block_that_fails_gives_its_turn_on() -> None:
    turns, done, threads = Turns(), list[int](), list[threading.Thread]()
    with suppress(ZeroDivisionError), turns.turn():
        threads.append(wait_in(turns, done, 1))
        raise ZeroDivisionError
    threads[0].join(30)
    assert done == [1]
