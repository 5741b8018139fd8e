"""Stores of servers, over gRPC: by our own protocol, ``lineage.v1``, or by MLMD's.

Ours has the whole native API but for ``snapshot`` and ``bulk``, which need more than one call.

>>> import lineage.remote
>>> store = lineage.remote.connect("grpc://localhost:8080")  # doctest: +SKIP
>>> store.list_artifacts("type = 'Model'")  # doctest: +SKIP

It needs ``pip install 'lineage-graph[server]'``.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lineage.errors import MissingPackageError, UnimplementedError

if TYPE_CHECKING:
    from lineage.remote.base import RemoteStore

__all__ = ["connect"]

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "1")  # gRPC reads it when it is imported; link.py says what for


def connect(url: str, **options: Any) -> RemoteStore:
    """Open the store that a server serves.

    A server of ours is asked by ``lineage.v1``, one that does not know it (MLMD's own) by MLMD's protocol: a
    :class:`~lineage.mlmd.remote.store.MlmdStore` says which methods that lacks.

    ``grpc://HOST:PORT`` is a plain connection, ``grpcs://HOST:PORT`` one with TLS. Options are given by name, in the
    URL's query or in the environment, in this order of precedence:

    ==============  ================  ==============================================================
    option          environment
    ==============  ================  ==============================================================
    ``token``       LINEAGE_TOKEN     the bearer token
    ``ca``          LINEAGE_CA        file of the authorities to trust (PEM); the system's by default
    ``cert``        LINEAGE_CERT      file of the client's certificate, for mutual TLS
    ``key``         LINEAGE_KEY       file of the client's key
    ``timeout_s``                     how long a call may take; no limit by default
    ``plain_token`` ``true``          send a token without TLS to another machine
    ==============  ================  ==============================================================

    Raises InvalidArgumentError for a bad URL or option, UnavailableError if nobody answers there, UnimplementedError if
    what answers speaks neither protocol.
    """
    try:
        from lineage.remote.address import Address
        from lineage.remote.native import NativeRemoteStore
    except ImportError as error:
        if error.name not in ("grpc", "google", "google.protobuf"):
            raise
        package = "grpcio" if error.name == "grpc" else "protobuf"
        raise MissingPackageError(f"{url.partition(':')[0]}://", package, "server", error.name) from error
    address = Address.parse(url, options)
    try:
        return NativeRemoteStore(address)
    except UnimplementedError:
        mlmd = import_module("lineage.mlmd.remote.store")  # by name: the rooms of MLMD stand on this one
        store: RemoteStore = mlmd.open_mlmd_server(address)
        return store
