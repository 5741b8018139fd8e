"""What the parts of a selection mean, in words."""

from __future__ import annotations

from lineage.errors import counted
from lineage.reading.selection.tree import (
    Address,
    Call,
    Chain,
    Either,
    Everything,
    Keyed,
    Named,
    Not,
    Part,
    Value,
    Walk,
    Where,
)

__all__ = ["meaning_of"]


def meaning_of(part: Part) -> str:
    """Return what a part means.

    >>> from lineage.reading.selection.syntax import parse_selection
    >>> meaning_of(parse_selection("2+iris+"))
    'iris, what is at most 2 events upstream of it, and all downstream of it'
    """
    match part:
        case Either():
            return "what is in any of these"
        case Chain():
            steps = (f"{'only what is in' if operator == 'and' else 'without'} {each}" for operator, each in part.rest)
            return ", ".join([f"what is in {part.first}", *steps])
        case Not():
            return f"all but {part.part}"
        case Walk():
            return _walk(part)
        case Call():
            return _call(part)
        case Everything():
            return "everything"
        case Named():
            return f"nodes {_called(part.value)}"
        case Address():
            return f"the {part.kind.value.lower()} with id {part.id}"
        case Keyed():
            return _keyed(part.key, part.value)
        case Where():
            return "nodes that match the filter"


def _walk(part: Walk) -> str:
    ways: list[str] = []
    for hops, way in ((part.up, "upstream"), (part.down, "downstream")):
        if hops is None:
            ways.append(f"all {way} of it")
        elif hops:
            ways.append(f"what is at most {counted(hops, 'event')} {way} of it")
    return f"{part.part}, {', and '.join(ways)}"


def _call(part: Call) -> str:
    first, *others = map(str, part.arguments)
    several = " or ".join([first, *others])
    match part.name:
        case "roots":
            return f"where the lineage of {several} begins"
        case "leaves":
            return f"where what came of {several} ends"
        case "between":
            return f"all that is on a way from {first} to {others[0]}"
        case _:
            return f"what {' and '.join([first, *others])} all came from"


def _called(value: Value) -> str:
    return f"whose name looks like {value}" if value.is_glob else f"called {value}"


def _keyed(key: str, value: Value) -> str:
    match key:
        case "kind":
            return f"all {value}s"
        case "name":
            return f"nodes {_called(value)}"
        case "context":
            return f"what is in contexts {_called(value)}"
        case "id":
            return f"nodes with id {value}"
        case _:
            what = {"external_id": "external id"}.get(key, key)
            return f"nodes whose {what} {'looks like' if value.is_glob else 'is'} {value}"
