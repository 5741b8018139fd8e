"""Our own protocol, ``lineage.v1``: the whole native API over gRPC.

>>> import lineage.rpc
>>> store = lineage.rpc.connect("grpc://localhost:8080")  # doctest: +SKIP
>>> store.list_artifacts("type = 'Model'")  # doctest: +SKIP

It needs ``pip install 'lineage-graph[server]'``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.rpc.remote import RemoteStore

__all__ = ["connect"]


def connect(url: str, **options: Any) -> RemoteStore:
    """Open the store that a server serves.

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

    Raises InvalidArgumentError for a bad URL or option, UnavailableError if nobody answers there.
    """
    try:
        from lineage.rpc.remote import RemoteStore
    except ImportError as error:
        if error.name not in ("grpc", "google", "google.protobuf"):
            raise
        raise ImportError(
            f"{url.partition(':')[0]}:// needs the packages grpcio and protobuf; install them with: "
            "pip install 'lineage-graph[server]'",
            name=error.name,
        ) from error
    return RemoteStore(url, **options)
