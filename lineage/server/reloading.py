"""Files that are read again when they change: tokens, roles, certificates."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from typing import Protocol

from lineage.errors import InvalidArgumentError

__all__ = ["Reloadable", "Reloader"]

_logger = logging.getLogger("lineage.server")
_POLL_S = 1.0
"""How often the files are looked at."""


class Reloadable(Protocol):
    """What is read from files."""

    @property
    def paths(self) -> Sequence[str]:
        """The files."""
        ...

    def reload(self) -> None:
        """Read them again. Raises InvalidArgumentError, and then all stays as it was."""
        ...


class Reloader:
    """Reads files again when they change, in a thread. What cannot be used is logged, and what was there stays."""

    def __init__(self, of: Sequence[Reloadable]) -> None:
        self._seen = {each: _states(each.paths) for each in of}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lineage-reload", daemon=True)

    def start(self) -> None:
        """Begin to look at the files."""
        if self._seen:
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._stopping.wait(_POLL_S):
            self.reload(only_changed=True)

    def reload(self, *, only_changed: bool = False) -> None:
        """Read the files again, all of them or those that have changed."""
        with self._lock:
            for each, seen in self._seen.items():
                states = _states(each.paths)
                if only_changed and states == seen:
                    continue
                self._seen[each] = states
                try:
                    each.reload()
                except InvalidArgumentError as error:
                    _logger.warning("what was read before stays in use: %s", error.message)
                else:
                    _logger.info("read again: %s", ", ".join(each.paths))


def _states(paths: Sequence[str]) -> list[tuple[int, ...] | None]:
    """Return what shows that a file is another than before; None for one that is gone."""
    states: list[tuple[int, ...] | None] = []
    for path in paths:
        try:
            found = os.stat(path)  # noqa: PTH116  # of what a link leads to: secrets are often links that change
            states.append((found.st_mtime_ns, found.st_size, found.st_ino))
        except OSError:  # noqa: PERF203  # a few files
            states.append(None)
    return states
