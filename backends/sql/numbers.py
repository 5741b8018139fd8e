"""The first numbers of a property in their order, by the database: see :class:`lineage.seam.CanFindFirstNumbers`.

Ints and doubles have columns of their own. In each the database compares exactly; between the two it would not, so each
gives its first ones, and the engine merges them. A bound of the other kind is turned into one of the column's own.
"""

from __future__ import annotations

import math

from backends.sql.filters import SqlFilter
from backends.sql.queries import node_statement
from backends.sql.schema import BESIDE, NODE_TABLES, TYPE_KINDS
from backends.sql.statements import Statements
from lineage.model.values import INT64_MAX, INT64_MIN
from lineage.seam import NumberQuery

__all__ = ["bound_of", "first_number_ids", "has_values_beside"]

_OPERATORS = {False: ">", True: "<"}


def has_values_beside(statements: Statements, asked: NumberQuery) -> bool:
    """Whether values of the property stand beside MLMD's tables, which hold no such ones: NaN, say, or a large int."""
    chosen, given = statements.dialect.chosen("name", "names", [asked.name])
    text = f"SELECT 1 FROM {BESIDE} WHERE node_kind = :kind AND {_is_of_family('', asked)} AND {chosen} LIMIT 1"
    return bool(statements.rows(text, {"kind": TYPE_KINDS[asked.nodes.kind], **given}))


def first_number_ids(statements: Statements, asked: NumberQuery, rendered: SqlFilter | None) -> list[int]:
    """Return the ids of the first ints and of the first doubles, at most as many of each as are asked for."""
    table, descending = NODE_TABLES[asked.nodes.kind], asked.descending
    found: list[int] = []
    for column, own in (("int_value", int), ("double_value", float)):
        chosen, given = statements.dialect.chosen("v.name", "v_name", [asked.name])
        conditions = [chosen, _is_of_family("v.", asked), f"v.{column} IS NOT NULL"]
        if own is float and statements.dialect.limits.has_nan:
            conditions.append("v.double_value <> 'NaN'")
        if asked.after is not None:
            operator = _OPERATORS[descending]
            bound, is_same = bound_of(asked.after[0], own, descending=descending)
            if bound is not None and math.isinf(bound) and not statements.dialect.limits.has_infinity:
                if (bound > 0) != descending:
                    continue  # nothing is beyond it
                bound = None
            if bound is not None:
                given["v_value"] = bound
                beyond = f"v.{column} {operator} :v_value"
                if is_same:
                    given["v_id"] = asked.after[1]
                    beyond = f"({beyond} OR (v.{column} = :v_value AND n.id {operator} :v_id))"
                conditions.append(beyond)
        join = f"JOIN {table.properties} v ON v.{table.id_column} = n.id"
        direction = " DESC" if descending else ""
        text, parameters = node_statement(
            asked.nodes,
            "n.id",
            statements,
            rendered,
            first=SqlFilter((join,), tuple(conditions), given),
            order=f"v.{column}{direction}, n.id{direction}",
        )
        rows = statements.rows(f"{text} LIMIT :v_limit", {**parameters, "v_limit": asked.limit})
        found += [row[0] for row in rows]
    return found


def bound_of(number: float, own: type[int | float], *, descending: bool) -> tuple[float | None, bool]:
    """Return a number of a column's kind, and whether it is the same one; None if all that it has is beyond the number.

    If it is another one, exactly what the column has beyond it is beyond the number, too.
    """
    if type(number) is own:
        return number, True
    if own is float:
        near = float(number)
        if near == number:
            return near, True
        is_beyond = near < number if descending else near > number
        return (math.nextafter(near, math.inf if descending else -math.inf) if is_beyond else near), False
    if not INT64_MIN <= number <= INT64_MAX:
        is_all = (number > 0) == descending
        return (None if is_all else INT64_MAX if number > 0 else INT64_MIN), False
    whole = math.floor(number)
    if whole == number:
        return whole, True
    return (whole + 1 if descending else whole), False


def _is_of_family(alias: str, asked: NumberQuery) -> str:
    """Return a condition that an index of MLMD's can be asked for."""
    return f"{alias}is_custom_property = {'TRUE' if asked.family == 'custom_properties' else 'FALSE'}"
