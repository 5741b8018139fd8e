"""Names: what a dotted name stands for in a scope, and what was meant by one that stands for nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cypher.ast import Attribute, NeighbourRow, PathStep, PropertyRow, PropertyValue, ValueType
from cypher.errors import FilterError, near_matches, shown
from cypher.literals import MAX_INT64, read_name
from cypher.scope import AttributeType, Scope

__all__ = ["FIELD_TYPES", "Names", "Part", "Resolved", "split_name"]

FIELD_TYPES: Final[Mapping[str, ValueType]] = {
    "int_value": ValueType.INT64,
    "double_value": ValueType.DOUBLE,
    "string_value": ValueType.STRING,
    "bool_value": ValueType.BOOL,
}
_MEANT: Final[Mapping[str, str]] = {
    "float_value": "double_value",
    "str_value": "string_value",
    "text_value": "string_value",
}
_LONGEST_KEY: Final = 40
_PART: Final = re.compile(r"\.?(?:(\w+)|(`(?:[^`\\]|\\.)*`)|\[(\d+)\])", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a dotted name: a word, or a position in brackets."""

    text: str
    start: int
    end: int
    is_quoted: bool = False
    is_position: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a name stands for; ``enumeration`` when its numbers have names."""

    expression: Attribute | PropertyValue | PathStep
    enumeration: Mapping[str, int] | None = None


def split_name(name: str, start: int, text: str) -> list[Part]:
    """Split a name as written, which starts at ``start`` of ``text``, into its parts."""
    parts: list[Part] = []
    for match in _PART.finditer(name):
        word, quoted, position = match.groups()
        index = match.lastindex or 1
        first, last = start + match.start(index), start + match.end(index)
        if quoted is not None:
            parts.append(Part(read_name(quoted, text, first), first, last, is_quoted=True))
        else:
            parts.append(Part(word or position, first, last, is_position=position is not None))
    return parts


class Names:
    """The names of one scope, ready to be looked up."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.attributes = {name.lower(): name for name in scope.attributes}
        self.prefixes = sorted(scope.neighbours, key=len, reverse=True)

    def resolve(self, parts: list[Part], text: str) -> Resolved:
        """Say what a name stands for, or raise FilterError at the part that is wrong."""
        first = parts[0]
        if len(parts) == 1:
            spelling = self.attributes.get(first.text.lower())
            if spelling is None:
                raise self._unknown(first, text)
            return _attribute(spelling, self.scope.attributes[spelling], None)
        if first.is_quoted and first.text.lower() not in self.attributes:
            raise _error(
                f"unknown name {shown(first.text)}; backquotes stand around a key or a field alone", first, text
            )
        if first.text in ("properties", "custom_properties"):
            return _property(parts, text)
        row = self.neighbour(first.text)
        if row is None:
            if first.text.lower() in self.attributes:
                raise _error(f"{shown(first.text)} has no fields; leave out what follows it", parts[1], text)
            raise self._unknown(first, text)
        return self._field(row, parts, text)

    def neighbour(self, word: str) -> NeighbourRow | None:
        """Return the row that an alias such as ``contexts_a`` stands for, or None."""
        for prefix in self.prefixes:
            if word.startswith(prefix + "_") and len(word) > len(prefix) + 1 and re.fullmatch(r"\w+", word, re.ASCII):
                return NeighbourRow(prefix, word)
        return None

    def row(self, parts: list[Part]) -> PropertyRow | NeighbourRow | None:
        """Return the row that ``properties.k`` or ``contexts_a`` on its own stands for, or None."""
        first = parts[0]
        if first.is_quoted:
            return None
        if len(parts) == 1:
            return self.neighbour(first.text)
        if len(parts) == 2 and not parts[1].is_position:
            if first.text == "properties":
                return PropertyRow("properties", parts[1].text)
            if first.text == "custom_properties":
                return PropertyRow("custom_properties", parts[1].text)
        return None

    def _field(self, row: NeighbourRow, parts: list[Part], text: str) -> Resolved:
        neighbour, field = self.scope.neighbours[row.neighbour], parts[1]
        if neighbour.has_path and field.text == "path" and not field.is_position:
            return _path_step(row, parts, text)
        by_folded = {name.lower(): name for name in neighbour.attributes}
        spelling = None if field.is_position else by_folded.get(field.text.lower())
        if spelling is None:
            names = [*neighbour.attributes, *(["path"] if neighbour.has_path else [])]
            advice = near_matches(field.text, names) or f"; write one of {', '.join(names)}"
            raise _error(f"{shown(row.alias)} has no field {shown(field.text)}{advice}", field, text)
        if len(parts) > 2:
            raise _error(f"{shown(spelling)} has no fields; leave out what follows it", parts[2], text)
        return _attribute(spelling, neighbour.attributes[spelling], row)

    def _unknown(self, part: Part, text: str) -> FilterError:
        word, scope = part.text, self.scope
        families = ("properties", "custom_properties")
        if word in families:
            return _error(
                f"{shown(word)} needs a key and a field; write {word}.NAME.int_value "
                "(or double_value, string_value, bool_value), without spaces around the dots",
                part, text,
            )  # fmt: skip
        if word.rstrip("_") in scope.neighbours:
            prefix = word.rstrip("_")
            return _error(
                f"{shown(word)} needs an alias of its own; write {prefix}_a.{_any(scope, prefix)}", part, text
            )
        if self.neighbour(word) is not None:
            return _error(
                f"{shown(word)} needs a field; write {word}.{_any(scope, self.neighbour(word).neighbour)}, "  # type: ignore[union-attr]  # it is in the table of neighbours
                f"or EXISTS({word})", part, text,
            )  # fmt: skip
        for prefix in self.prefixes:
            if word.lower().startswith(prefix + "_"):
                return _error(f"unknown name {shown(word)}; {prefix!r} is written in lower case", part, text)
        owners = sorted({*_members(scope.attributes, word, ""), *(
            owner
            for prefix, neighbour in scope.neighbours.items()
            for owner in _members(neighbour.attributes, word, f"{prefix}_a.")
        )})  # fmt: skip
        if owners:
            return _error(
                f"{shown(word)} is a value of {' and '.join(owners)}; write it beside =, !=, IN or NOT IN of it, "
                "without parentheses", part, text,
            )  # fmt: skip
        names = [*scope.attributes, *families, *(f"{prefix}_a" for prefix in scope.neighbours)]
        advice = near_matches(word, names)
        if not advice:
            key = word if len(word) <= _LONGEST_KEY and word.isascii() and word.isidentifier() else "NAME"
            advice = (
                f"; {scope.kind.lower()}s have {', '.join(names)}; a property is written properties.{key}.double_value "
                "(or int_value, string_value, bool_value), and text goes into quotes"
            )
        return _error(f"unknown name {shown(word)}{advice}", part, text)


def _attribute(name: str, kind: AttributeType, row: NeighbourRow | None) -> Resolved:
    if isinstance(kind, ValueType):
        return Resolved(Attribute(name, kind, row))
    return Resolved(Attribute(name, ValueType.INT64, row), kind)


def _property(parts: list[Part], text: str) -> Resolved:
    family, key = parts[0], parts[1]
    if key.is_position:
        raise _error(f"{shown(family.text)} takes a key; write {family.text}.NAME.int_value", key, text)
    fields = ", ".join(FIELD_TYPES)
    if len(parts) == 2:
        raise FilterError(
            f"property {shown(key.text)} needs a field; write one of {fields} behind it",
            text=text, position=family.start, length=key.end - family.start,
        )  # fmt: skip
    field = parts[2]
    kind = None if field.is_position else FIELD_TYPES.get(field.text)
    if field.is_quoted:
        raise _error(f"the field of a property is no name of yours; write {field.text} without backquotes", field, text)
    if kind is None or len(parts) > 3:
        if kind is None and len(parts) == 3:
            meant = _MEANT.get(field.text.lower())
            advice = f"; did you mean {meant!r}?" if meant else near_matches(field.text, FIELD_TYPES)
            advice = advice or f"; write one of {fields}"
            raise _error(f"a property has no field {shown(field.text)}{advice}", field, text)
        raise FilterError(
            f"a property is written {family.text}.NAME.FIELD; put a key that has dots into backquotes",
            text=text, position=key.start, length=parts[-1].end - key.start,
        )  # fmt: skip
    row = PropertyRow("properties" if family.text == "properties" else "custom_properties", key.text)
    return Resolved(PropertyValue(row, kind))


def _path_step(row: NeighbourRow, parts: list[Part], text: str) -> Resolved:
    usage = f"write {row.alias}.path[0].key or {row.alias}.path[0].index"
    if len(parts) < 3 or not parts[2].is_position:
        raise _error(f"a path needs a position; {usage}", parts[min(2, len(parts) - 1)], text)
    if len(parts) != 4 or parts[3].is_position or parts[3].text not in ("key", "index"):
        raise _error(f"a step of a path has a key or an index; {usage}", parts[min(3, len(parts) - 1)], text)
    if len(parts[2].text) > 18 or int(parts[2].text) > MAX_INT64:
        raise _error(f"the position {parts[2].text} is too large; {usage}", parts[2], text)
    position = int(parts[2].text)
    if parts[3].text == "key":
        return Resolved(PathStep(row, position, "key", ValueType.STRING))
    return Resolved(PathStep(row, position, "index", ValueType.INT64))


def _any(scope: Scope, prefix: str) -> str:
    return next(iter(scope.neighbours[prefix].attributes), "id")


def _members(attributes: Mapping[str, AttributeType], word: str, prefix: str) -> list[str]:
    return [prefix + name for name, kind in attributes.items() if not isinstance(kind, ValueType) and word in kind]


def _error(message: str, part: Part, text: str) -> FilterError:
    return FilterError(message, text=text, position=part.start, length=part.end - part.start)
