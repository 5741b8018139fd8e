"""Stores of servers, over gRPC: by our own protocol, ``lineage.v1``, or by MLMD's.

Ours has the whole native API but for ``snapshot`` and ``bulk``, which need more than one call.

>>> import lineage.rpc
>>> store = lineage.rpc.connect("grpc://localhost:8080")  # doctest: +SKIP
>>> store.list_artifacts("type = 'Model'")  # doctest: +SKIP

It needs ``pip install 'lineage-graph[server]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import UnimplementedError

if TYPE_CHECKING:
    from lineage.rpc.served import ServedStore

__all__ = ["connect"]


def connect(url: str, **options: Any) -> ServedStore:
    """Open the store that a server serves.

    A server of ours is asked by ``lineage.v1``, one that does not know it (MLMD's own) by MLMD's protocol: a
    :class:`~lineage.rpc.mlmd_store.MlmdStore` says which methods that lacks.

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
        from lineage.rpc.address import Address
        from lineage.rpc.remote import RemoteStore
    except ImportError as error:
        if error.name not in ("grpc", "google", "google.protobuf"):
            raise
        raise ImportError(
            f"{url.partition(':')[0]}:// needs the packages grpcio and protobuf; install them with: "
            "pip install 'lineage-graph[server]'",
            name=error.name,
        ) from error
    address = Address.parse(url, options)
    try:
        return RemoteStore(address)
    except UnimplementedError:
        from lineage.rpc.mlmd_store import open_mlmd_server

        return open_mlmd_server(address)
