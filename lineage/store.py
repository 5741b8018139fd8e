"""The store: the engine's public API."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from lineage import registry
from lineage._bulk_api import BulkMethods
from lineage._database_api import DatabaseMethods
from lineage._lineage_api import LineageMethods
from lineage._links_api import LinkMethods
from lineage._nodes_api import NodeMethods
from lineage._types_api import TypeMethods

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Store", "open_store"]


class Store(TypeMethods, NodeMethods, LinkMethods, LineageMethods, BulkMethods, DatabaseMethods):
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
        """The URL that this store was opened with."""
        return self._url

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
            self._backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self._url!r}{', closed' if self._closed else ''})"


def open_store(url: str = "memory:", **options: Any) -> Store:
    """Open a store, and create what is missing in it.

    ``memory:`` is a new store in this process, gone when it is closed. Raises InvalidArgumentError for an unknown URL
    or option.

    ``grpc://HOST:PORT`` (``grpcs://`` with TLS) is the store of a server; :func:`lineage.rpc.connect` has its options.

    >>> import lineage
    >>> with lineage.open_store("memory:") as store:
    ...     store.put_artifact_type(lineage.ArtifactType(name="DataSet"))
    10
    """
    opened = registry.open_url(url, **options)
    return opened if isinstance(opened, Store) else Store(opened, url=url)
