"""Typed trees as short text, for fixtures: ``(= id 5)``, ``(and (like name 'a%') (null contexts_a.id))``."""

from __future__ import annotations

from cypher import Filter, ast


def render_filter(parsed: Filter) -> str:
    """Render the tree, and the rows behind it when there are any."""
    rows = _rows(parsed.rows)
    return _render(parsed.where) + (f" with {rows}" if rows else "")


def _rows(rows: tuple[ast.Row, ...]) -> str:
    return ", ".join(
        f"{row.family}.{row.key!r}" if isinstance(row, ast.PropertyRow) else f"{row.neighbour}:{row.alias}"
        for row in rows
    )


def _render(node: ast.Expression) -> str:
    match node:
        case ast.Literal(value, kind):
            if value is None:
                return f"null:{kind.value}"
            return {True: "true", False: "false"}[value] if isinstance(value, bool) else ascii(value)
        case ast.Attribute(name, _, row):
            return f"{row.alias}.{name}" if row else name
        case ast.PropertyValue(row, kind):
            return f"{row.family}.{row.key!r}:{kind.value}"
        case ast.PathStep(row, position, part, _):
            return f"{row.alias}.path[{position}].{part}"
        case ast.Comparison(operator, left, right) | ast.Arithmetic(operator, left, right):
            return f"({operator} {_render(left)} {_render(right)})"
        case ast.And(operands) | ast.Or(operands):
            return f"({type(node).__name__.lower()} {' '.join(map(_render, operands))})"
        case ast.Not(operand) | ast.Negate(operand):
            return f"({type(node).__name__.lower()} {_render(operand)})"
        case ast.In(operand, choices):
            return f"(in {_render(operand)} {' '.join(map(_render, choices))})"
        case ast.Like(operand, pattern):
            return f"(like {_render(operand)} {_render(pattern)})"
        case ast.IsNull(operand):
            return f"(is-null {_render(operand)})"
        case ast.IsTruth(operand, value):
            return f"(is-{str(value).lower()} {_render(operand)})"
        case ast.Case(branches, otherwise):
            pairs = " ".join(f"[{_render(condition)} {_render(result)}]" for condition, result in branches)
            return f"(case {pairs} {_render(otherwise)})"
        case ast.Cast(operand, kind):
            return f"(cast {_render(operand)} {kind.value})"
        case ast.Call(function, arguments):
            return f"({' '.join([function, *map(_render, arguments)])})"
        case ast.Exists(where, rows):
            return f"(exists {_render(where)} with {_rows(rows)})"
