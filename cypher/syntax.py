"""Tokens to an untyped tree: the grammar, and nothing that depends on names or types.

From loosest to tightest: OR; AND; NOT; comparisons, LIKE, IN, BETWEEN, IS (which do not chain); ``|``; ``&``;
``<< >>``; ``+ -``; ``* /``; unary ``- + ~``. Every node has the half-open range of text that it stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NoReturn, TypeAlias

from cypher.ast import Value, ValueType
from cypher.errors import FilterError, nested_too_deeply, shown
from cypher.literals import read_float, read_integer, read_moment, read_string
from cypher.tokens import Token, tokenize

__all__ = [
    "MAX_CONSTANTS",
    "MAX_DEPTH",
    "MAX_WORDS",
    "Between",
    "Binary",
    "CaseWhen",
    "CastTo",
    "Chain",
    "Constant",
    "ExistsWhere",
    "FunctionCall",
    "InList",
    "Is",
    "Name",
    "Node",
    "Unary",
    "parse_syntax",
]

MAX_DEPTH: Final = 100
"""How deep parentheses and operators may nest; chains of AND and OR are flat."""
MAX_WORDS: Final = 2_000
"""How many names, operators, keywords and parentheses a filter may have: a database takes milliseconds to plan each."""
MAX_CONSTANTS: Final = 50_000
"""How many constants: they stand in lists, and cost next to nothing there."""
_CONSTANTS: Final = frozenset(("integer", "float", "string", "TRUE", "FALSE", "NULL"))


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value
    type: ValueType
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name as written; parentheses around it matter to enumerations."""

    text: str
    start: int
    end: int
    is_parenthesized: bool = False


@dataclass(frozen=True, slots=True)
class Unary:
    """``operator`` is NOT, ``-``, ``+`` or ``~``."""

    operator: str
    operand: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Binary:
    """A comparison, LIKE or an arithmetic operator."""

    operator: str
    left: Node
    right: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chain:
    """``operator`` is AND or OR."""

    operator: str
    operands: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Between:
    operand: Node
    low: Node
    high: Node
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class InList:
    operand: Node
    choices: tuple[Node, ...]
    is_negated: bool
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Is:
    """``operand IS word`` with word NULL, TRUE, FALSE or UNKNOWN, which is NULL for conditions."""

    operand: Node
    word: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CaseWhen:
    subject: Node | None
    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CastTo:
    operand: Node
    target: Name
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class FunctionCall:
    function: Name
    arguments: tuple[Node, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ExistsWhere:
    operand: Node
    start: int
    end: int


Node: TypeAlias = (
    Constant | Name | Unary | Binary | Chain | Between | InList | Is | CaseWhen | CastTo | FunctionCall | ExistsWhere
)

_STATEMENTS: Final = frozenset({"SELECT", "WITH", "FROM", "WHERE"})
_MOMENTS: Final = frozenset({"TIMESTAMP", "DATE"})
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?![\w.])", re.ASCII)
_OR, _AND, _NOT, _COMPARISON, _UNARY = 1, 2, 3, 4, 11
_BINDING: Final = {
    "OR": _OR,
    "AND": _AND,
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">=", "LIKE", "IN", "BETWEEN", "IS", "NOT"), _COMPARISON),
    "|": 5,
    "&": 7,
    "<<": 8,
    ">>": 8,
    "+": 9,
    "-": 9,
    "*": 10,
    "/": 10,
}  # fmt: skip


def parse_syntax(text: str) -> Node:
    """Parse ``text`` into an untyped tree."""
    parser = _Parser(text, tokenize(text))
    if parser.token.kind == "end":
        raise FilterError("the filter is blank; write a condition, or give no filter", text=text, position=0)
    try:
        node = parser.expression(_OR)
    except RecursionError:
        raise nested_too_deeply(text, parser.token.start) from None
    if parser.token.kind != "end":
        parser.fail_unexpected("expected the end of the filter, AND, OR or another operator")
    return node


class _Parser:
    def __init__(self, text: str, tokens: Iterator[Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.words = 0
        self.constants = 0
        self.depth = 0
        self.token = next(tokens)

    def advance(self) -> Token:
        token = self.token
        if token.kind in _CONSTANTS:
            self.constants += 1
            if self.constants > MAX_CONSTANTS:
                self.fail_long(f"constants, of which it may have {MAX_CONSTANTS:,}; ask in parts")
        elif token.kind != ",":
            self.words += 1
            if self.words > MAX_WORDS:
                self.fail_long(
                    f"names, operators and parentheses, of which it may have {MAX_WORDS:,}; "
                    "use IN for many values, or ask in parts"
                )
        self.token = next(self.tokens)
        return token

    def fail_long(self, what: str) -> NoReturn:
        raise FilterError(f"the filter is too long: it has more {what}", text=self.text, position=self.token.start)

    def expect(self, kind: str, purpose: str) -> Token:
        if self.token.kind != kind:
            self.fail_unexpected(f"expected {kind!r} {purpose}")
        return self.advance()

    def fail_unexpected(self, advice: str) -> NoReturn:
        token = self.token
        found = "unexpected end of the filter" if token.kind == "end" else f"unexpected {shown(token.text)}"
        if token.kind == "string" and token.start and self.text[token.start - 1] == self.text[token.start]:
            advice = f"a quote within a text is written \\{self.text[token.start]}"
        raise FilterError(f"{found}; {advice}", text=self.text, position=token.start, length=token.end - token.start)

    def expression(self, minimum: int) -> Node:
        """Parse an expression whose operators bind at least as tightly as ``minimum``."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise FilterError(
                f"the filter nests deeper than {MAX_DEPTH} levels; use fewer parentheses",
                text=self.text, position=self.token.start,
            )  # fmt: skip
        left = self.operand(minimum)
        while (binding := _BINDING.get(self.token.kind, 0)) >= minimum:
            if binding > _COMPARISON:
                operator = self.advance()
                right = self.expression(binding + 1)
                left = Binary(operator.kind, left, right, left.start, right.end)
            elif binding == _COMPARISON:
                left = self.comparison(left)
                if _BINDING.get(self.token.kind) == _COMPARISON:
                    self.fail_unexpected("comparisons do not chain: put parentheses around one of them, or use AND")
            else:
                left = self.chain(left, binding)
        self.depth -= 1
        return left

    def chain(self, first: Node, binding: int) -> Node:
        kind = self.token.kind
        operands = [first]
        while self.token.kind == kind:
            self.advance()
            operands.append(self.expression(binding + 1))
        return Chain(kind, tuple(operands), first.start, operands[-1].end)

    def comparison(self, left: Node) -> Node:
        """Parse what follows ``left``: a comparison operator, or [NOT] LIKE, IN, BETWEEN, or IS [NOT]."""
        operator = self.advance()
        kind = operator.kind
        if kind == "IS":
            is_negated = self.token.kind == "NOT"
            if is_negated:
                self.advance()
            word = self.token.text.upper()
            if word not in ("NULL", "TRUE", "FALSE", "UNKNOWN"):
                self.fail_unexpected("IS takes NULL, TRUE or FALSE; use = to compare with a value")
            node: Node = Is(left, word, left.start, self.advance().end)
        else:
            is_negated = kind == "NOT"
            if is_negated:
                if self.token.kind not in ("LIKE", "IN", "BETWEEN"):
                    self.fail_unexpected("behind an operand, NOT is followed by LIKE, IN or BETWEEN")
                operator = self.advance()
                kind = operator.kind
            if kind == "IN":
                self.expect("(", "and a list of values behind IN")
                choices = self.list_of_expressions("IN takes at least one value")
                end = self.expect(")", "after the values of IN").end
                return InList(left, choices, is_negated, left.start, end)
            if kind == "BETWEEN":
                low = self.expression(_COMPARISON + 1)
                self.expect("AND", "between the two bounds of BETWEEN")
                high = self.expression(_COMPARISON + 1)
                node = Between(left, low, high, left.start, high.end)
            else:
                right = self.expression(_COMPARISON + 1)
                node = Binary(kind, left, right, left.start, right.end)
        return Unary("NOT", node, node.start, node.end) if is_negated else node

    def list_of_expressions(self, when_empty: str) -> tuple[Node, ...]:
        if self.token.kind == ")":
            self.fail_unexpected(when_empty)
        nodes = [self.expression(_OR)]
        while self.token.kind == ",":
            self.advance()
            nodes.append(self.expression(_OR))
        return tuple(nodes)

    def operand(self, minimum: int) -> Node:
        token = self.token
        kind = token.kind
        if kind in {"path", "name"}:
            if token.text.upper() in _STATEMENTS:
                self.fail_unexpected("a filter is one condition, without subqueries and clauses; use EXISTS(condition)")
            self.advance()
            if self.token.kind == "string" and token.text.upper() in _MOMENTS:
                return self.moment(token)
            name = Name(token.text, token.start, token.end)
            return self.call(name) if self.token.kind == "(" else name
        if kind == "string":
            self.advance()
            return Constant(read_string(token, self.text), ValueType.STRING, token.start, token.end)
        if kind == "integer":
            self.refuse_date(token)
            self.advance()
            return Constant(read_integer(token, self.text), ValueType.INT64, token.start, token.end)
        if kind == "float":
            self.advance()
            return Constant(read_float(token), ValueType.DOUBLE, token.start, token.end)
        if kind == "(":
            return self.parenthesized()
        if kind == "NOT" and minimum <= _NOT:
            self.advance()
            operand = self.expression(_NOT)
            return Unary("NOT", operand, token.start, operand.end)
        if kind in ("-", "+", "~"):
            return self.sign()
        if kind in ("TRUE", "FALSE"):
            self.advance()
            return Constant(kind == "TRUE", ValueType.BOOL, token.start, token.end)
        if kind == "NULL":
            self.advance()
            return Constant(None, ValueType.NULL, token.start, token.end)
        if kind == "CASE":
            return self.case()
        if kind == "CAST":
            return self.cast()
        if kind == "EXISTS":
            self.advance()
            self.expect("(", "and a condition behind EXISTS")
            condition = self.expression(_OR)
            return ExistsWhere(condition, token.start, self.expect(")", "after the condition of EXISTS").end)
        if kind == "NOT":
            self.fail_unexpected("put parentheses around NOT and its operand")
        return self.fail_unexpected("expected a name, a value, a function or '('")

    def moment(self, word: Token) -> Node:
        """Parse the text behind TIMESTAMP or DATE: the milliseconds since 1970 that it says."""
        token = self.advance()
        milliseconds = read_moment(read_string(token, self.text))
        if milliseconds is None:
            raise FilterError(
                f"{shown(token.text)} is no time; write {word.text.upper()} '2026-01-31', or with a time and an "
                "offset from UTC: '2026-01-31 23:59:59.999+02:00'",
                text=self.text, position=token.start, length=token.end - token.start,
            )  # fmt: skip
        return Constant(milliseconds, ValueType.INT64, word.start, token.end)

    def refuse_date(self, token: Token) -> None:
        """Refuse a date without quotes, which would be a subtraction of numbers: nobody means the year 2024 by it."""
        date = _DATE.match(self.text, token.start)
        if date is not None and read_moment(date.group()) is not None:
            raise FilterError(
                f"{date.group()} without quotes is a subtraction; write TIMESTAMP '{date.group()}', "
                "or put spaces around the minus signs",
                text=self.text, position=token.start, length=len(date.group()),
            )  # fmt: skip

    def sign(self) -> Node:
        token = self.advance()
        if token.kind == "-" and self.token.kind == "integer":
            number = self.advance()
            return Constant(read_integer(number, self.text, negative=True), ValueType.INT64, token.start, number.end)
        operand = self.expression(_UNARY)
        return Unary(token.kind, operand, token.start, operand.end)

    def parenthesized(self) -> Node:
        start = self.advance().start
        node = self.expression(_OR)
        if self.token.kind == ",":
            self.fail_unexpected("a list of values stands only behind IN and in a function")
        end = self.expect(")", "to close the parenthesis").end
        if isinstance(node, Name):
            return Name(node.text, start, end, is_parenthesized=True)
        return replace(node, start=start, end=end)

    def call(self, function: Name) -> Node:
        self.advance()
        arguments = () if self.token.kind == ")" else self.list_of_expressions("")
        return FunctionCall(
            function, arguments, function.start, self.expect(")", "after the arguments of the function").end
        )

    def case(self) -> Node:
        start = self.advance().start
        subject = None if self.token.kind == "WHEN" else self.expression(_OR)
        branches: list[tuple[Node, Node]] = []
        while not branches or self.token.kind == "WHEN":
            self.expect("WHEN", "in CASE")
            condition = self.expression(_OR)
            self.expect("THEN", "behind the condition of WHEN")
            branches.append((condition, self.expression(_OR)))
        otherwise = None
        if self.token.kind == "ELSE":
            self.advance()
            otherwise = self.expression(_OR)
        return CaseWhen(
            subject, tuple(branches), otherwise, start, self.expect("END", "after the branches of CASE").end
        )

    def cast(self) -> Node:
        start = self.advance().start
        self.expect("(", "behind CAST")
        operand = self.expression(_OR)
        self.expect("AS", "and a type in CAST")
        if self.token.kind != "name":
            self.fail_unexpected("expected a type: INT64, DOUBLE, STRING or BOOL")
        token = self.advance()
        target = Name(token.text, token.start, token.end)
        return CastTo(operand, target, start, self.expect(")", "after the type of CAST").end)
