"""The error tree: MLMD's and gRPC's numbers, what can be retried, what else an error is."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from lineage import LineageError, errors
from lineage.errors import near_matches, short_repr

CODES = {
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}
CLASSES: list[type[LineageError]] = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, LineageError) and LineageError in each.__bases__
]


def test_there_is_one_class_for_each_status() -> None:
    assert {each.status: each.code for each in CLASSES} == CODES
    assert len(CLASSES) == 16


@pytest.mark.parametrize("error", CLASSES)
def test_a_class_is_named_after_its_status_exported_and_documented(error: type[LineageError]) -> None:
    assert error.__name__ == error.status.title().replace("_", "") + "Error"
    assert error.__name__ in errors.__all__
    assert error.__doc__
    assert errors.__doc__ is not None
    [line] = [line for line in errors.__doc__.splitlines() if f" {error.__name__} " in line]
    assert f" {error.code} " in f"{line} "
    assert ("retryable" in line) is error.retryable


def test_a_missing_package_is_one_class_of_error_that_says_what_to_do() -> None:
    error = errors.MissingPackageError("neo4j://", "neo4j", "neo4j", "neo4j")
    assert isinstance(error, errors.FailedPreconditionError)
    assert isinstance(error, ImportError)
    assert (error.name, error.code) == ("neo4j", 9)
    assert str(error) == error.message
    assert error.message == (
        "neo4j:// needs the package neo4j; install it with: pip install 'lineage-graph[neo4j]', or in a clone of the "
        "repository: pip install '.[neo4j]'"
    )


def test_what_can_be_retried() -> None:
    assert {each.status for each in CLASSES if each.retryable} == {
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "ABORTED",
        "UNAVAILABLE",
    }


def test_errors_are_also_what_python_calls_them() -> None:
    assert issubclass(errors.InvalidArgumentError, ValueError)
    assert issubclass(errors.NotFoundError, LookupError)


@pytest.mark.parametrize("error", CLASSES)
def test_an_error_survives_copying_and_pickling(error: type[LineageError]) -> None:
    raised = error("no such thing; look again")
    for each in (copy.copy(raised), copy.deepcopy(raised), pickle.loads(pickle.dumps(raised))):
        assert type(each) is error
        assert each.message == str(each) == "no such thing; look again"


def test_near_matches_are_the_nearest_three() -> None:
    assert near_matches("Modle", ["Model", "Module", "Mode", "Models", "x"]).count("'") == 6
    assert near_matches("q", ["Model"]) == ""
    assert near_matches("q", []) == ""


class _Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_any_value_can_be_shown() -> None:
    endless: list[object] = []
    for _ in range(100_000):
        endless = [endless]
    assert short_repr("x") == "'x'"
    assert short_repr("x" * 300) == f"'{'x' * 199}..."
    assert short_repr(list(range(1000))).endswith("...")
    assert short_repr(-(10**5000)) == "an int of 16610 bits"
    assert short_repr([10**5000]) == "a value of type list that cannot be shown"
    assert short_repr(endless) == "a value of type list that cannot be shown"
    assert short_repr(_Broken()) == "a value of type _Broken that cannot be shown"
    assert len(short_repr(b"x" * 10**6)) == 203
