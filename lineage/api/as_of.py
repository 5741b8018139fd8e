"""A store as it was known at a time: units of work that read the past, and write nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from lineage.api.units import Result, Units
from lineage.errors import FailedPreconditionError, InvalidArgumentError, short_repr
from lineage.model.values import INT64_MAX, INT64_MIN, as_int
from lineage.reading.as_of import reads_as_of
from lineage.seam import Reads
from lineage.writing.writes import Writes

__all__ = ["READ_ONLY", "UnitsAsOf", "checked_moment"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
READ_ONLY = "what a store knew at a time cannot be changed; write to the store itself"


class UnitsAsOf:
    """See :class:`lineage.api.units.Units`: those of another store, which stays open when these are closed."""

    def __init__(self, units: Units, time_ms: int) -> None:
        self._units, self._time_ms = units, time_ms
        self.catalog = units.catalog

    def read(self, body: Callable[[Reads], Result]) -> Result:
        """Run ``body`` on what was there at the time."""
        return self._units.read(lambda tx: body(reads_as_of(tx, self._time_ms)))

    def write(self, body: Callable[[Writes], Result]) -> Result:
        """Raise FailedPreconditionError."""
        del body
        raise FailedPreconditionError(READ_ONLY)

    def close(self) -> None:
        """Do nothing: the units of work are another store's."""


def checked_moment(time: Any) -> int:
    """Return a time in milliseconds since 1970, given so or as a datetime with a time zone."""
    if isinstance(time, datetime):
        if time.utcoffset() is None:
            raise InvalidArgumentError(
                f"{short_repr(time)} has no time zone; give it one, as datetime.now(timezone.utc) has"
            )
        return (time - _EPOCH) // timedelta(milliseconds=1)
    time_ms = as_int(time)
    if time_ms is None or not INT64_MIN < time_ms < INT64_MAX:
        raise InvalidArgumentError(
            f"a time is a datetime, or a number of milliseconds since 1970, not {short_repr(time)}"
        )
    return time_ms
