"""What the calls of all subjects share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, TypeAlias, TypeVar

from lineage.errors import InvalidArgumentError, NotFoundError, short_list
from lineage.mlmd.proto import metadata_store_service_pb2
from lineage.mlmd.service.type_names import TypeNames
from lineage.seam.repeating import repeated
from lineage.store import Store

__all__ = ["AnyService", "Handler", "Result", "by_external_ids", "checked_filter", "rpc", "together"]

Result = TypeVar("Result")

rpc: Any = metadata_store_service_pb2
"""The classes of requests and responses, looked up when they are needed: ``install()`` changes them."""


class AnyService(Protocol):
    """Whom a call is made to: what every call needs of a :class:`~lineage.mlmd.service.Service`."""

    store: Store
    lenient: Store
    """The same, to put nodes through."""
    type_names: TypeNames


def together(store: Store, read: Callable[[], Result]) -> Result:
    """Read several things of one state of the store, once more if the store says that this may help."""

    def attempt() -> Result:
        with store.snapshot():
            return read()

    return repeated(attempt)


def by_external_ids(get: Callable[..., list[Any]], what: str, external_ids: Iterable[str]) -> list[Any]:
    """Return what has these external ids, each once, by id. Raises NotFoundError if none of them is there."""
    wanted = list(dict.fromkeys(external_ids))
    found = get(wanted, missing="skip")
    if wanted and not found:
        raise NotFoundError(f"no {what} found for external_ids {short_list(wanted)}")
    return sorted(found, key=lambda each: each.id or 0)


def checked_filter(text: str) -> str | None:
    """Return a message's filter, None for an empty one. Raises InvalidArgumentError for a blank one, as MLMD does."""
    if text and not text.strip():
        raise InvalidArgumentError("invalid `filter_query`: it is blank; leave it out")
    return text or None


Handler: TypeAlias = Callable[[Any, Any], Any]
"""Takes an :class:`AnyService` and a request, returns a response."""
