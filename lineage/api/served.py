"""Which methods of a store a server answers: each says so itself, and a test fails for one that says nothing.

What is declared is a public method, so its errors are made short here, too: ``tracebacks.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias, TypeVar

from lineage.api.tracebacks import short_traceback

__all__ = ["IN_PARTS", "NOT_SERVED", "SERVED", "Access", "not_served", "served"]

Access: TypeAlias = Literal["read", "write", "admin"]
"""What a method does to the store, and so what its caller must be allowed: what removes is for admins only."""

SERVED: dict[str, Access] = {}
"""The methods that a server answers, by name. What is not in it is not served."""
IN_PARTS: set[str] = set()
"""Those that return an iterator, which a server streams: each item is a message."""
NOT_SERVED: dict[str, str] = {}
"""The methods that it does not, with the reason."""

Method = TypeVar("Method", bound=Callable[..., Any])


def served(access: Access, *, in_parts: bool = False) -> Callable[[Method], Method]:
    """Declare that a server answers a method: its arguments and its result go over the wire as they are.

    With ``in_parts`` the result is an iterator, whose items go one by one.
    """

    def declare(method: Method) -> Method:
        SERVED[method.__name__] = access
        if in_parts:
            IN_PARTS.add(method.__name__)
        return short_traceback(method)

    return declare


def not_served(reason: str) -> Callable[[Method], Method]:
    """Declare that a method works in the caller's process only."""

    def declare(method: Method) -> Method:
        NOT_SERVED[method.__name__] = reason
        return short_traceback(method)

    return declare
