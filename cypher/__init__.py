"""The filter_query language: text to a typed tree that every backend evaluates or renders.

>>> from cypher import Scope, ValueType, parse_filter
>>> parse_filter("id BETWEEN 1 AND 3", Scope("Artifact", {"id": ValueType.INT64})).where  # doctest: +ELLIPSIS
And(operands=(Comparison(operator='>=', ...), Comparison(operator='<=', ...)), ...)
"""

from __future__ import annotations

from cypher import ast
from cypher.ast import Filter, ValueType
from cypher.errors import FilterError
from cypher.parse import parse_filter
from cypher.scope import AttributeType, Neighbour, Scope

__all__ = ["AttributeType", "Filter", "FilterError", "Neighbour", "Scope", "ValueType", "ast", "parse_filter"]
