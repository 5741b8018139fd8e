"""What is no mistake of the caller's shows where it failed; what a mistake came from stays."""

from __future__ import annotations

import traceback

import pytest

from lineage import Store, open_store
from lineage.api.tracebacks import short_traceback
from lineage.errors import InternalError, NotFoundError


def functions(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


class Failing:
    """A thing whose methods fail."""

    @short_traceback
    def look(self, error: Exception) -> None:
        """Fail beneath."""
        self._look(error)

    def _look(self, error: Exception) -> None:
        raise error from ZeroDivisionError("why")


@pytest.mark.parametrize("error", [InternalError("broken"), KeyError("a fault of ours"), OSError("away")])
def test_a_failure_shows_where_it_failed(error: Exception) -> None:
    with pytest.raises(type(error)) as failed:
        Failing().look(error)
    assert functions(failed.value)[-3:] == ["look", "look", "_look"]


def test_what_a_mistake_came_from_stays() -> None:
    with pytest.raises(NotFoundError) as refused:
        Failing().look(NotFoundError("x"))
    assert functions(refused.value)[-1:] == ["look"]
    assert "_look" not in functions(refused.value)
    assert isinstance(refused.value.__cause__, ZeroDivisionError)


def test_a_mistake_within_a_failure_stays_its_context() -> None:
    def look_after(store: Store, error: Exception) -> None:
        try:
            raise error
        except ValueError:
            store.get_artifact(1)

    with open_store("memory:") as store, pytest.raises(NotFoundError) as refused:
        look_after(store, ValueError("before"))
    assert isinstance(refused.value.__context__, ValueError)


def test_a_method_is_still_one_of_its_module() -> None:
    method = Store.get_artifact
    assert (method.__name__, method.__module__) == ("get_artifact", "lineage.api.nodes")
    assert method.__globals__["__name__"] == "lineage.api.nodes"  # by which doctest finds its examples
