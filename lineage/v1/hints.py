"""Does a value fit a type hint? What comes over the wire is checked before the engine works on it."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable, Mapping
from typing import Any, Union, get_args, get_origin

from lineage.model.values import INT64_MAX, INT64_MIN

__all__ = ["fits", "shown_hint"]


def fits(value: Any, hint: Any) -> bool:
    """Tell whether a value is of the type that a hint describes; what the hint leaves open fits.

    >>> fits([1, 2], list[int]), fits([1, "2"], list[int]), fits(True, int), fits(None, str | None)
    (True, False, False, True)
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in arguments)
    if hint is None or hint is type(None):
        return value is None
    if hint is int:
        return type(value) is int and INT64_MIN <= value <= INT64_MAX
    if origin is tuple and len(arguments) == 2 and arguments[1] is not Ellipsis:
        return isinstance(value, (list, tuple)) and len(value) == 2 and all(map(fits, value, arguments))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(fits(key, arguments[0]) for key in value)
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return isinstance(value, (list, tuple)) and all(fits(each, arguments[0]) for each in value)
    return not isinstance(hint, type) or isinstance(value, hint)


def shown_hint(hint: Any) -> str:
    """Return a hint as a person would write it.

    >>> shown_hint(str | None)
    'str | None'
    """
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    return re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(hint))  # names of modules
