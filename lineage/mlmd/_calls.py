"""What the calls of all subjects share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.model import NodeKind
from lineage.store import Store
from lineage.unit_of_work import repeated

if TYPE_CHECKING:
    from lineage.mlmd._type_names import TypeNames

Result = TypeVar("Result")

rpc: Any = metadata_store_service_pb2
"""The classes of requests and responses, looked up when they are needed: ``install()`` changes them."""


class Server(Protocol):
    """Whom a call is made to."""

    store: Store
    type_names: TypeNames


def together(store: Store, read: Callable[[], Result]) -> Result:
    """Read several things of one state of the store, once more if the store says that this may help."""

    def attempt() -> Result:
        with store.snapshot():
            return read()

    return repeated(attempt)


Handler: TypeAlias = Callable[[Any, Any], Any]
"""Takes a :class:`Server` and a request, returns a response."""

PLURAL: Mapping[NodeKind, str] = {
    NodeKind.ARTIFACT: "artifacts",
    NodeKind.EXECUTION: "executions",
    NodeKind.CONTEXT: "contexts",
}
"""The kinds as they are called in the names of methods and fields."""
