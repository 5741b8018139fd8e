"""The check of what callers pass: each function returns what it was given, or raises InvalidArgumentError."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from lineage.errors import InvalidArgumentError, short_repr
from lineage.model.nodes import Node
from lineage.model.record import Record
from lineage.model.types import NodeType
from lineage.model.values import INT64_MAX, INT64_MIN, as_int, check_text

__all__ = [
    "checked_external_ids",
    "checked_flag",
    "checked_id",
    "checked_ids",
    "checked_items",
    "checked_record",
    "checked_records",
    "checked_text",
    "checked_texts",
    "checked_time_ms",
    "checked_version",
]

AnyRecord = TypeVar("AnyRecord", bound=Record)


def checked_records(expected: type[AnyRecord], given: Iterable[AnyRecord]) -> list[AnyRecord]:
    """Return a list of these records. Raises InvalidArgumentError if it is one record, or holds anything else."""
    if isinstance(given, (Record, str, bytes, dict)) or not isinstance(given, Iterable):
        raise InvalidArgumentError(f"expected a list of {expected.__name__}, got {short_repr(given)}; put it in a list")
    items = list(given)
    for item in items:
        if not isinstance(item, expected):
            raise InvalidArgumentError(
                f"expected {expected.__name__}, got {short_repr(item)} of type {type(item).__name__}"
            )
    return items


def checked_record(expected: type[AnyRecord], given: AnyRecord) -> AnyRecord:
    """Return the record. Raises InvalidArgumentError if it is anything else."""
    if not isinstance(given, expected):
        raise InvalidArgumentError(
            f"expected {expected.__name__}, got {short_repr(given)} of type {type(given).__name__}"
        )
    return given


def checked_ids(record_type: type[Node | NodeType], given: Iterable[Any]) -> list[int]:
    """Return the ids that these are or have. Raises InvalidArgumentError if it is no list, or holds anything else."""
    return [checked_id(record_type, each) for each in checked_items(given, "ids")]


def checked_items(given: Iterable[Any], what: str) -> list[Any]:
    """Return a list of these. Raises InvalidArgumentError if it is one record, one string, or no list."""
    if not isinstance(given, Iterable) or isinstance(given, (str, bytes, Record)):
        raise InvalidArgumentError(f"expected a list of {what}, got {short_repr(given)}; put it in a list")
    return list(given)


def checked_id(record_type: type[Node | NodeType], given: Any) -> int:
    """Return the id that this is, or that this record has. Raises InvalidArgumentError if it is anything else."""
    if type(given) is int and INT64_MIN <= given <= INT64_MAX:
        return given
    if isinstance(given, record_type):
        if given.id is None:
            raise InvalidArgumentError(f"{short_repr(given)} has no id; put it first, then pass it as it is read back")
        return given.id
    number = as_int(given)
    if number is None:
        raise InvalidArgumentError(
            f"expected an id (int) or {record_type.__name__}, got {short_repr(given)} of type {type(given).__name__}"
        )
    if not INT64_MIN <= number <= INT64_MAX:
        raise InvalidArgumentError(f"{short_repr(given)} is no id: it does not fit in 64 bits")
    return number


def checked_texts(given: Iterable[str], what: str) -> list[str]:
    """Return a list of these strings. Raises InvalidArgumentError if it is one string, or holds anything else."""
    return [checked_text(each, what) for each in checked_items(given, what)]


def checked_external_ids(given: Iterable[str]) -> list[str]:
    """Return a list of these external ids. Raises InvalidArgumentError if it is no list of texts, or one is empty."""
    wanted = checked_texts(given, "external ids")
    if "" in wanted:
        raise InvalidArgumentError("at least one empty external_id exists in the request; leave it out")
    return wanted


def checked_text(given: Any, what: str) -> str:
    """Return the string. Raises InvalidArgumentError if it is not one."""
    if not isinstance(given, str):
        raise InvalidArgumentError(f"expected {what} as a str, got {short_repr(given)} of type {type(given).__name__}")
    try:
        return check_text(given)
    except ValueError as error:
        raise InvalidArgumentError(f"{what} is no text: {error}") from None


def checked_time_ms(given: Any, name: str) -> int | None:
    """Return a time in milliseconds since 1970, or None."""
    time_ms = None if given is None else as_int(given)
    if given is not None and (time_ms is None or not INT64_MIN <= time_ms <= INT64_MAX):
        raise InvalidArgumentError(
            f"{name} must be a time in milliseconds since 1970, or None, not {short_repr(given)}"
        )
    return time_ms


def checked_version(given: Any) -> str | None:
    """Return the version of a type, None for an empty one. Raises InvalidArgumentError if it is no string."""
    return None if given is None else checked_text(given, "a version") or None


def checked_flag(given: Any, name: str) -> bool:
    """Return the option of this name. Raises InvalidArgumentError if it is neither True nor False."""
    if not isinstance(given, bool):
        raise InvalidArgumentError(f"{name} must be True or False, not {short_repr(given)}")
    return given
