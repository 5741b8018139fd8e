"""Every function of the language is whole: in each table of functions, in each way to call it, in a golden line."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import pytest

from cypher import ValueType, ast, parse_filter
from cypher.evaluation.scalar import FUNCTIONS as IN_MEMORY
from cypher.functions import FUNCTIONS, Function, complete
from cypher.rendering.functions import FUNCTIONS as AS_CYPHER
from cypher.rendering.terms import Terms
from cypher.rows import operands_of
from lineage.seam import SCOPES
from tests.neo4j.make_golden import FILTERS

VALUES: Mapping[ValueType, ast.Value] = {
    ValueType.INT64: 2,
    ValueType.DOUBLE: 0.5,
    ValueType.STRING: "ab",
    ValueType.BOOL: True,
}
CALLS = [
    pytest.param(name, types, id=f"{name}({', '.join(kind.value for kind in types)})")
    for name, function in FUNCTIONS.items()
    for types in (
        [overload.parameters for overload in function.overloads]
        or [(kind,) * len(function.parameters) for kind in VALUES]
    )
]


@pytest.mark.parametrize(("name", "types"), CALLS)
def test_every_way_to_call_it_is_computed_and_rendered(name: str, types: tuple[ValueType, ...]) -> None:
    takes_nulls = name in ("COALESCE", "IFNULL", "NULLIF")
    for arguments in product(*((VALUES[kind], None) for kind in types)):
        result = IN_MEMORY[name](*arguments)
        if not takes_nulls or not any(arguments):
            assert (result is None) == (None in arguments)
    terms = Terms("f")
    rendered = AS_CYPHER[name](terms, *(f"n.x{place}" for place in range(len(types))))
    assert all(f"n.x{place}" in rendered for place in range(len(types)))


def test_a_table_that_lacks_a_function_or_has_another_is_refused() -> None:
    whole = dict.fromkeys(FUNCTIONS, 0)
    assert complete(whole, "here") == whole
    for wrong in ({**whole, "NOPE": 0}, {name: 0 for name in FUNCTIONS if name != "TRIM"}):
        with pytest.raises(
            LookupError, match=r"(NOPE|TRIM) is a function in cypher.functions or in here, but not in both"
        ):
            complete(wrong, "here")


def test_every_function_has_a_golden_line() -> None:
    def called(expression: ast.Expression) -> set[tuple[str, int]]:
        found = set[tuple[str, int]]().union(*map(called, operands_of(expression)))
        return found | {(expression.function, len(expression.arguments))} if isinstance(expression, ast.Call) else found

    golden = set[tuple[str, int]]().union(*(called(parse_filter(text, SCOPES[kind]).where) for kind, text in FILTERS))
    wanted = {
        (name, count)
        for name, function in FUNCTIONS.items()
        for count in {len(overload.parameters) for overload in function.overloads} or {len(function.parameters)}
    }
    assert wanted <= golden, "add a filter to FILTERS of tests/neo4j/make_golden.py, and run: make golden"


def test_the_names_of_parameters_fit_the_overloads() -> None:
    for name, function in FUNCTIONS.items():
        assert name == name.upper()
        if function.overloads:
            assert len(function.parameters) == max(len(overload.parameters) for overload in function.overloads)
    three_or_more = Function("", ("x", "y", "z"), is_open=True)
    assert [three_or_more.takes(count) for count in (2, 3, 9)] == [False, True, True]
