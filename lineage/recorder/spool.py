"""What is recorded while the store is away: lines in a file, which are sent when it is back, each once."""

from __future__ import annotations

import atexit
import json
import logging
import math
import os
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO, Any, Final
from uuid import uuid4

from lineage.errors import DataLossError, FailedPreconditionError, LineageError, short_repr
from lineage.model import Context
from lineage.recorder.declared import Declared
from lineage.recorder.writes import Write, context_of, write_to
from lineage.seam.deadline import limited
from lineage.store import Store

__all__ = ["FOLDER", "Spool", "files_in", "is_away", "patient", "replay", "replay_for", "spool_folder", "store_of"]

FOLDER: Final = "lineage-spool"
_VARIABLE: Final = "LINEAGE_SPOOL"
_VERSION: Final = 1
_SUFFIX: Final = ".jsonl"
_PATIENCE_S: Final = 10.0
"""How long a step waits for a store that does not answer, before what it records is kept."""
_RETRY_S: Final = 30.0
"""How long a store that was away is left alone: each try may wait that long."""

_logger = logging.getLogger("lineage")


def spool_folder() -> Path:
    """Return where files go: ``LINEAGE_SPOOL``, else a folder in the working directory."""
    return Path(os.environ.get(_VARIABLE) or FOLDER).absolute()


def patient() -> AbstractContextManager[object]:
    """Let calls of the store within take no longer than a step waits."""
    return limited(_PATIENCE_S)


def is_away(error: BaseException) -> bool:
    """Whether the store cannot take it now, and may later."""
    return isinstance(error, LineageError) and error.retryable


class Spool:
    """What a process cannot send now, in a file that is begun when it is needed, and what it does when it can again.

    It may be used from several threads. In a forked process it begins anew: what is kept is its parent's to send.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store = store
        self._folder = folder
        self._begin()

    def _begin(self) -> None:
        self._process_id = os.getpid()
        self._lock = threading.RLock()
        self._file: IO[str] | None = None
        self._tried = -math.inf
        self._is_stuck = False
        self.given: set[str] = set()
        """External ids and uris of artifacts that a caller was given without an id."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept: the store can be asked, as far as is known."""
        return self._process_id != os.getpid() or self._file is None

    def sent(self, *, now: bool = False) -> bool:
        """Send what is kept, if it is time to try again, or ``now``; return whether nothing is kept any more."""
        if self._process_id != os.getpid():
            self._begin()
        if self.is_empty:
            return True
        with self._lock:
            if self._file is None:  # another thread was first
                return True
            if not now and (self._is_stuck or time.monotonic() - self._tried < _RETRY_S):
                return False
            try:
                with patient():
                    self._store.get_context_types()  # whether it answers at all
                self._send(self._file)
            except (LineageError, OSError) as error:
                self._tried = time.monotonic()
                if not is_away(error):
                    self._is_stuck = True
                    _logger.error("what is kept in %s cannot be sent: %s", self._file.name, error)
                return False
            return True

    def _send(self, kept: IO[str]) -> None:
        path = Path(kept.name)
        with path.open(encoding="utf-8") as file:
            count = _send(path, file, self._store)
        path.unlink()
        kept.close()
        self._file = None
        _logger.warning("%s is back: %d records that were kept in %s are sent", self._store.url, count, path)

    def keep(self, write: Write, error: BaseException | None) -> None:
        """Write it to the file, and to the disk. Raises OSError if that fails."""
        line = json.dumps(write.as_json())
        with self._lock:
            self.begin(error)
            assert self._file is not None
            self._file.write(f"{line}\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def begin(self, error: BaseException | None) -> None:
        """Take the store for away from now on. Raises OSError if no file can be made."""
        with self._lock:
            if self._file is None:
                self._file = self._begun(error)
                self._tried = time.monotonic()

    def _begun(self, error: BaseException | None) -> IO[str]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{uuid4().hex[:8]}{_SUFFIX}"
        path.touch(mode=0o600)  # parameters may be secret
        file = path.open("a", encoding="utf-8")
        _lock(file)
        file.write(f"{json.dumps({'lineage_spool': _VERSION, 'store': self._store.url})}\n")
        atexit.register(self.close)
        _logger.warning(
            "%s cannot be reached: %s. What is recorded goes to %s until it can. What is left there when this process "
            "ends is sent when the next one records from this folder, or by: lineage replay",
            self._store.url, error, path,
        )  # fmt: skip
        return file

    def close(self) -> None:
        """Send what is kept, or leave the file for another process."""
        atexit.unregister(self.close)
        if self.is_empty or self.sent(now=True):
            return
        with self._lock:
            if self._file is not None:
                _logger.warning("what could not be sent stays in %s; send it with: lineage replay", self._file.name)
                self._file.close()
                self._file = None


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder, the oldest first."""
    return sorted(folder.glob(f"*{_SUFFIX}")) if folder.is_dir() else []


def store_of(path: Path) -> str:
    """Return for which store a file was written. Raises FailedPreconditionError if it is none of ours."""
    try:
        with path.open(encoding="utf-8") as file:
            return _header(path, file)
    except (OSError, UnicodeDecodeError) as error:
        raise FailedPreconditionError(f"{path} cannot be read: {error}") from error


def replay(path: Path, store: Store) -> int | None:
    """Send a file and remove it; return how many records that were. None if a process is writing it, or it is gone.

    What is in the store already stays as it is. Raises what the store raises, with the line; the file stays then.
    """
    try:
        file = path.open("r+", encoding="utf-8")
    except FileNotFoundError:
        return None
    with file:
        if not _lock(file):
            return None
        count = _send(path, file, store)
        with suppress(FileNotFoundError):
            path.unlink()
    return count


def replay_for(store: Store, folder: Path) -> None:
    """Send what processes that ended left for this store. Never raises: what cannot be sent stays, which is logged."""
    for path in files_in(folder):
        try:
            if store_of(path) != store.url:
                continue
            count = replay(path, store)
        except (LineageError, OSError) as error:
            _logger.warning("%s is not sent: %s", path, error)
        else:
            if count is not None:
                _logger.warning("%d records that were kept in %s while the store was away are sent", count, path)


def _header(path: Path, file: IO[str]) -> str:
    file.seek(0)
    try:
        header: Any = json.loads(file.readline())
    except json.JSONDecodeError:
        header = None
    if not isinstance(header, dict) or header.get("lineage_spool") != _VERSION or not isinstance(header["store"], str):
        raise FailedPreconditionError(f"{path} is no file of records of this version; leave it out")
    return str(header["store"])


def _send(path: Path, file: IO[str], store: Store) -> int:
    _header(path, file)
    declared, contexts, count = Declared(store), dict[tuple[tuple[str, str], ...], list[Context]](), 0
    for number, line in enumerate(file, 2):
        if not line.endswith("\n"):
            _logger.warning("%s, line %d: left out, as its process was killed while it wrote it", path, number)
            break
        try:
            write = Write.from_json(_parsed(line))
            if write.contexts not in contexts:
                contexts[write.contexts] = _contexts(store, write.contexts)
            write_to(store, declared, contexts[write.contexts], write, may_be_there=True)
        except LineageError as error:
            if is_away(error):
                raise
            raise FailedPreconditionError(f"{path}, line {number}: {error}") from error
        count += 1
    return count


def _parsed(line: str) -> dict[str, Any]:
    try:
        given: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataLossError(f"this is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise DataLossError(f"this is no record of a step: {short_repr(given)}")
    return given


def _contexts(store: Store, names: Sequence[tuple[str, str]]) -> list[Context]:
    contexts: list[Context] = []
    for type_name, name in names:
        contexts.append(context_of(store, type_name, name, contexts[-1] if contexts else None))
    return contexts


def _lock(file: IO[str]) -> bool:
    """Lock a file for as long as it is open, and return whether nobody else has it.

    Where there is no fcntl, as on Windows, a file that is open cannot be removed, which keeps it whole as well.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
