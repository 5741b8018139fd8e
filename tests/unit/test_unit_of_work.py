"""What is repeated, how often, and how it ends."""

from __future__ import annotations

import pytest

from lineage import unit_of_work
from lineage.errors import AbortedError, AlreadyExistsError, LineageError
from lineage.unit_of_work import MAX_CLASHES, repeated


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which passes only in sleep."""
    now = [0.0]

    def sleep(delay_s: float) -> None:
        now[0] += delay_s

    monkeypatch.setattr("lineage.unit_of_work.time.monotonic", lambda: now[0])
    monkeypatch.setattr("lineage.unit_of_work.time.sleep", sleep)
    monkeypatch.setattr("lineage.unit_of_work.random.uniform", lambda least, most: (least + most) / 2)
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
    assert unit_of_work.REPEAT_FOR_S < clock[0] <= unit_of_work.REPEAT_FOR_S + unit_of_work.LONGEST_DELAY_S
    told = f"the store is busy; try again; given up after {attempt.attempts} attempts in {clock[0]:.0f} s"
    assert (str(caught.value), caught.value.message) == (told, told)


def test_a_name_that_stays_taken_is_no_race() -> None:
    attempt = Failing(AlreadyExistsError, repeatable=True)
    with pytest.raises(AlreadyExistsError, match=r"^the store is busy; try again$"):
        repeated(attempt)
    assert attempt.attempts == MAX_CLASHES + 1
