"""What the groups of MetadataStore methods stand on: options, calls with retries, lists in pages."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from enum import Enum
from importlib import import_module
from typing import Any, cast

from lineage.mlmd import errors
from lineage.mlmd.connection import Connection
from lineage.mlmd.descriptors import own
from lineage.mlmd.proto import metadata_store_pb2, metadata_store_service_pb2

__all__ = [
    "MEAN_RETRY_DELAY_S",
    "ExtraOptions",
    "ListOptions",
    "OrderByField",
    "StoreCore",
    "copied",
    "copy_into",
    "pb",
    "rpc",
]

pb: Any = metadata_store_pb2
rpc: Any = metadata_store_service_pb2
"""The message classes, looked up at each use: ``install()`` changes them."""

MEAN_RETRY_DELAY_S = 2.0


class OrderByField(Enum):
    """What a list is ordered by."""

    CREATE_TIME = 1
    UPDATE_TIME = 2
    ID = 3


class _Attrs(type):
    """A class whose fields attrs knows too (``attr.evolve``, ``attr.asdict``), as it made MLMD's; we do without it."""

    @property
    def __attrs_attrs__(cls) -> Any:
        attr: Any = import_module("attr")  # only attrs asks
        made = {each.name: attr.ib(default=each.default, type=each.type) for each in fields(cast("Any", cls))}
        return attr.make_class(cls.__name__, made).__attrs_attrs__


@dataclass(order=True)
class ListOptions(metaclass=_Attrs):
    """How to list nodes.

    ``limit``: at most so many; all of them if None or 0. ``order_by`` an :class:`OrderByField`, and ``is_asc`` whether
    the order goes up; without ``order_by`` it is by id. ``filter_query``: which nodes.
    """

    limit: int | None = None
    order_by: OrderByField | None = None
    is_asc: bool = True
    filter_query: str | None = None


class ExtraOptions:
    """Has no effect."""

    def __init__(self, euc: Any = None) -> None:
        self.euc = euc


class StoreCore:
    """A connection, and calls over it."""

    _connection: Connection
    _max_num_retries: int

    def _call(self, method_name: str, request: Any) -> Any:
        return self._retried(self._connection.call, method_name, request)

    def _retried(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Make a call, again and again while it is aborted, as often as was agreed."""
        attempt = 1
        while True:
            try:
                return call(*arguments)
            except errors.AbortedError:
                if attempt >= self._max_num_retries:
                    raise
            attempt += 1
            time.sleep(random.expovariate(1 / MEAN_RETRY_DELAY_S))

    def _list(self, method_name: str, field: str, request: Any, options: ListOptions | None) -> list[Any]:
        """Return all nodes that the options let through, page after page."""
        if options is None:
            return list(getattr(self._call(method_name, request), field))
        limit = options.limit
        if limit is not None and limit < 0:
            raise errors.InvalidArgumentError(
                f"Invalid list_options.limit value passed. It must be positive, or None for no limit, not {limit}"
            )
        given = request.options
        given.order_by_field.is_asc = options.is_asc
        if options.order_by is not None:
            given.order_by_field.field = options.order_by.value
        if options.filter_query:
            given.filter_query = options.filter_query
        page_size = self._connection.page_size
        nodes: list[Any] = []
        while True:
            given.max_result_size = min(page_size, limit - len(nodes)) if limit else page_size
            response = self._call(method_name, request)
            nodes += getattr(response, field)
            if not response.next_page_token or (limit and len(nodes) >= limit):
                return nodes
            given.next_page_token = response.next_page_token


def copied(target: Any, messages: Iterable[Any]) -> None:
    """Add messages to a repeated field, those of another descriptor pool converted. Raises TypeError for others."""
    for message in messages:
        added = target.add()
        added.CopyFrom(own(type(added), message))


def copy_into(target: Any, message: Any) -> None:
    """Copy a message, of any descriptor pool, into a field; None leaves it unset."""
    if message is not None:
        target.CopyFrom(own(type(target), message))
