"""MLMD's client: :class:`MetadataStore` and what goes with it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message

from lineage.mlmd import errors
from lineage.mlmd.connection import Connection, StoreConnection, bring_down, connect_to, open_database, open_url
from lineage.mlmd.descriptors import own
from lineage.mlmd.metadata_store._core import ExtraOptions, ListOptions, OrderByField, pb
from lineage.mlmd.metadata_store._link_methods import LinkMethods
from lineage.mlmd.metadata_store._node_methods import NodeMethods
from lineage.mlmd.metadata_store._type_methods import TypeMethods
from lineage.mlmd.proto.metadata_store_pb2 import ConnectionConfig, MetadataStoreClientConfig
from lineage.remote.base import RemoteStore
from lineage.store import Store

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["MAX_NUM_RESULT", "ExtraOptions", "ListOptions", "MetadataStore", "OrderByField", "downgrade_schema"]

MAX_NUM_RESULT = 100
"""How many nodes a genuine MLMD server returns in a page."""

SCHEMA_VERSION = 10
"""The version of MLMD's SQL schema that this is the library of."""

_DEFAULT_ATTEMPTS = 5
_DEFAULT_STORE: Any = object()
"""Stands for an argument that was left out: None is refused, as MLMD's does."""


class MetadataStore(TypeMethods, NodeMethods, LinkMethods):
    """MLMD's interface to a record of artifacts, executions and contexts.

    ``config`` is a ConnectionConfig, a MetadataStoreClientConfig, the URL of a store (``"memory:"``,
    ``"neo4j://..."``) or of a server (``"grpc://localhost:8080"``), or a store in this process that is open already;
    without it, the default store of :func:`lineage.open_store`.
    Raises ValueError for anything else, RuntimeError if the store cannot be opened. A call that a conflicting write
    aborted is made again, up to 5 times in all or as often as the config's ``retry_options`` say.

    What it opened itself it lets go of when it is closed, or when nothing refers to it any more: MLMD's has no
    ``close``. A store that was given stays open.

    It can be pickled, and connects anew where it is unpickled, as a :class:`lineage.Store` does: the pickle holds the
    password or token. UnimplementedError for a store in memory, and for one that was given and no URL opened.

    >>> from lineage.mlmd import MetadataStore
    >>> from lineage.mlmd.proto import metadata_store_pb2
    >>> with MetadataStore("memory:") as store:
    ...     type_id = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="DataSet"))
    ...     store.put_artifacts([metadata_store_pb2.Artifact(type_id=type_id, uri="data/iris.csv")])
    [1]
    """

    def __init__(
        self,
        config: ConnectionConfig | MetadataStoreClientConfig | Store | str = _DEFAULT_STORE,
        enable_upgrade_migration: bool = False,
    ) -> None:
        self._max_num_retries = _DEFAULT_ATTEMPTS
        connection: Connection
        name = config.DESCRIPTOR.full_name if isinstance(config, Message) else None
        if isinstance(config, RemoteStore):
            raise ValueError(
                f"{config!r} is the store of a server, which MetadataStore calls by itself: pass the URL, "
                f"MetadataStore({config.url!r}); a token goes into it or into $LINEAGE_TOKEN"
            )
        if isinstance(config, Store):
            connection = StoreConnection(config, owned=False)
        elif config is _DEFAULT_STORE or isinstance(config, str):
            connection = open_url(config if isinstance(config, str) else None, upgrade=enable_upgrade_migration)
        elif name == "ml_metadata.ConnectionConfig":
            database: Any = own(pb.ConnectionConfig, config)
            if database.HasField("retry_options"):
                self._max_num_retries = database.retry_options.max_num_retries
            connection = StoreConnection(open_database(database, upgrade=enable_upgrade_migration), owned=True)
        elif name == "ml_metadata.MetadataStoreClientConfig":
            if enable_upgrade_migration:
                raise ValueError("Upgrade migration is not allowed when using gRPC: migrate where the server runs")
            connection = connect_to(own(pb.MetadataStoreClientConfig, config))
        else:
            raise ValueError(
                "MetadataStore is expecting either a ConnectionConfig, a MetadataStoreClientConfig, the URL of a store "
                f"or an open store, not {name or type(config).__name__}"
            )
        self._connect(connection)

    def _connect(self, connection: Connection) -> None:
        self._connection = connection
        self._close = weakref.finalize(self, connection.close)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how to connect again, secrets included."""
        connect, server = self._connection.again()
        rest = {name: value for name, value in vars(self).items() if name not in ("_connection", "_close")}
        return self._connected, (connect, server), rest

    @classmethod
    def _connected(cls, connect: Callable[[Any], Connection], server: object) -> Self:
        store = cls.__new__(cls)
        store._connect(connect(server))
        return store

    @property
    def pipeline_asset(self) -> None:
        """Always None."""

    def close(self) -> None:
        """Let go of the database or server; closing twice is fine. An addition to MLMD's interface."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def downgrade_schema(config: ConnectionConfig, downgrade_to_schema_version: int) -> None:
    """Bring a database to an older version of MLMD's SQL schema.

    Raises InvalidArgumentError for a version that there is not, RuntimeError if it cannot be done.
    """
    if downgrade_to_schema_version < 0:
        raise errors.InvalidArgumentError("downgrade_to_schema_version not specified")
    if downgrade_to_schema_version > SCHEMA_VERSION:
        raise errors.InvalidArgumentError(
            f"MLMD cannot be downgraded to schema_version: {downgrade_to_schema_version}. It should be at least 0 and "
            f"less than the version of this library, {SCHEMA_VERSION}"
        )
    if isinstance(config, Message) and bring_down(own(pb.ConnectionConfig, config), downgrade_to_schema_version):
        return
    with MetadataStore(config) as store:
        if store.get_artifact_types() or store.get_execution_types() or store.get_context_types():
            raise RuntimeError("This database does not have MLMD's SQL schema. Downgrade operation is not needed.")
        raise RuntimeError("Empty database is given. Downgrade operation is not needed.")
