"""The store: the engine's public API."""

from __future__ import annotations

import logging
import os
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from lineage import registry
from lineage.api.bulk import BulkMethods
from lineage.api.database import DatabaseMethods
from lineage.api.lineage import LineageMethods
from lineage.api.links import LinkMethods
from lineage.api.lists import ListMethods
from lineage.api.nodes import NodeMethods
from lineage.api.processes import Opening, opening_of, own_lock, remember_opening
from lineage.api.questions import QuestionMethods
from lineage.api.removal import RemovalMethods
from lineage.api.served import not_served
from lineage.api.types import TypeMethods
from lineage.api.units import BackendUnits, Units
from lineage.errors import InvalidArgumentError, UnimplementedError, shown_url
from lineage.model.arguments import checked_flag
from lineage.seam.deadline import checked_timeout_s
from lineage.seam.repeating import CALL_TIMEOUT_S

if TYPE_CHECKING:
    from datetime import datetime

    from typing_extensions import Self, Unpack

__all__ = ["Store", "StoreOptions", "default_url", "open_store"]

_logger = logging.getLogger("lineage")


class Store(
    TypeMethods,
    NodeMethods,
    ListMethods,
    LinkMethods,
    LineageMethods,
    QuestionMethods,
    RemovalMethods,
    BulkMethods,
    DatabaseMethods,
):
    """A record of how data and models were made. Open one with :func:`open_store`.

    Every method is one unit of work: it sees one state of the store, and changes all that it should or nothing. (On
    Neo4j, which has no snapshots, each statement sees one state.) A store may be used from several threads. Errors are
    those of :mod:`lineage.errors`.

    The examples of the methods start from a store of one training step::

        data/iris.csv ──INPUT──> train-1 ──OUTPUT──> models/1
          DataSet "iris" (1)      Trainer (1)         Model "iris-model" (2)       in the Run "run-1" (1): train-1,
          iris-model
    """

    @property
    def url(self) -> str:
        """The URL that this store was opened with, without its login."""
        return self._url

    @not_served("each call of the store that it returns says the time")
    def as_of(self, time: int | datetime) -> Store:
        """Return this store as it was known at a time: its reads see what had been put by then; nothing can be put.

        ``time`` is a datetime with a time zone, or milliseconds since 1970; what was put in that millisecond counts.
        Nodes are told apart by their create time, and events by theirs, in filters too. That a context holds a node
        counts from when both were there, for it has no time; an event that has none was at no time. The record cannot
        tell what a node was before it was changed, and nothing of what was removed: a node is as it is now, and its
        ``last_update_time_ms`` says whether it was changed since. Types are as they are now. This store stays open when
        the one that is returned is closed.

        Raises InvalidArgumentError for what is no time.

        >>> [before] = store.get_artifacts_by_id([2])
        >>> _ = store.put_artifacts([Artifact(type="Model", name="later")])
        >>> past = store.as_of(before.create_time_ms)
        >>> past.list_artifacts("name = 'later'").nodes, past.get_artifacts_by_id([2]) == [before]
        ((), True)
        >>> past.put_artifacts([])
        Traceback (most recent call last):
            ...
        lineage.errors.FailedPreconditionError: what a store knew at a time cannot be changed; write to the store itself
        """
        from lineage.api.as_of import UnitsAsOf, checked_moment  # few ask

        self._check_open()
        time_ms = checked_moment(time)
        return _StoreAsOf(self, UnitsAsOf(self._any_units("what was known at a time"), time_ms), time_ms)

    @not_served("a client closes its own connection")
    def close(self) -> None:
        """Let go of the backend. A store in memory is gone then; closing twice is fine.

        >>> store.close()
        >>> store.get_artifact_types()
        Traceback (most recent call last):
            ...
        lineage.errors.FailedPreconditionError: the store is closed; open it again with lineage.open_store
        """
        if not self._closed:
            self._closed = True
            if self._units is not None:
                self._units.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how the store was opened, secrets included; where it is unpickled it is opened again."""
        self._check_open()
        units, opening = self._units, opening_of(self)
        if opening is None or (isinstance(units, BackendUnits) and not units.can_reopen):
            raise UnimplementedError(
                f"{self!r} cannot be pickled: it is in this process alone, or was not opened by lineage.open_store; "
                "return results to this process and put them here, or use a store that others can open by its URL"
            )
        return Store._opened_again, (opening,)

    @staticmethod
    def _opened_again(opening: Opening) -> Store:
        """Return the store of an opening in this process: one for all pickles of it, kept as long as the process."""
        with own_lock():
            store = _opened_here.get(opening.key)
            if store is None or store._closed:
                store = _opened_here[opening.key] = open_store(opening.url, **opening.options)
            return store

    def __repr__(self) -> str:
        return f"Store({self._url!r}{', closed' if self._closed else ''})"


class _StoreAsOf(Store):
    """See :meth:`Store.as_of`."""

    def __init__(self, store: Store, units: Units, time_ms: int) -> None:
        super().__init__(units, url=store.url)
        self._store, self._time_ms = store, time_ms

    def as_of(self, time: int | datetime) -> Store:
        from lineage.api.as_of import checked_moment

        self._check_open()
        return self._store.as_of(min(checked_moment(time), self._time_ms))

    def _cannot(self, what: str, instead: str = "") -> UnimplementedError:
        del instead
        return UnimplementedError(f"{what} cannot be had of what the store knew at a time; ask the store itself")

    def __repr__(self) -> str:
        return f"Store({self._url!r}, as of {self._time_ms}{', closed' if self._closed else ''})"


_opened_here: dict[str, Store] = {}
"""Stores that were unpickled, by the keys of their openings."""


class StoreOptions(TypedDict, total=False):
    """The options of :func:`open_store`, for type checkers. A kind of store refuses those that are of others."""

    # of every store
    timeout_s: float | None
    # of databases and files
    read_only: bool
    upgrade: bool
    # of Neo4j, MySQL and PostgreSQL
    user: str | None
    password: str | None
    # of SQLite
    mode: Literal["rwc", "rw", "ro"]
    journal_mode: Literal["wal", "delete"]
    # of MySQL and PostgreSQL
    pool_size: int
    skip_db_creation: bool
    # of MySQL
    socket: str | os.PathLike[str]
    ssl_key: str | os.PathLike[str]
    ssl_cert: str | os.PathLike[str]
    ssl_ca: str | os.PathLike[str]
    ssl_capath: str | os.PathLike[str]
    ssl_cipher: str
    ssl_verify_server_cert: bool
    # of PostgreSQL
    host: str
    hostaddr: str
    passfile: str | os.PathLike[str]
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
    sslcert: str | os.PathLike[str]
    sslkey: str | os.PathLike[str]
    sslpassword: str
    sslrootcert: str | os.PathLike[str]
    # of Neo4j
    database: str | None
    index_declared_properties: bool
    max_connection_pool_size: int
    connection_acquisition_timeout: float
    connection_timeout: float
    max_connection_lifetime: float
    liveness_check_timeout: float | None
    keep_alive: bool
    trusted_certificates: object
    encrypted: bool
    # of servers
    token: str | None
    ca: str | os.PathLike[str] | None
    cert: str | os.PathLike[str] | None
    key: str | os.PathLike[str] | None
    plain_token: bool | str


def default_url() -> str:
    """Return where the store is if nobody says: what ``LINEAGE_STORE`` says, else ``lineage.db`` in this folder.

    Says so at INFO on the logger ``lineage``.
    """
    given = os.environ.get("LINEAGE_STORE")
    if given:
        _logger.info("the store is %s, as LINEAGE_STORE says", shown_url(given))
        return given
    path = os.path.abspath("lineage.db")  # noqa: PTH100  # a str: it is a URL
    _logger.info("the store is %s; an argument or LINEAGE_STORE names another one", path)
    return path


def open_store(url: str | os.PathLike[str] | None = None, **options: Unpack[StoreOptions]) -> Store:
    """Open a store, and create what is missing in it.

    A path, or ``sqlite:///PATH``, is a file that lasts: an SQLite database with MLMD's tables, be it one of MLMD's own.
    Without ``url`` it is what the environment variable ``LINEAGE_STORE`` says, else ``lineage.db`` in the working
    directory; the logger ``lineage`` says which at INFO. ``memory:`` is a new store in this process, gone when it is
    closed. Raises InvalidArgumentError for an unknown URL or option, FailedPreconditionError for a file that is no
    store, and for one that is older or altered: then nothing is touched.

    ``timeout_s`` is how long a call may take, 30 by default, None without a limit: the time in which a call on Neo4j is
    repeated that met a deadlock or a lost connection, and in which every wait within it ends. Then it raises the error
    that was in its way, or DeadlineExceededError. A call that changes many nodes, such as
    :meth:`~Store.bulk`, has that time for each batch.

    With ``read_only`` nothing is written, not when it is opened either: a database that is no store yet raises
    FailedPreconditionError, and every write PermissionDeniedError. A database with an older schema raises
    FailedPreconditionError and is brought up to date only with ``upgrade``; close its other clients before.

    ``grpc://HOST:PORT`` (``grpcs://`` with TLS) is the store of a server; :func:`lineage.remote.connect` has its
    options. Type checkers know the options of all stores; each refuses those that it does not have.

    >>> import lineage
    >>> with lineage.open_store("memory:") as store:
    ...     store.put_artifact_type(lineage.ArtifactType(name="DataSet"))
    10
    """
    url = default_url() if url is None else registry.url_of(url)
    opening = Opening(url, dict(options))
    store = _opened(url, dict(options))
    remember_opening(store, opening)
    return store


def _opened(url: str, options: dict[str, Any]) -> Store:
    if registry.is_server(url):
        remote = import_module("lineage.remote")  # by name: the rooms of servers stand on this one
        store: Store = remote.connect(url, **options)
        return store
    timeout_s = checked_timeout_s(options.pop("timeout_s", CALL_TIMEOUT_S))
    read_only, upgrade = (checked_flag(options.pop(name, False), name) for name in ("read_only", "upgrade"))
    if read_only and upgrade:
        raise InvalidArgumentError("an upgrade writes, and read_only=True lets nothing be written; leave one out")
    backend = registry.open_backend(url, **options)
    return Store(BackendUnits(backend, timeout_s=timeout_s, read_only=read_only, upgrade=upgrade), url=shown_url(url))
