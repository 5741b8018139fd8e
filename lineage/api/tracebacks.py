"""What a caller sees of its own mistake: the line that called the store, and one line of ours beneath it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any, Final, TypeVar, cast

from lineage.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnimplementedError,
)

__all__ = ["FULL_TRACEBACKS", "short_traceback"]

FULL_TRACEBACKS: Final = "LINEAGE_FULL_TRACEBACKS"
"""The environment variable that, set to anything, leaves all frames in tracebacks."""

_MISTAKES: Final = (
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnimplementedError,
)
"""Errors that say what the caller can change. Where something failed beneath it, the frames tell where, and stay."""

_Method = TypeVar("_Method", bound=Callable[..., Any])


def short_traceback(method: _Method) -> _Method:
    """Return a twin of a method whose errors, if they are the caller's mistakes, do not show the frames within it.

    What an error was raised from stays, with its own frames.
    """
    mistakes, environment, full = _MISTAKES, os.environ, FULL_TRACEBACKS

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except mistakes as error:
            if full in environment:
                raise
            raise error.with_traceback(None)  # noqa: B904  # the same error, with its cause and context

    # Tracebacks show the name of the code, and doctest takes a function for one of the module whose globals it has.
    named = call.__code__.replace(co_name=method.__name__)
    twin = FunctionType(named, method.__globals__, method.__name__, None, call.__closure__)
    return cast("_Method", wraps(method)(twin))
