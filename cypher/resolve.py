"""Untyped tree to typed tree: names get their meaning, operands their types, and sugar goes away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn, cast

from cypher import ast, syntax
from cypher.alike import unlike_conditions
from cypher.ast import Expression, Literal, ValueType
from cypher.coercion import cast_literal, coerce, common_type
from cypher.errors import FilterError, near_matches, nested_too_deeply, shown
from cypher.functions import CAST_TYPES, FUNCTIONS
from cypher.literals import read_moment, write_string
from cypher.names import Names, Resolved, split_name
from cypher.scope import Scope

__all__ = ["MAX_COMPUTED", "MAX_COPIES", "MAX_NEIGHBOURS", "MAX_PATTERN", "MAX_PROPERTIES", "MAX_UNLIKE", "resolve"]

_BOOL, _INT64, _DOUBLE, _STRING, _NULL = (
    ValueType.BOOL, ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.NULL,
)  # fmt: skip
_COMPARISONS: Final = frozenset(("=", "!=", "<", "<=", ">", ">="))
MAX_COMPUTED: Final = 64
"""How many values a filter may compute, those in a row (``a + b + c``) as one. A database plans each for long."""
MAX_COPIES: Final = 10_000
"""How many nodes of a tree may be there only because BETWEEN and CASE repeat an operand."""
MAX_NEIGHBOURS: Final = 16
"""How many neighbours a filter may choose, those of each EXISTS among them: each is a join for a database."""
MAX_PATTERN: Final = 50_000
"""How many characters a pattern of LIKE may have, as in SQLite."""
MAX_PROPERTIES: Final = 50
"""How many properties a filter may mention, those of each EXISTS among them."""
MAX_UNLIKE: Final = 120
"""How many conditions that are not alike (:mod:`cypher.alike`): a database takes milliseconds to plan each."""
_INTEGERS_ONLY: Final = frozenset(("&", "|", "<<", ">>", "~"))


def resolve(node: syntax.Node, text: str, scope: Scope) -> ast.Filter:
    """Resolve the tree of a whole filter."""
    resolver = _Resolver(text, Names(scope))
    try:
        where = resolver.condition(node, "a filter")
        conditions = unlike_conditions(where)
    except RecursionError:
        raise nested_too_deeply(text, node.start) from None
    if conditions > MAX_UNLIKE:
        resolver.fail(
            f"the filter has {conditions} conditions that differ in more than their values, of which it may have "
            f"{MAX_UNLIKE}; ask in parts",
            node,
        )
    return ast.Filter(text, scope.kind, where, tuple(resolver.rows))


class _Resolver:
    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names
        self.rows: dict[ast.Row, None] = {}
        self.depth = 0
        self.size = 0
        self.copies = 0
        self.computed = 0
        self.neighbours = 0
        self.properties = 0
        self.is_inside_exists = False

    def fail(self, message: str, node: syntax.Node, *, position: int | None = None) -> NoReturn:
        start = node.start if position is None else position
        raise FilterError(message, text=self.text, position=start, length=1 if position else node.end - start)

    def expression(self, node: syntax.Node) -> Expression:
        self.depth += 1
        self.size += 1
        if self.depth > syntax.MAX_DEPTH:
            self.fail(f"the filter nests deeper than {syntax.MAX_DEPTH} levels; use fewer operators in a row", node)
        result = _RESOLVERS[type(node)](self, node)
        self.depth -= 1
        return result

    def counted(self, node: syntax.Node, copies: int) -> Expression:
        """Resolve an operand that will stand ``copies`` times in the tree, which must not explode."""
        size, computed = self.size, self.computed
        expression = self.expression(node)
        self.compute((self.computed - computed) * (copies - 1), node)
        copied = (self.size - size) * (copies - 1)
        self.size += copied
        self.copies += copied
        if self.copies > MAX_COPIES:
            self.fail("BETWEEN or CASE is nested in its own operand too often; compare with >= and <=", node)
        return expression

    def compute(self, values: int, node: syntax.Node) -> None:
        self.computed += values
        if self.computed > MAX_COMPUTED:
            self.fail(
                f"the filter computes more than {MAX_COMPUTED} values by operators and functions; ask in parts", node
            )

    def condition(self, node: syntax.Node, owner: str) -> Expression:
        expression = self.expression(node)
        if expression.type is _NULL and owner not in ("a filter", "EXISTS"):
            return Literal(None, _BOOL)
        if expression.type is not _BOOL:
            self.fail(f"{owner} needs a condition, not {_a(expression.type)} value; compare it with something", node)
        return expression

    def known(self, node: syntax.Node, operator: str) -> Expression:
        """Resolve an operand that must not be a bare NULL."""
        expression = self.expression(node)
        if expression.type is _NULL:
            self.fail(f"{operator} with NULL is never true; use IS NULL or IS NOT NULL", node)
        return expression

    def unify(self, nodes: Sequence[syntax.Node], expressions: Sequence[Expression], owner: str) -> list[Expression]:
        """Give all expressions their common type, or fail at the first that does not fit those before it."""
        kind = common_type([expression.type for expression in expressions])
        if kind is None:
            for index in range(1, len(nodes)):
                before = common_type([expression.type for expression in expressions[:index]])
                if common_type([expression.type for expression in expressions[: index + 1]]) is None and before:
                    given = expressions[index].type
                    self.fail(
                        f"{owner} cannot mix {before.value} and {given.value}; {_remedy(before, given, nodes[index])}",
                        nodes[index],
                    )
        return [coerce(expression, kind or _INT64) for expression in expressions]

    # --- leaves

    def constant(self, node: syntax.Constant) -> Expression:
        return Literal(node.value, node.type)

    def lookup(self, node: syntax.Name) -> Resolved:
        start = node.start
        while node.is_parenthesized and not self.text.startswith(node.text, start):
            start += 1
        resolved = self.names.resolve(split_name(node.text, start, self.text), self.text)
        row = resolved.expression.row
        if row is not None:
            self.mention(row, node)
        return resolved

    def mention(self, row: ast.Row, node: syntax.Node) -> None:
        if row in self.rows:
            return
        self.rows[row] = None
        if isinstance(row, ast.NeighbourRow):
            self.neighbours += 1
            if self.neighbours > MAX_NEIGHBOURS:
                self.fail(
                    f"the filter has more than {MAX_NEIGHBOURS} neighbours; use fewer aliases, or ask in parts", node
                )
        else:
            self.properties += 1
            if self.properties > MAX_PROPERTIES:
                self.fail(f"the filter has more than {MAX_PROPERTIES} properties; ask in parts", node)

    def name(self, node: syntax.Name) -> Expression:
        return self.lookup(node).expression

    # --- logic

    def chain(self, node: syntax.Chain) -> Expression:
        operands: list[Expression] = []
        kind: type[ast.And | ast.Or] = ast.And if node.operator == "AND" else ast.Or
        for child in node.operands:
            operand = self.condition(child, node.operator)
            if isinstance(operand, (ast.And, ast.Or)) and isinstance(operand, kind):
                operands.extend(operand.operands)
            else:
                operands.append(operand)
        return kind(tuple(operands))

    def exists(self, node: syntax.ExistsWhere) -> Expression:
        if self.is_inside_exists:
            self.fail("EXISTS does not stand inside EXISTS; write two, joined by AND", node)
        outer, self.rows, self.is_inside_exists = self.rows, {}, True
        where: Expression = Literal(True, _BOOL)
        row = self.bare_row(node.operand)
        if row is None:
            where = self.condition(node.operand, "EXISTS")
        else:
            self.mention(row, node.operand)
        rows = tuple(self.rows)
        self.rows, self.is_inside_exists = outer, False
        if not rows:
            self.fail("EXISTS needs a property or a neighbour in its condition; without one, leave EXISTS out", node)
        return ast.Exists(where, rows)

    def bare_row(self, node: syntax.Node) -> ast.Row | None:
        if not isinstance(node, syntax.Name) or node.is_parenthesized:
            return None
        return self.names.row(split_name(node.text, node.start, self.text))

    def is_(self, node: syntax.Is) -> Expression:
        if node.word == "NULL":
            return ast.IsNull(self.expression(node.operand))
        operand = self.expression(node.operand)
        if operand.type is _NULL:
            operand = Literal(None, _BOOL)
        if operand.type is not _BOOL:
            self.fail(
                f"IS {node.word} needs a condition, not {_a(operand.type)} value; use = to compare",
                node.operand,
            )
        return ast.IsNull(operand) if node.word == "UNKNOWN" else ast.IsTruth(operand, node.word == "TRUE")

    # --- comparisons

    def binary(self, node: syntax.Binary) -> Expression:
        operator = node.operator
        if operator in _COMPARISONS:
            return self.compare(node)
        if operator == "LIKE":
            operand, pattern = self.text_operand(node.left), self.text_operand(node.right)
            if isinstance(pattern, Literal) and isinstance(pattern.value, str) and len(pattern.value) > MAX_PATTERN:
                self.fail(f"a pattern has at most {MAX_PATTERN:,} characters; write a shorter one", node.right)
            return ast.Like(operand, pattern)
        return self.arithmetic(node)

    def text_operand(self, node: syntax.Node) -> Expression:
        operand = self.known(node, "LIKE")
        if operand.type is not _STRING:
            self.fail(f"LIKE needs STRING values, not {operand.type.value}; use = or CAST to STRING", node)
        return operand

    def compare(self, node: syntax.Binary) -> Expression:
        operator = cast(ast.ComparisonOperator, node.operator)
        if operator in ("=", "!="):
            found = self.enumeration(node.left, node.right)
            if found is not None:
                member = self.member(found, node.right, node.left)
                return _or_absent(ast.Comparison(operator, found.expression, member), found)
            if isinstance(node.left, syntax.Name) and self.find(node.left) is None:
                found = self.enumeration(node.right, node.left)
                if found is not None:
                    member = self.member(found, node.left, node.right)
                    return _or_absent(ast.Comparison(operator, member, found.expression), found)
        operands = [self.known(child, operator) for child in (node.left, node.right)]
        left, right = self.unify((node.left, node.right), operands, operator)
        return ast.Comparison(operator, left, right)

    def in_list(self, node: syntax.InList) -> Expression:
        found = self.enumeration(node.operand, *node.choices)
        if found is not None:
            choices = tuple(self.member(found, choice, node.operand) for choice in node.choices)
            result = ast.In(found.expression, choices)
            return _or_absent(ast.Not(result), found) if node.is_negated else result
        nodes = (node.operand, *node.choices)
        operand, *rest = self.unify(nodes, [self.expression(child) for child in nodes], "IN")
        result = ast.In(operand, tuple(rest))
        return ast.Not(result) if node.is_negated else result

    def between(self, node: syntax.Between) -> Expression:
        nodes = (node.operand, node.low, node.high)
        first = self.counted(node.operand, copies=2)
        operand, low, high = self.unify(nodes, [first, *map(self.expression, nodes[1:])], "BETWEEN")
        return ast.And((ast.Comparison(">=", operand, low), ast.Comparison("<=", operand, high)))

    def enumeration(self, node: syntax.Node, *others: syntax.Node) -> Resolved | None:
        """Look ``node`` up if it is the bare name of an attribute whose numbers have names, and needs a name beside it.

        Beside numbers alone it is a number itself: ``state IN (2)``.
        """
        if not isinstance(node, syntax.Name) or node.is_parenthesized or all(map(_is_number, others)):
            return None
        resolved = self.find(node)
        return None if resolved is None or resolved.enumeration is None else self.lookup(node)

    def find(self, node: syntax.Name) -> Resolved | None:
        try:
            return self.names.resolve(split_name(node.text, node.start, self.text), self.text)
        except FilterError:
            return None

    def member(self, found: Resolved, node: syntax.Node, subject: syntax.Node) -> Literal:
        """Turn the name of an enumeration's member into its number."""
        members = cast(Mapping[str, int], found.enumeration)
        word = self.text[node.start : node.end]
        if isinstance(node, syntax.Name) and not node.is_parenthesized and word in members:
            return Literal(members[word], _INT64)
        name = self.text[subject.start : subject.end]
        names = ", ".join(members)
        if isinstance(node, syntax.Name):
            advice = near_matches(word, members) or f"; write one of {names}"
        elif isinstance(node, syntax.Constant) and isinstance(node.value, str):
            advice = f"; write one of {names}, without quotes"
        else:
            advice = f"; write one of {names}, or integers only"
        return self.fail(f"{shown(word)} is no name of {name}{advice}", node)

    # --- values

    def unary(self, node: syntax.Unary) -> Expression:
        if node.operator == "NOT":
            return ast.Not(self.negatable(node.operand))
        operand = self.known(node.operand, node.operator)
        if operand.type is not _INT64 and (operand.type is not _DOUBLE or node.operator == "~"):
            wanted = "an integer" if node.operator == "~" else "a number"
            self.fail(f"{node.operator!r} needs {wanted}, not {operand.type.value}; leave it out", node.operand)
        if node.operator == "+":
            return operand
        if node.operator == "~":
            return ast.Arithmetic("-", Literal(-1, _INT64), operand, _INT64)
        if isinstance(operand, Literal) and isinstance(operand.value, (int, float)) and operand.value != -(2**63):
            return Literal(-operand.value, operand.type)
        return ast.Negate(operand, operand.type)

    def negatable(self, node: syntax.Node) -> Expression:
        if isinstance(node, syntax.Constant) and node.type is _NULL:
            self.fail("NOT NULL is never true; leave it out", node)
        return self.condition(node, "NOT")

    def arithmetic(self, node: syntax.Binary) -> Expression:
        operator = cast(ast.ArithmeticOperator, node.operator)
        nodes = (node.left, node.right)
        if operator in ("<<", ">>"):
            operands = [self.expression(child) for child in nodes]
            operands = [coerce(operand, _INT64) if operand.type is _NULL else operand for operand in operands]
        else:
            operands = [self.known(child, operator) for child in nodes]
        allowed = (_INT64,) if operator in _INTEGERS_ONLY else (_INT64, _DOUBLE)
        for child, operand in zip(nodes, operands, strict=True):
            if operand.type not in allowed:
                wanted = "integers" if operator in _INTEGERS_ONLY else "numbers"
                self.fail(
                    f"{operator!r} needs {wanted}, not {operand.type.value}; use CAST, or another operator",
                    child,
                )
        kind = _DOUBLE if operator == "/" or _DOUBLE in (operands[0].type, operands[1].type) else _INT64
        left, right = (coerce(operand, kind) for operand in operands)
        if not (isinstance(left, ast.Arithmetic) and left.type is kind):
            self.compute(2 if operator in ("<<", ">>") else 1, node)
        return ast.Arithmetic(operator, left, right, kind)

    def case(self, node: syntax.CaseWhen) -> Expression:
        results = [result for _, result in node.branches]
        if node.subject is None:
            conditions = [self.condition(condition, "WHEN") for condition, _ in node.branches]
        else:
            nodes = (node.subject, *(value for value, _ in node.branches))
            first = self.counted(node.subject, copies=len(node.branches))
            subject, *values = self.unify(nodes, [first, *map(self.expression, nodes[1:])], "CASE")
            conditions = [ast.Comparison("=", subject, value) for value in values]
        if node.otherwise is not None:
            results.append(node.otherwise)
        values = self.unify(results, [self.expression(result) for result in results], "CASE")
        kind = values[0].type
        otherwise = values.pop() if node.otherwise is not None else Literal(None, kind)
        return ast.Case(tuple(zip(conditions, values, strict=True)), otherwise, kind)

    def cast(self, node: syntax.CastTo) -> Expression:
        target = CAST_TYPES.get(node.target.text.strip("`").upper())
        if target is None:
            self.fail(f"cannot cast to {shown(node.target.text)}; write INT64, DOUBLE, STRING or BOOL", node.target)
        operand = self.expression(node.operand)
        if {operand.type, target} == {_DOUBLE, _BOOL}:
            self.fail(f"cannot cast {operand.type.value} to {target.value}; compare it with a value", node.operand)
        if operand.type is target:
            return operand
        if isinstance(operand, Literal):
            return cast_literal(operand, target) or ast.Cast(operand, target)
        self.compute(4 if operand.type in (_INT64, _DOUBLE) and target is _STRING else 1, node)
        return ast.Cast(operand, target)

    def call(self, node: syntax.FunctionCall) -> Expression:
        name = node.function.text.strip("`").upper()
        function = FUNCTIONS.get(name)
        if function is None:
            advice = near_matches(name, FUNCTIONS) or f"; there are {', '.join(FUNCTIONS)}"
            self.fail(f"unknown function {shown(node.function.text)}{advice}", node.function)
        self.compute(2 if name == "SUBSTR" else 1, node)
        arguments = [self.expression(argument) for argument in node.arguments]
        if function.overloads:
            overload = function.overload([argument.type for argument in arguments])
            if overload is None:
                types = ", ".join(argument.type.value for argument in arguments)
                self.fail(f"{name} does not take ({types}); write {function.signature(name)}", node)
            coerced = [
                coerce(argument, wanted) for argument, wanted in zip(arguments, overload.parameters, strict=True)
            ]
            return ast.Call(name, tuple(coerced), overload.result)
        if not function.takes(len(arguments)):
            self.fail(f"{name} does not take {len(arguments)} arguments; write {function.signature(name)}", node)
        unified = self.unify(node.arguments, arguments, name)
        return ast.Call(name, tuple(unified), unified[0].type)


def _or_absent(condition: ast.Comparison | ast.Not, found: Resolved) -> Expression:
    """Add the absent to ``!=`` and NOT IN of an enumeration; ``=`` stays as it is."""
    if isinstance(condition, ast.Comparison) and condition.operator == "=":
        return condition
    return ast.Or((condition, ast.IsNull(found.expression)))


def _is_number(node: syntax.Node) -> bool:
    """Tell whether this can only be a number: an integer or a computation, but no name, text or NULL."""
    if isinstance(node, syntax.Constant):
        return node.type is _INT64
    return not isinstance(node, syntax.Name)


def _a(kind: ValueType) -> str:
    return f"an {kind.value}" if kind is _INT64 else f"a {kind.value}"


def _remedy(wanted: ValueType, given: ValueType, node: syntax.Node) -> str:
    if isinstance(node, syntax.Constant) and wanted is _STRING:
        return "put the value into quotes"
    if isinstance(node, syntax.Constant) and given is _STRING and wanted in (_INT64, _DOUBLE):
        if read_moment(str(node.value)) is not None:
            return f"times are milliseconds since 1970: write TIMESTAMP {write_string(str(node.value))}"
        return "write the number without quotes"
    if wanted is _BOOL or given is _BOOL:
        return "write TRUE or FALSE beside a BOOL"
    return f"use CAST(... AS {wanted.value})"


_RESOLVERS: Final[dict[type, Callable[[_Resolver, Any], Expression]]] = {
    syntax.Constant: _Resolver.constant,
    syntax.Name: _Resolver.name,
    syntax.Unary: _Resolver.unary,
    syntax.Binary: _Resolver.binary,
    syntax.Chain: _Resolver.chain,
    syntax.Between: _Resolver.between,
    syntax.InList: _Resolver.in_list,
    syntax.Is: _Resolver.is_,
    syntax.CaseWhen: _Resolver.case,
    syntax.CastTo: _Resolver.cast,
    syntax.FunctionCall: _Resolver.call,
    syntax.ExistsWhere: _Resolver.exists,
}
