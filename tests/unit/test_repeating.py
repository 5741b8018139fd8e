"""What is repeated, how often, and how it ends."""

from __future__ import annotations

import logging

import pytest

from lineage.errors import AbortedError, AlreadyExistsError, LineageError
from lineage.seam import repeating
from lineage.seam.repeating import MAX_CLASHES, repeated


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which passes only in sleep."""
    now = [0.0]

    def sleep(delay_s: float) -> None:
        now[0] += delay_s

    monkeypatch.setattr("lineage.seam.deadline.time.monotonic", lambda: now[0])
    monkeypatch.setattr("lineage.seam.repeating.time.sleep", sleep)
    monkeypatch.setattr("lineage.seam.repeating.random.uniform", lambda least, most: (least + most) / 2)
    return now


class Failing:
    """Fails so many times, then answers."""

    def __init__(self, error: type[LineageError], *, repeatable: bool, times: int = 10**9) -> None:
        self.error, self.repeatable, self.times, self.attempts = error, repeatable, times, 0

    def __call__(self) -> str:
        self.attempts += 1
        if self.attempts > self.times:
            return "done"
        error = self.error("the store is busy; try again")
        error.repeatable = self.repeatable
        raise error


def test_what_may_pass_is_repeated_until_it_has_passed() -> None:
    attempt = Failing(AbortedError, repeatable=True, times=20)
    assert repeated(attempt) == "done"
    assert attempt.attempts == 21


def test_what_cannot_pass_is_raised_at_once() -> None:
    attempt = Failing(AbortedError, repeatable=False)
    with pytest.raises(AbortedError, match=r"^the store is busy; try again$"):
        repeated(attempt)
    assert attempt.attempts == 1


def test_what_never_passes_is_given_up_and_the_error_says_so(clock: list[float]) -> None:
    attempt = Failing(AbortedError, repeatable=True)
    with pytest.raises(AbortedError) as caught:
        repeated(attempt)
    assert repeating.CALL_TIMEOUT_S - repeating.LONGEST_DELAY_S < clock[0] <= repeating.CALL_TIMEOUT_S
    told = f"the store is busy; try again; given up after {attempt.attempts} attempts in {clock[0]:.0f} s"
    assert (str(caught.value), caught.value.message) == (told, told)


def test_a_name_that_stays_taken_is_no_race() -> None:
    attempt = Failing(AlreadyExistsError, repeatable=True)
    with pytest.raises(AlreadyExistsError, match=r"^the store is busy; try again$"):
        repeated(attempt)
    assert attempt.attempts == MAX_CLASHES + 1


DEADLOCK = "Neo.TransientError.Transaction.DeadlockDetected"


class DeadlockError(Exception):
    """As drivers have them, with values of the caller in the message."""


def test_what_is_repeated_is_said_at_info_with_the_reason_and_without_a_value(caplog: pytest.LogCaptureFixture) -> None:
    failures: list[BaseException | None] = [DeadlockError("name = 'secret'"), None]

    def attempt() -> str:
        if not failures:
            return "done"
        error = AbortedError("the name 'secret' is busy")
        error.repeatable = True
        error.database_code = DEADLOCK if failures[0] else ""
        raise error from failures.pop(0)

    with caplog.at_level(logging.INFO):
        assert repeated(attempt, "a write") == "done"
    assert {(name, level) for name, level, _ in caplog.record_tuples} == {("lineage", logging.INFO)}
    assert caplog.messages == [
        f"repeating a write after attempt 1 (0.0 s): ABORTED, DeadlockError {DEADLOCK}",
        "repeating a write after attempt 2 (0.0 s): ABORTED",
    ]


def test_what_is_not_repeated_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(AbortedError):
        repeated(Failing(AbortedError, repeatable=False))
    assert repeated(lambda: "done") == "done"
    assert caplog.records == []


def test_an_attempt_that_failed_because_of_one_of_our_own_errors_is_repeated() -> None:
    """Somebody put a type meanwhile: this client knew none of that name, and then found its types to be old."""
    attempts: list[int] = []

    def attempt() -> str:
        attempts.append(1)
        if len(attempts) > 1:
            return "done"
        stale = AbortedError("another client changed the types; try again")
        stale.repeatable = True
        raise stale from AlreadyExistsError("there is no such type")

    assert repeated(attempt) == "done"
