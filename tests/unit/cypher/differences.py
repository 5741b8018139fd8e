"""Where this language accepts what the reference refuses, or the reverse, and why.

The lines of ``filters.jsonl`` that show a difference name it in their field ``differs``; :data:`OF_FUNCTIONS` is shown
by lines of ``tests/neo4j/golden.jsonl``, which has each function.
"""

from __future__ import annotations

from typing import Final

OF_FUNCTIONS: Final = "function"
DIFFERENCES: Final = {
    "alias-case": "contexts_a and contexts_A are two neighbours; the reference folds them and then fails",
    "cast-types": "INT64, DOUBLE, STRING and BOOL are all the types there are; narrower and unsigned ones have no use",
    "chain": "no comparison chains; the reference lets IS UNKNOWN, and what it puts into parentheses itself",
    "date-unquoted": "2026-01-31 without quotes is the number 1994 there, which every time is larger than",
    "enum-names": "every value of an enumeration has a name",
    "enum-neighbour": "!= and NOT IN work on a neighbour's state; the reference rewrites them to broken syntax",
    "enum-number": "numbers beside a bare enumeration work in every spelling, not only in some",
    "enum-spelling": "<>, the name on the left, any spelling of the attribute; the reference uses a regex",
    "enum-twice": "the same condition may stand twice",
    "exists": "EXISTS(condition) asks for absence and presence; it is ours",
    "format": "FORMAT is a language of its own, and its two dialects (ZetaSQL, SQLite) differ",
    OF_FUNCTIONS: "it has not all functions: `is_of_mlmd` in FUNCTIONS of cypher/functions.py says which",
    "keys": "any key works, in any spelling; the reference puts keys into regexes and SQL without escaping",
    "literal": "a literal may hold quotes, backslashes and enum-like text",
    "neighbour-attributes": "external_id and times of neighbours; the reference lacks the columns in its own SQL",
    "overflow": "the absolute value of the least integer is a double, like every result beyond 64 bits",
    "path": "the path of an event; it is ours",
    "space-in-path": "a name holds no spaces, always, not only in properties",
    "subquery": "a subquery has nothing to read from",
    "timestamp": "TIMESTAMP and DATE are numbers here, as the times are; there they compare with no column",
    "unsigned": "there are no unsigned integers",
}
