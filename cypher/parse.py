"""The one way in."""

from __future__ import annotations

from cypher.ast import Filter
from cypher.scope import Scope

__all__ = ["parse_filter"]


def parse_filter(text: str, scope: Scope) -> Filter:
    """Parse a filter over the nodes that ``scope`` describes.

    :raises FilterError: the text is not in the language or names something unknown; the error says where.
    """
    from cypher.resolve import resolve  # here, so that `import cypher` stays fast
    from cypher.syntax import parse_syntax

    return resolve(parse_syntax(text), text, scope)
