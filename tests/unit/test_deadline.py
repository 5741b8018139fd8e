"""One deadline for a call: what is over neither repeats nor commits."""

from __future__ import annotations

import math
import time
from threading import Thread
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType
from lineage.errors import AbortedError, CancelledError, DeadlineExceededError, InvalidArgumentError
from lineage.seam import deadline as deadlines
from lineage.seam.deadline import current_deadline, limited
from lineage.seam.repeating import before_commit, current_unit, repeated


def busy() -> AbortedError:
    error = AbortedError("the store is busy; try again")
    error.repeatable = True
    return error


def test_the_nearest_deadline_counts() -> None:
    assert current_deadline() is None
    with limited(None) as outermost, limited(60) as outer, limited(1000) as inner, limited(5) as innermost:
        assert outermost.left_s() == math.inf
        assert inner.at_s == outer.at_s
        assert innermost.at_s < outer.at_s
        assert current_deadline() is innermost
    assert current_deadline() is None


def test_a_deadline_is_that_of_its_thread_alone() -> None:
    seen: list[object] = []
    with limited(5):
        thread = Thread(target=lambda: seen.append(current_deadline()))
        thread.start()
        thread.join()
    assert seen == [None]


def test_one_that_is_cancelled_ends_those_within_it() -> None:
    with limited(60) as outer, limited(30) as inner:
        inner.check()
        outer.cancel("the client has gone")
        assert inner.is_over
        with pytest.raises(CancelledError, match=r"^the call was ended: the client has gone"):
            inner.check()


def test_what_is_over_says_how_long_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    with limited(2.5) as deadline:
        monkeypatch.setattr("lineage.seam.deadline.time.monotonic", lambda: deadline.at_s)
        assert deadline.left_s() == 0
        with pytest.raises(DeadlineExceededError, match=r"not done in 2\.5 s; try again, or allow it more time"):
            deadline.check()


def test_a_call_that_is_over_does_not_begin_another_attempt() -> None:
    attempts: list[int] = []

    def attempt() -> None:
        attempts.append(1)
        deadline = current_deadline()
        assert deadline is not None
        deadline.cancel("the client has gone")
        raise busy()

    with limited(60), pytest.raises(AbortedError, match=r"given up after 1 attempt in 0 s; the client has gone$"):
        repeated(attempt)
    assert len(attempts) == 1


def test_repeats_end_with_the_deadline_of_the_call() -> None:
    def attempt() -> None:
        raise busy()

    start = time.monotonic()
    with limited(0.3), pytest.raises(AbortedError, match="given up after"):
        repeated(attempt)
    assert time.monotonic() - start < 0.4


def test_a_call_that_is_over_does_not_commit() -> None:
    with lineage.open_store("memory:") as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        with limited(60) as deadline:
            deadline.cancel("the client has gone")
            with pytest.raises(CancelledError):
                store.put_artifacts([Artifact(type="Data")])
        assert not store.list_artifacts().nodes


@pytest.mark.parametrize("timeout_s", [0, -1, "30", True, math.nan])
def test_a_bad_limit_is_refused(timeout_s: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="timeout_s is a number of seconds above 0"):
        lineage.open_store("memory:", timeout_s=timeout_s)


def test_a_store_limits_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []
    deadline = deadlines.Deadline

    def noted(timeout_s: float | None, outer: object = None) -> deadlines.Deadline:
        seen.append(math.inf if timeout_s is None else timeout_s)
        return deadline(timeout_s)

    cases: list[tuple[dict[str, Any], float]] = [({}, 30), ({"timeout_s": 7}, 7), ({"timeout_s": None}, math.inf)]
    for options, expected in cases:
        with lineage.open_store("memory:", **options) as store:
            monkeypatch.setattr("lineage.seam.deadline.Deadline", noted)
            store.get_artifact_types()
            monkeypatch.undo()
        assert seen.pop() == expected


# --- an attempt without an answer -------------------------------------------------------------------------------------


def lost() -> AbortedError:
    error = busy()
    error.message = "the connection was lost"
    return error


def test_an_attempt_without_an_answer_that_happened_gives_the_result() -> None:
    stored: list[str] = []

    def attempt() -> str:
        unit = current_unit()
        assert unit is not None
        result = before_commit(f"attempt {len(stored) + 1}")
        if not stored:
            stored.append(result)
            unit.unanswered(lambda: "attempt 1" in stored)
            raise lost()
        raise AssertionError("not to be run again: it happened")

    assert repeated(attempt) == "attempt 1"


def test_one_that_happens_late_gives_the_result_of_the_attempt_that_it_was() -> None:
    """The server was still committing when the client looked; the second attempt then finds what is there."""
    looks = iter([False, True])
    attempts: list[str] = []

    def attempt() -> str:
        unit = current_unit()
        assert unit is not None
        attempts.append(before_commit(f"attempt {len(attempts) + 1}"))
        if len(attempts) == 1:
            unit.unanswered(lambda: next(looks))
            raise lost()
        raise lineage.errors.AlreadyExistsError("it is there")

    assert repeated(attempt) == "attempt 1"
    assert attempts == ["attempt 1", "attempt 2"]


def test_where_nobody_can_tell_the_error_says_so() -> None:
    def look() -> bool:
        raise busy()

    def attempt() -> None:
        unit = current_unit()
        assert unit is not None
        unit.unanswered(look)
        raise lost()

    with limited(0.1), pytest.raises(AbortedError, match=r"given up after .* may have been made: read whether"):
        repeated(attempt)
