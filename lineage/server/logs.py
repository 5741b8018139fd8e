"""Logs of one JSON object a line."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, TextIO

__all__ = ["FIELDS", "JsonLines", "log_to"]

FIELDS = "lineage"
"""The attribute of a log record that holds a mapping of further fields: ``extra={FIELDS: {...}}``."""

_LIMIT = 20_000


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
            **fields,
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)[-_LIMIT:]
        return json.dumps(entry, default=str, separators=(",", ":"))


def log_to(stream: TextIO | None = None, *, level: str = "INFO", as_json: bool = True) -> None:
    """Send all logs and warnings of this process to a stream (standard error by default)."""
    handler = logging.StreamHandler(sys.stderr if stream is None else stream)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    warnings.simplefilter("default")
