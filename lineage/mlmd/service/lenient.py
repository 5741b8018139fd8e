"""Writing as MLMD's clients do: what cannot be written is ignored where the native API refuses it."""

from __future__ import annotations

from collections.abc import Callable

from lineage.api.units import Result
from lineage.store import Store
from lineage.writing.writer import Writer
from lineage.writing.writes import Writes

__all__ = ["LenientStore"]


class LenientStore(Store):
    """A store of this process, beside the one given, in whose writes a changed name has no effect, as in MLMD.

    Nor have times, and paths of a mask that name nothing which can change.
    """

    def __init__(self, store: Store) -> None:
        super().__init__(store._units, url=store.url)
        self._given = store

    def _check_open(self) -> None:
        self._given._check_open()

    def close(self) -> None:
        """Close the one given."""
        self._given.close()

    def _write(self, body: Callable[[Writes], Result]) -> Result:
        def leniently(writer: Writes) -> Result:
            if isinstance(writer, Writer):
                writer.is_lenient = True
            return body(writer)

        return super()._write(leniently)
