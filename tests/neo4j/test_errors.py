"""Every class of error that the driver has is one of ours."""

from __future__ import annotations

import inspect

import neo4j.exceptions
import pytest

from backends.neo4j.errors import ERRORS, translated
from lineage.errors import InternalError, LineageError

CLASSES = sorted(
    (
        each
        for each in vars(neo4j.exceptions).values()
        if inspect.isclass(each) and issubclass(each, Exception) and each.__module__.startswith("neo4j")
    ),
    key=lambda each: each.__name__,
)


def test_every_class_is_in_the_table() -> None:
    assert set(ERRORS) == set(CLASSES)


@pytest.mark.parametrize("error", CLASSES, ids=lambda each: each.__name__)
def test_every_class_becomes_one_of_ours(error: type[Exception]) -> None:
    ours = translated(error.__new__(error))
    assert isinstance(ours, LineageError)
    assert type(ours) is ERRORS[error][0]
    assert ours.message[0].islower() or ours.message.startswith("Neo4j")


def test_what_passes_is_repeated() -> None:
    repeated = {each.__name__ for each in CLASSES if translated(each.__new__(each)).repeatable}
    assert repeated == {
        "DatabaseUnavailable", "IncompleteCommit", "NotALeader", "ReadServiceUnavailable", "RoutingServiceUnavailable",
        "ServiceUnavailable", "SessionExpired", "TransientError", "WriteServiceUnavailable",
    }  # fmt: skip


def test_a_class_that_comes_later_counts_as_its_base() -> None:
    class NewError(neo4j.exceptions.DatabaseError):
        pass

    assert type(translated(NewError("boom"))) is InternalError
