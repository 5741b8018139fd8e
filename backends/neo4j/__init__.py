"""The store in Neo4j."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import MissingPackageError

if TYPE_CHECKING:
    from backends.neo4j.backend import Neo4jBackend

__all__ = ["open_backend"]


def open_backend(
    url: str,
    *,
    user: str | None = None,
    password: str | None = None,
    database: str | None = None,
    index_declared_properties: bool = True,
    **options: Any,
) -> Neo4jBackend:
    """Return the store at ``neo4j://USER:PASSWORD@HOST:PORT/DATABASE``; what the URL leaves out may be an argument.

    ``options`` are the driver's: ``connection_timeout``, ``max_connection_pool_size`` and others.
    """
    try:
        from backends.neo4j.backend import Neo4jBackend
        from backends.neo4j.connection import connector, parse_address
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "neo4j":
            raise
        raise MissingPackageError(f"{url.partition(':')[0]}://", "neo4j", "neo4j", "neo4j") from error
    address = parse_address(url, user=user, password=password, database=database)
    connect = connector(address, options)
    return Neo4jBackend(connect, address, index_declared_properties=index_declared_properties)
