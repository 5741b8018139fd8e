"""Logs of one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any, TextIO

__all__ = ["FIELDS", "JsonLines", "log_to", "of_request"]

FIELDS = "lineage"
"""The attribute of a log record that holds a mapping of further fields: ``extra={FIELDS: {...}}``."""

_LIMIT = 20_000
_QUIET_S = 10.0
_MOST_SAID = 1000

_request_id: ContextVar[str | None] = ContextVar("lineage_request_id", default=None)


@contextmanager
def of_request(request_id: str) -> Generator[None, None, None]:
    """Give every line of a block the request id of a call: also what a driver says."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


class JsonLines(logging.Formatter):
    """Formats a log record as a line of JSON: time, level, logger, message, further fields, and the trace if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: Mapping[str, Any] = getattr(record, FIELDS, {})
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, tz=timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **({} if (request_id := _request_id.get()) is None else {"request_id": request_id}),
            **fields,
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)[-_LIMIT:]
        return json.dumps(entry, default=str, separators=(",", ":"))


class Sparing(logging.Filter):
    """Shows what a library, or the engine, says again and again once in ten seconds, with how often it was said.

    The lines of the server itself are all shown.
    """

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to show a record."""
        if record.name == "lineage.server" or record.levelno >= logging.ERROR:
            return True
        what = record.name, str(record.msg)[:200]
        if len(self._said) > _MOST_SAID:
            self._said.clear()
        shown_s, times = self._said.get(what, (-_QUIET_S, 0))
        if record.created - shown_s < _QUIET_S:
            self._said[what] = shown_s, times + 1
            return False
        self._said[what] = record.created, 0
        if times:
            setattr(record, FIELDS, {"unshown_before": times})
        return True


def log_to(stream: TextIO | None = None, *, level: str = "INFO", as_json: bool = True) -> None:
    """Send all logs and warnings of this process to a stream (standard error by default)."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    if level != "DEBUG":
        handler.addFilter(Sparing())
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    warnings.simplefilter("default")
