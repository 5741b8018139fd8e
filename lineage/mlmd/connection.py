"""What a MetadataStore calls: a service on a store in this process, or a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urlencode

import lineage
from lineage import registry, schema
from lineage.errors import LineageError, UnimplementedError, shown_url
from lineage.mlmd import errors
from lineage.mlmd.proto import metadata_store_pb2
from lineage.mlmd.service import Service, status_text
from lineage.mlmd.service.handler import rpc
from lineage.mlmd.service.lineage import full_graph, traverse
from lineage.store import Store, default_url

if TYPE_CHECKING:  # it needs gRPC
    from lineage.remote.address import Address
    from lineage.remote.link import Link

__all__ = [
    "Connection",
    "ServerConnection",
    "StoreConnection",
    "bring_down",
    "connect_to",
    "open_database",
    "open_url",
    "shown_parts",
]

_pb: Any = metadata_store_pb2
_MAX_INT32 = 2**31 - 1
_TYPES = ("artifact_types", "execution_types", "context_types")


class Connection(Protocol):
    """Whom the calls go to."""

    page_size: int
    """How many nodes to ask for at a time."""

    def call(self, method_name: str, request: Any) -> Any:
        """Make a call. Raises an error of :mod:`lineage.mlmd.errors`."""
        ...

    def lineage_subgraph(self, options: Any, paths: list[str]) -> Any:
        """Return a LineageGraph with whole nodes, and only the types that they have."""
        ...

    def again(self) -> tuple[Callable[[Any], Connection], object]:
        """Return what connects anew, in another process too, and what it takes: a value to pickle, secrets included.

        Raises an error of :mod:`lineage.mlmd.errors` if it is closed, or nobody else can have its store.
        """
        ...

    def close(self) -> None:
        """Let go of the store or channel."""
        ...


class StoreConnection:
    """Calls in this process. A store that is ``owned`` is closed with the connection."""

    page_size = _MAX_INT32

    def __init__(self, store: Store, *, owned: bool) -> None:
        self._service = Service(store)
        self._owned = owned
        self._closed = False

    def call(self, method_name: str, request: Any) -> Any:
        """Make a call."""
        if self._closed:
            raise _closed_error()
        try:
            return self._service.call(method_name, request)
        except LineageError as error:
            raise errors.make_exception(status_text(error), error.code) from error

    def lineage_subgraph(self, options: Any, paths: list[str]) -> Any:
        """Return what is reached, in one snapshot and with no second look at it."""
        if self._closed:
            raise _closed_error()
        try:
            graph = traverse(self._service, options)
            shown = shown_parts(paths)
            return full_graph(graph, shown) if shown else _pb.LineageGraph()
        except LineageError as error:
            raise errors.make_exception(status_text(error), error.code) from error

    def close(self) -> None:
        """Close the store if it is owned; either way, answer no more calls."""
        self._closed = True
        if self._owned:
            self._service.store.close()

    def again(self) -> tuple[Callable[[Any], StoreConnection], object]:
        """Return what connects to a pickle of the store, and lets go of it if this lets go of its own."""
        if self._closed:
            raise _closed_error()
        try:
            self._service.store.__reduce__()
        except LineageError as error:
            raise errors.make_exception(status_text(error), error.code) from error
        return _connect_to_store, (self._service.store, self._owned)


def _connect_to_store(given: tuple[Store, bool]) -> StoreConnection:
    store, owned = given
    return StoreConnection(store, owned=owned)


def _closed_error() -> errors.FailedPreconditionError:
    return errors.FailedPreconditionError("The store is closed; open it again with MetadataStore")


_NODES = ("artifacts", "executions", "contexts")
_PARTS = (*_TYPES, *_NODES, "events", "attributions", "associations")


def shown_parts(paths: list[str]) -> list[str]:
    """Return the parts of a graph that a mask shows.

    MLMD's client fetches the nodes that the mask names, or all if it names nothing but types, and knows only the types
    of what it fetched.
    """
    if not paths:
        return list(_PARTS)
    fetched = [path for path in paths if path not in _TYPES]
    return [
        part
        for part in _PARTS
        if part in paths and (part not in _TYPES or not fetched or f"{part.removesuffix('_types')}s" in fetched)
    ]


class ServerConnection:
    """Calls to a server."""

    page_size = 100  # more is refused, or worse, by a genuine MLMD server

    def __init__(
        self,
        link: Link,
        again: tuple[Callable[[Any], ServerConnection], object],
        *,
        timeout_s: float | None,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> None:
        """``again``: what makes another connection to this server, and of what."""
        from lineage.mlmd.proto.metadata_store_service_pb2_grpc import MetadataStoreServiceStub

        self._link = link
        self._again = again
        stub_link: Any = link  # it has what a stub needs of a channel
        self._closed = False
        self._timeout_s = timeout_s
        self._metadata = metadata
        self._stub: Any = MetadataStoreServiceStub(stub_link)

    def call(self, method_name: str, request: Any) -> Any:
        """Make a call."""
        import grpc

        if self._closed:
            raise _closed_error()
        try:
            return getattr(self._stub, method_name)(request, timeout=self._timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            failure: Any = error
            raise errors.make_exception(failure.details(), failure.code().value[0]) from error

    def lineage_subgraph(self, options: Any, paths: list[str]) -> Any:
        """Return what is reached: the ids, and then the nodes and types that they belong to."""
        fetched = [path for path in paths if path not in _TYPES]
        request = rpc.GetLineageSubgraphRequest(lineage_subgraph_query_options=options)
        request.read_mask.paths.extend(fetched)
        graph = self.call("GetLineageSubgraph", request).lineage_subgraph
        for name in _TYPES:
            graph.ClearField(name)
        shown = shown_parts(paths)
        for kind in ("Artifact", "Execution", "Context"):
            self._complete(graph, kind, shown)
        for name in (*_NODES, "events", "attributions", "associations"):
            if name not in shown:
                graph.ClearField(name)
        return graph

    def _complete(self, graph: Any, kind: str, shown: list[str]) -> None:
        word = kind.lower()
        ids = sorted(node.id for node in getattr(graph, f"{word}s"))
        if not ids:
            return
        request = getattr(rpc, f"Get{kind}sByIDRequest")(**{f"{word}_ids": ids})
        nodes = getattr(self.call(f"Get{kind}sByID", request), f"{word}s")
        graph.ClearField(f"{word}s")
        getattr(graph, f"{word}s").extend(nodes)
        if f"{word}_types" in shown:
            type_ids = sorted({node.type_id for node in nodes})
            request = getattr(rpc, f"Get{kind}TypesByIDRequest")(type_ids=type_ids)
            types = getattr(self.call(f"Get{kind}TypesByID", request), f"{word}_types")
            if kind == "Artifact":  # MLMD's client has these with the artifacts, and then without it
                for type_ in types:
                    type_.ClearField("base_type")
            getattr(graph, f"{word}_types").extend(types)

    def close(self) -> None:
        """Close the channel."""
        self._closed = True
        self._link.close()

    def again(self) -> tuple[Callable[[Any], ServerConnection], object]:
        """Return what connects to the server, and where it is with how to be let in."""
        if self._closed:
            raise _closed_error()
        return self._again


def connect_to(config: Any) -> ServerConnection:
    """Return a connection to the server of a MetadataStoreClientConfig; it connects when it is first used.

    What it receives may have any size unless the config limits it.
    """
    from lineage.remote.link import Link

    arguments = config.channel_arguments
    limit = arguments.max_receive_message_length if arguments.HasField("max_receive_message_length") else -1
    options = [("grpc.max_receive_message_length", limit)]
    if arguments.HasField("http2_max_ping_strikes"):
        options.append(("grpc.http2.max_ping_strikes", arguments.http2_max_ping_strikes))
    target = f"{config.host}:{config.port}"
    tls = None
    if config.HasField("ssl_config"):
        ssl = config.ssl_config
        tls = ssl.custom_ca.encode() or None, ssl.client_key.encode() or None, ssl.server_cert.encode() or None
    timeout_s = config.client_timeout_sec if config.HasField("client_timeout_sec") else None
    return ServerConnection(Link(target, options=options, tls=tls), (connect_to, config), timeout_s=timeout_s)


# --- URLs and databases ---------------------------------------------------------------------------------------------


def open_url(url: str | None, *, upgrade: bool = False) -> Connection:
    """Open the store of a URL, or connect to its server; None is the default store's.

    Raises RuntimeError if that fails.
    """
    url = default_url() if url is None else url
    if not registry.is_server(url):
        return StoreConnection(_open_store(url, upgrade=upgrade), owned=True)
    from lineage.remote.address import Address

    try:
        return _connect_to_address(Address.parse(url, {}))
    except LineageError as error:
        raise RuntimeError(status_text(error)) from error


def _connect_to_address(address: Address) -> ServerConnection:
    from lineage.remote.address import link_to

    return ServerConnection(
        link_to(address), (_connect_to_address, address), timeout_s=address.timeout_s, metadata=address.metadata
    )


def open_database(config: Any, **options: Any) -> Store:
    """Open the database of a ConnectionConfig. Raises RuntimeError if that fails, as MLMD does."""
    return _open_store(_url_of(config), **options)


def bring_down(config: Any, version: int) -> bool:
    """Bring the database of a ConnectionConfig to an older schema version, or leave it if it is no newer, as MLMD does.

    Returns False for a database without tables, or without MLMD's. Raises RuntimeError if it cannot be done.
    """
    url = _url_of(config)
    try:
        found = schema.status(url)
        if found.version is None or not found.is_whole:
            return False
        if found.version > version:
            schema.downgrade(url, to=version)
    except UnimplementedError:
        return False
    except LineageError as error:
        raise RuntimeError(status_text(error)) from error
    return True


def _open_store(url: str, **options: Any) -> Store:
    try:
        return lineage.open_store(url, **options)
    except LineageError as error:
        raise RuntimeError(status_text(error)) from error


def _url_of(config: Any) -> str:
    match config.WhichOneof("config"):
        case "fake_database":
            return "memory:"
        case "sqlite":
            return _sqlite_url(config.sqlite)
        case "mysql":
            mysql = config.mysql
            ssl = {f"ssl_{field.name}": value for field, value in mysql.ssl_options.ListFields()}
            query = {"socket": mysql.socket, **ssl, "skip_db_creation": mysql.skip_db_creation}
            return _server_url(mysql, "mysql", (mysql.host, mysql.port), mysql.database, query)
        case "postgresql":
            pg = config.postgresql
            ssl = {field.name: value for field, value in pg.ssloption.ListFields()}
            query = {
                "hostaddr": pg.hostaddr,
                "passfile": pg.passfile,
                **ssl,
                "skip_db_creation": pg.skip_db_creation,
            }
            return _server_url(pg, "postgresql", (pg.host, pg.port), pg.dbname, query)
        case "neo4j":
            return _neo4j_url(config.neo4j)
        case _:
            raise RuntimeError("Unset: the ConnectionConfig names no database; set e.g. fake_database or sqlite")


def _sqlite_url(sqlite: Any) -> str:
    if sqlite.filename_uri in ("", ":memory:"):
        return "memory:"
    modes = {1: "ro", 2: "rw"}
    mode = modes.get(sqlite.connection_mode)
    return f"sqlite:///{quote(sqlite.filename_uri, safe='/:')}{f'?mode={mode}' if mode else ''}"


def _server_url(config: Any, scheme: str, place: tuple[str, Any], database: str, query: dict[str, Any]) -> str:
    host, port = place
    given = urlencode({name: "true" if value is True else value for name, value in query.items() if value})
    address = f"{host}:{port}" if port else host
    return f"{scheme}://{_login(config)}{address}/{quote(database, safe='')}{f'?{given}' if given else ''}"


def _login(config: Any) -> str:
    if not config.user and not config.password:
        return ""
    password = f":{quote(config.password, safe='')}" if config.password else ""
    return f"{quote(config.user, safe='')}{password}@"


def _neo4j_url(config: Any) -> str:
    scheme, separator, place = config.uri.partition("://")
    if not separator:
        shown = shown_url(config.uri)
        raise RuntimeError(f"the uri of a Neo4j database is like 'neo4j://localhost:7687', not {shown!r}")
    database = f"/{quote(config.database, safe='')}" if config.database else ""
    return f"{scheme}://{_login(config)}{place.rstrip('/')}{database}"
