"""Stub and servicer of MLMD's gRPC service, made from its descriptor; they need grpcio."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from lineage.errors import MissingPackageError
from lineage.mlmd.proto import metadata_store_service_pb2

try:
    import grpc
except ImportError as error:
    raise MissingPackageError("gRPC", "grpcio", "server", "grpc") from error

_SERVICE = "ml_metadata.MetadataStoreService"


def _methods() -> list[tuple[str, Any, Any]]:
    """Return each call's name with the classes of its request and response."""
    pb: Any = metadata_store_service_pb2
    return [
        (method.name, getattr(pb, method.input_type.name), getattr(pb, method.output_type.name))
        for method in pb.DESCRIPTOR.services_by_name["MetadataStoreService"].methods
    ]


class MetadataStoreServiceStub:
    """A client of the service: every call is an attribute, to be called with a request."""

    def __init__(self, channel: Any) -> None:
        for name, request, response in _methods():
            call = channel.unary_unary(
                f"/{_SERVICE}/{name}",
                request_serializer=request.SerializeToString,
                response_deserializer=response.FromString,
            )
            setattr(self, name, call)


def _unimplemented(name: str) -> Callable[..., Any]:
    def method(self: object, request: Any, context: Any) -> Any:  # noqa: ARG001  # gRPC's signature
        context.set_code(grpc.StatusCode.UNIMPLEMENTED)
        context.set_details("Method not implemented!")
        raise NotImplementedError("Method not implemented!")

    method.__name__ = name
    return method


MetadataStoreServiceServicer = type(
    "MetadataStoreServiceServicer",
    (),
    {
        "__doc__": "Base of servers of the service: override the calls that you offer.",
        "__module__": __name__,
        **{name: _unimplemented(name) for name, _, _ in _methods()},
    },
)


def add_MetadataStoreServiceServicer_to_server(servicer: Any, server: Any) -> None:  # noqa: N802  # as gRPC names it
    """Let a gRPC server answer the service's calls by the methods of ``servicer``."""
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            getattr(servicer, name),
            request_deserializer=request.FromString,
            response_serializer=response.SerializeToString,
        )
        for name, request, response in _methods()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    if hasattr(server, "add_registered_method_handlers"):
        server.add_registered_method_handlers(_SERVICE, handlers)


def _single_call(name: str, request_class: Any, response_class: Any) -> staticmethod[..., Any]:
    def call(  # noqa: PLR0917  # as generated code has it
        request: Any,
        target: str,
        options: Any = (),
        channel_credentials: Any = None,
        call_credentials: Any = None,
        insecure: bool = False,
        compression: Any = None,
        wait_for_ready: bool | None = None,
        timeout: float | None = None,
        metadata: Any = None,
    ) -> Any:
        experimental: Any = import_module("grpc.experimental")
        return experimental.unary_unary(
            request,
            target,
            f"/{_SERVICE}/{name}",
            request_class.SerializeToString,
            response_class.FromString,
            options,
            channel_credentials,
            insecure,
            call_credentials,
            compression,
            wait_for_ready,
            timeout,
            metadata,
        )

    call.__name__ = name
    return staticmethod(call)


MetadataStoreService = type(
    "MetadataStoreService",
    (),
    {
        "__doc__": "The calls without a stub: each takes the server's address. An experimental API of gRPC.",
        "__module__": __name__,
        **{name: _single_call(name, request, response) for name, request, response in _methods()},
    },
)
