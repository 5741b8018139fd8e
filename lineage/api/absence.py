"""What reads by key return where a key is not there, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar, cast, get_args

from lineage.errors import InvalidArgumentError, NotFoundError, short_list, short_repr

__all__ = ["Missing", "checked_missing", "in_order"]

Missing: TypeAlias = Literal["error", "skip"]
"""``error``: a key that is not there raises NotFoundError. ``skip``: it is left out."""

_Key = TypeVar("_Key", bound=int | str)


def checked_missing(given: Any) -> Missing:
    """Return what was given. Raises InvalidArgumentError if it is neither ``error`` nor ``skip``."""
    if isinstance(given, str) and given in get_args(Missing):
        return cast(Missing, given)
    raise InvalidArgumentError(f"missing is 'error' or 'skip', not {short_repr(given)}")


def in_order(keys: Sequence[_Key], found: Mapping[Any, Any], *, missing: Missing, what: str) -> list[Any]:
    """Return what was found, in the order of the keys and as often as they are given.

    Raises NotFoundError that names the keys that are not there, unless they are to be skipped.
    """
    absent = [key for key in dict.fromkeys(keys) if key not in found] if missing == "error" else []
    if absent:
        raise NotFoundError(
            f"there is no {what} {short_list(absent)}; pass missing='skip' to leave out what is not there"
        )
    return [found[key] for key in keys if key in found]
