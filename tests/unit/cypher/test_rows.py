"""What an expression is about, and how rows are grouped."""

from __future__ import annotations

from dataclasses import fields

import pytest

from cypher import ast, parse_filter
from cypher.rows import MIRRORED, Compared, compared, components, conjuncts, neighbours_in, operands_of
from lineage.model import NodeKind
from lineage.seam import SCOPES

ID = ast.Attribute("id", ast.ValueType.INT64)


def parts_of(text: str) -> tuple[tuple[ast.Expression, ...], list[ast.NeighbourRow]]:
    parsed = parse_filter(text, SCOPES[NodeKind.ARTIFACT])
    return conjuncts(parsed.where), [row for row in parsed.rows if isinstance(row, ast.NeighbourRow)]


def test_rows_that_a_condition_mentions_together_are_a_group() -> None:
    parts, rows = parts_of(
        "contexts_a.id = 1 AND contexts_b.id = 2 AND contexts_c.id < contexts_a.id AND contexts_d.id = 3 "
        "AND contexts_e.id = contexts_f.id + contexts_d.id"
    )
    groups = components(rows, parts)
    assert ["".join(row.alias[-1] for row in group.rows) for group in groups] == ["ac", "b", "def"]
    assert [[parts.index(part) for part in group.parts] for group in groups] == [[0, 2], [1], [3, 4]]


def test_a_row_that_no_condition_mentions_is_a_group_by_itself() -> None:
    row = ast.NeighbourRow("contexts", "contexts_a")
    [group] = components([row], [])
    assert (group.rows, group.parts) == ([row], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id < 5", Compared(ID, "<", (5,))),
        ("5 < id", Compared(ID, ">", (5,))),
        ("5 >= id", Compared(ID, "<=", (5,))),
        ("5 != id", Compared(ID, "!=", (5,))),
        ("id IN (1, NULL)", Compared(ID, "IN", (1, None))),
        ("id IN (1, type_id)", None),
        ("id = type_id", None),
        ("1 = 1", None),
    ],
)
def test_a_column_and_constants(text: str, expected: Compared | None) -> None:
    [part] = parts_of(text)[0]
    assert compared(part) == expected


def test_mirrored_twice_is_the_same() -> None:
    assert all(MIRRORED[MIRRORED[operator]] == operator for operator in MIRRORED)


EVERYTHING = """
    CASE WHEN NOT (a.id + -a.id = 1) THEN a.name LIKE COALESCE(a.type, a.name) ELSE (a.id IS NULL) IS TRUE END
    OR (CAST(a.id AS STRING) IN (a.name, 'x') AND a.id & 1 = 0)
""".replace("a.", "contexts_a.")


def test_operands_are_all_expressions_inside() -> None:
    """Of every class of the tree, those that its fields hold."""
    seen: set[type] = set()

    def look(expression: ast.Expression) -> None:
        seen.add(type(expression))
        values = [getattr(expression, field.name) for field in fields(expression)]
        inside = [each for value in values for each in _flat(value) if hasattr(each, "type")]
        assert sorted(map(id, operands_of(expression))) == sorted(map(id, inside))
        for each in operands_of(expression):
            look(each)

    [part] = parts_of(EVERYTHING)[0]
    look(part)
    leaves = {ast.PropertyValue, ast.PathStep, ast.Exists}
    assert seen == set(ast.Expression.__args__) - leaves
    assert {row.alias for row in neighbours_in(part)} == {"contexts_a"}


def _flat(value: object) -> list[object]:
    return [each for item in value for each in _flat(item)] if isinstance(value, tuple) else [value]  # pyright: ignore[reportUnknownVariableType]  # tuples of the tree


def test_an_exists_keeps_its_operands_to_itself() -> None:
    [part] = parts_of("EXISTS(contexts_a.id = id)")[0]
    assert operands_of(part) == ()
    assert neighbours_in(part) == frozenset()
