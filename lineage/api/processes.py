"""A store and other processes: forks of the one that opened it, and those that a pickle of it comes to."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

__all__ = ["Opening", "opening_of", "own_lock", "remember_opening"]

_own: list[threading.Lock] = []


def _renew() -> None:
    _own[:] = [threading.Lock()]


def own_lock() -> threading.Lock:
    """Return a lock of this process. One that was made before a fork may be held by a thread that is not here."""
    return _own[0]


_renew()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


@dataclass(frozen=True, slots=True)
class Opening:
    """How a store was opened, to open it again in another process. It may hold secrets, so nothing shows it."""

    url: str = field(repr=False)
    options: dict[str, Any] = field(repr=False)
    key: str = field(default_factory=lambda: uuid4().hex)
    """Tells this opening from all others."""


_openings: WeakKeyDictionary[object, Opening] = WeakKeyDictionary()


def remember_opening(store: object, opening: Opening) -> None:
    """Keep how a store was opened, away from its attributes."""
    _openings[store] = opening


def opening_of(store: object) -> Opening | None:
    """Return how a store was opened, None if it was not opened by a URL."""
    return _openings.get(store)
