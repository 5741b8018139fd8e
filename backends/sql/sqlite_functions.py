"""Functions of our own in SQLite: the language's, where SQLite's differ between versions or end at a NUL character.

They are those that the memory store computes with. SQLite has no NaN; in expressions a text stands for it, which none
of its own operators on numbers is ever shown (the renderer knows where one may be).
"""

from __future__ import annotations

import math
import operator
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import count, product
from typing import Any, ClassVar
from weakref import WeakValueDictionary

from cypher import ast
from cypher.ast import ArithmeticOperator, ComparisonOperator, ValueType
from cypher.errors import ComputedTextError
from cypher.evaluation import scalar
from cypher.evaluation.expression import compile_expression
from cypher.functions import FUNCTIONS

__all__ = ["NAN", "Evaluator", "SqliteScalars", "add_functions", "refusal"]

NAN = "'nan'"
_NAN = "nan"
_like = lru_cache(maxsize=256)(scalar.like_matcher)
_NATIVE = frozenset({"LOWER", "UPPER", "COALESCE", "IFNULL", "NULLIF"})
"""The functions that SQLite has with the language's meaning, in every version."""
_COMPARE: Mapping[ComparisonOperator, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_WORDS: Mapping[str, str] = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_TYPES = (ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL)


def _number(value: Any) -> Any:
    return math.nan if value == _NAN else value


def _shown(value: Any) -> Any:
    """Return a result as SQLite takes it."""
    return _NAN if isinstance(value, float) and math.isnan(value) else value


def _on_numbers(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments: _shown(function(*map(_number, arguments)))


def _of_language(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of the language as SQLite calls it: with NaN for its text where a number may be one."""
    overloads = FUNCTIONS[name].overloads
    if not overloads:  # a text among its arguments is no NaN: it is called for numbers only, see `SqliteScalars.call`
        return _on_numbers(function)
    doubles = {at for each in overloads for at, type_ in enumerate(each.parameters) if type_ is ValueType.DOUBLE}
    if not doubles:
        return function
    return lambda *arguments: _shown(
        function(*(_number(value) if at in doubles else value for at, value in enumerate(arguments)))
    )


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    def compared(left: Any, right: Any) -> bool | None:
        return None if left is None or right is None else compare(_number(left), _number(right))

    return compared


def _matches(text: str | None, pattern: str | None) -> bool | None:
    return None if text is None or pattern is None else _like(pattern)(text)


def _cast(source: ValueType, target: ValueType) -> Callable[[Any], Any]:
    convert = scalar.cast(source, target)
    return (lambda value: convert(_number(value))) if source is ValueType.DOUBLE else convert


class Evaluator:
    """An expression that nests too deeply for SQLite's parser, computed here from the values of its leaves."""

    _numbers = count(1)
    known: ClassVar[WeakValueDictionary[int, Evaluator]] = WeakValueDictionary()
    """By number: it is the first argument of the function."""

    def __init__(self, expression: ast.Expression, leaves: Sequence[ast.Expression]) -> None:
        index_of = {leaf: index for index, leaf in enumerate(leaves)}

        def read(leaf: ast.Expression) -> Callable[[Any, Any], Any]:
            index = index_of[leaf]
            if leaf.type is ValueType.DOUBLE:
                return lambda values, _: _number(values[index])
            return lambda values, _: values[index]

        self._evaluate = compile_expression(expression, read)
        self.number = next(self._numbers)
        self.known[self.number] = self

    def __call__(self, values: Sequence[Any]) -> Any:
        return _shown(self._evaluate(values, None))


def _evaluate(number: int, *values: Any) -> Any:
    return Evaluator.known[number](values)


_refused = threading.local()


def refusal() -> ComputedTextError | None:
    """Return, once, why a function refused to go on in this thread: SQLite itself only says that one did."""
    error: ComputedTextError | None = getattr(_refused, "error", None)
    _refused.error = None
    return error


def _refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as one whose refusal is remembered."""

    def refusing(*values: Any) -> Any:
        try:
            return function(*values)
        except ComputedTextError as error:
            _refused.error = error
            raise

    return refusing


def add_functions(connection: sqlite3.Connection) -> None:
    """Add the functions to a connection."""

    def add(name: str, size: int, function: Callable[..., Any]) -> None:
        connection.create_function(f"lineage_{name}", size, function, deterministic=True)

    for name, function in scalar.FUNCTIONS.items():
        add(name.lower(), -1, _refusing(_of_language(name, function)))
    for symbol, word in _WORDS.items():
        add(word, 2, _comparison(_COMPARE[symbol]))  # type: ignore[index]  # the keys are the operators
    for source, target in product(_TYPES, _TYPES):
        add(f"{source.value}_to_{target.value}".lower(), 1, _cast(source, target))
    add("negate", 1, _on_numbers(scalar.negate))
    add("like", 2, _matches)
    add("text", 1, lambda value: bytes.fromhex(value).decode())
    add("double", 1, float.fromhex)
    add("evaluate", -1, _refusing(_evaluate))


class SqliteScalars:
    """See :class:`backends.sql.dialect.Scalars`."""

    def lacks(self, expression: ast.Expression) -> bool:  # noqa: ARG002  # it has our own functions
        return False

    def null(self, kind: ValueType) -> str:  # noqa: ARG002  # a NULL fits all
        return "NULL"

    def compare(self, operator: ComparisonOperator, left: str, right: str, *, may_be_nan: bool) -> str:
        if may_be_nan:
            return f"lineage_{_WORDS[operator]}({left}, {right})"
        return f"({left} {operator} {right})"

    def like(self, text: str, pattern: str) -> str:
        return f"lineage_like({text}, {pattern})"

    def arithmetic(
        self,
        operator: ArithmeticOperator,
        left: str,
        right: str,
        kind: ValueType,  # noqa: ARG002  # SQLite asks the values
        *,
        may_be_nan: bool,
    ) -> str:
        """Compute as SQLite does, which is the language's meaning; what is computed from NaN is NULL."""
        if may_be_nan:
            left, right = f"nullif({left}, {NAN})", f"nullif({right}, {NAN})"
        return f"({left} {operator} {right})"

    def negate(self, value: str, kind: ValueType, *, may_be_nan: bool) -> str:  # noqa: ARG002  # as above
        return f"lineage_negate({value})" if may_be_nan else f"(- {value})"

    def cast(self, value: str, source: ValueType, target: ValueType) -> str:
        if source is target or source is ValueType.NULL:
            return value
        if (source, target) == (ValueType.INT64, ValueType.DOUBLE):
            return f"CAST({value} AS REAL)"
        return f"lineage_{source.value.lower()}_to_{target.value.lower()}({value})"

    def call(self, call: ast.Call, arguments: Sequence[str], *, may_be_nan: bool) -> str:
        function = call.function
        if function == "IFNULL" or (function in _NATIVE and not (function == "NULLIF" and may_be_nan)):
            return f"{function.lower()}({', '.join(arguments)})"
        return f"lineage_{function.lower()}({', '.join(arguments)})"
