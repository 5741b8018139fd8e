"""Whether a server's store answers: asked now and then, in a thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from lineage.seam.deadline import limited
from lineage.store import Store

__all__ = ["Readiness"]

_logger = logging.getLogger("lineage.server")
_EVERY_S = 2.0
_ANSWERS_WITHIN_S = 3.0


class Readiness:
    """Asks a store for a node by its id, every two seconds, and tells when it ceases to answer, or answers again."""

    def __init__(self, store: Store, tell: Callable[[bool], None]) -> None:
        self.is_ready = True  # it has just been opened
        self._store = store
        self._tell = tell
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lineage-readiness", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more, and wait for the question that is being asked."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_ANSWERS_WITHIN_S)

    def _watch(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            answers = self._answers()
            if answers != self.is_ready and not self._stopping.is_set():
                self.is_ready = answers
                if answers:
                    _logger.info("ready: the store answers again")
                else:
                    _logger.warning("not ready: the store does not answer")
                self._tell(answers)

    def _answers(self) -> bool:
        try:
            with limited(_ANSWERS_WITHIN_S):
                self._store.get_artifacts_by_id([1], missing="skip")
        except Exception:  # noqa: BLE001  # whatever it is, calls would meet it too, and say more
            return False
        return True
