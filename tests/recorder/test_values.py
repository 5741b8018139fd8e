"""What the recorder converts, by its one table, and that whatever it converts can be stored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lineage
from lineage import Execution
from lineage.errors import InvalidArgumentError
from lineage.recorder.values import Converter, as_metric


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    HIGH = 3


class Solver(str, Enum):
    ADAM = "adam"


@dataclass
class Settings:
    rate: float
    folder: Path


class Estimator:
    def __init__(self, **parameters: object) -> None:
        self.parameters = parameters

    def get_params(self, deep: bool = True) -> dict[str, object]:
        assert not deep
        return self.parameters


class Other:
    pass


class NAType:
    """As pandas calls the class of its NA."""


TABLE: list[tuple[Any, Any]] = [
    (True, True),
    (3, 3),
    (2**70, "1180591620717411303424"),
    (10**5000, "1" + "0" * 5000),
    (-0.5, -0.5),
    (math.inf, math.inf),
    (Fraction(1, 4), 0.25),
    ("text", "text"),
    (None, None),
    (NAType(), None),
    (Colour.RED, "RED"),
    (Level.HIGH, "HIGH"),
    (Solver.ADAM, "adam"),
    (Path("data") / "iris.csv", "data/iris.csv"),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc), "2026-01-02T03:04:05+00:00"),
    (date(2026, 1, 2), "2026-01-02"),
    (time(3, 4), "03:04:00"),
    (timedelta(minutes=2), 120.0),
    (Decimal("0.10"), "0.10"),
    (b"ab", "2 bytes, sha256:fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603"),
    (np.float32(0.5), 0.5),
    (np.int64(7), 7),
    (np.bool_(True), True),
    (np.str_("text"), "text"),
    (np.datetime64("2026-01-02"), "2026-01-02"),
    (np.array([1.5, 2.5]), [1.5, 2.5]),
    (np.array(3), 3),
    (np.array(["2026-01-02"], dtype="M8[D]"), ["2026-01-02"]),
    ({1: None, "a": (1, {"b": Path("c")})}, {"1": None, "a": [1, {"b": "c"}]}),
    ({3, 1, 2}, [1, 2, 3]),
    (range(3), [0, 1, 2]),
    (Settings(0.1, Path("out")), {"rate": 0.1, "folder": "out"}),
    (
        Estimator(depth=None, inner=Estimator(rate=1)),
        {
            "class": f"{__name__}.Estimator",
            "depth": None,
            "inner": {"class": f"{__name__}.Estimator", "rate": 1},
        },
    ),
    (Other, f"{__name__}.Other"),
    (math.sqrt, "math.sqrt"),
    (Other(), f"{__name__}.Other"),
]


@pytest.mark.parametrize(("value", "recorded"), TABLE, ids=lambda value: type(value).__name__)
def test_a_value_is_converted_as_the_table_says(value: object, recorded: object) -> None:
    converted = Converter().value(value)
    assert (converted, type(converted)) == (recorded, type(recorded))


def test_a_value_that_is_not_a_number_stays_one() -> None:
    assert math.isnan(Converter().value(float("nan")))


def test_a_large_array_is_recorded_by_what_tells_it_from_others() -> None:
    zeros, ones = (Converter().value(np.full((20, 30), value)) for value in (0.0, 1.0))
    assert zeros.startswith("array of (20, 30), float64, sha256:")
    assert zeros != ones


def test_what_is_only_named_is_remembered() -> None:
    converter = Converter()
    converter.value({"a": [Other(), 1], "b": Path()})
    assert converter.only_named == [f"{__name__}.Other"]


def test_parameters_that_are_none_are_left_out() -> None:
    assert Converter().named({"a": None, "b": 1}, "parameters") == {"b": 1}


def test_what_cannot_be_converted_is_refused() -> None:
    circle: list[object] = []
    circle.append(circle)
    for value in (circle, {1: 0, "1": 0}):
        with pytest.raises(InvalidArgumentError):
            Converter().value(value)


def test_parameters_of_a_real_estimator_are_recorded() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    model = make_pipeline(StandardScaler(), FunctionTransformer(np.log1p), RandomForestClassifier(n_estimators=3))
    with lineage.open_store("memory:") as store:
        with lineage.record(store).step("Train", params=model.get_params()) as step:
            pass
        [execution] = store.list_executions()
    assert execution.id == step.execution.id
    properties: Mapping[str, Any] = execution.properties
    assert properties["randomforestclassifier__n_estimators"] == 3
    assert properties["standardscaler"]["class"] == "sklearn.preprocessing._data.StandardScaler"


@pytest.mark.parametrize(
    ("value", "number"), [(1, 1.0), (True, 1.0), (np.float32(0.5), 0.5), (Decimal("0.5"), 0.5), (np.array(2), 2.0)]
)
def test_a_metric_is_a_number(value: object, number: float) -> None:
    metric = as_metric("m", value)
    assert (metric, type(metric)) == (number, float)


@pytest.mark.parametrize("value", ["1", b"1", None, [1], np.array([1, 2]), 10**400, 1j])
def test_a_metric_is_nothing_else(value: object) -> None:
    with pytest.raises(InvalidArgumentError, match="the metric 'm' is a number"):
        as_metric("m", value)


keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.integers() | st.none() | st.booleans()
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary() | st.decimals() | st.dates() | st.datetimes() | st.timedeltas() | st.fractions()
    | st.sampled_from([Colour.RED, Level.HIGH, Solver.ADAM, Path("a"), Other(), Other, len, np.int8(3)])
)  # fmt: skip
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(keys, inner, max_size=4)
)


@given(values)
def test_whatever_is_converted_can_be_stored_and_stays_as_it_is(value: object) -> None:
    try:
        converted = Converter().value(value)
    except InvalidArgumentError as error:
        assert "the same as text" in error.message  # noqa: PT017  # the only reason for these values
        return
    if converted is not None:
        Execution(type="T", properties={"a": converted})
    assert repr(Converter().value(converted)) == repr(converted)
