"""A gRPC server of a store: MLMD's service, and our own for what MLMD's protocol cannot express.

>>> import lineage
>>> from lineage.server import Server, ServerOptions
>>> with lineage.open_store("memory:") as store, Server(store, ServerOptions(port=0)) as server:
...     server.port > 0
True

``lineage serve`` is the same from the command line; docs/server.md describes it. It needs
``pip install 'lineage-graph[server]'``.
"""

from lineage.errors import MissingPackageError as _MissingPackageError

try:
    import grpc as _grpc
except ImportError as error:
    raise _MissingPackageError("lineage.server", "grpcio", "server", "grpc") from error

from lineage.server.access import CertificateRoles, Role, TokenFile
from lineage.server.options import ServerOptions, Tls
from lineage.server.server import Server

del _grpc

__all__ = ["CertificateRoles", "Role", "Server", "ServerOptions", "Tls", "TokenFile"]
