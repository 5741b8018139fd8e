"""The threads that answer calls, and how many calls wait for one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

__all__ = ["CallThreads"]


class CallThreads(ThreadPoolExecutor):
    """A pool of threads that counts what it was given: ``waiting`` for a thread, and ``running``."""

    def __init__(self, count: int) -> None:
        super().__init__(max_workers=count, thread_name_prefix="lineage-call")
        self.waiting = self.running = 0
        self._counting = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Give it something to do."""

        def run() -> Any:
            self._count(waiting=-1, running=1)
            try:
                return fn(*args, **kwargs)
            finally:
                self._count(running=-1)

        self._count(waiting=1)
        try:
            return super().submit(run)
        except BaseException:  # it is shut down
            self._count(waiting=-1)
            raise

    def _count(self, *, waiting: int = 0, running: int = 0) -> None:
        with self._counting:
            self.waiting += waiting
            self.running += running
