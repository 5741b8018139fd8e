"""Lists by MLMD's options, and MLMD's page tokens.

A token is the web-safe base64, without padding, of a ListOperationNextPageToken. The place in it is the engine's: the
last node's order value and its id, also for lists by update time, where MLMD keeps a list of ids and may never end.
"""

from __future__ import annotations

import base64
from typing import Any

from google.protobuf.message import DecodeError

from lineage.errors import InvalidArgumentError, short_repr
from lineage.kinds import of_kind
from lineage.mlmd.proto import metadata_store_pb2
from lineage.mlmd.service.handler import checked_filter
from lineage.model import NodeKind
from lineage.reading.lists import Page, page_token_of
from lineage.seam import OrderBy
from lineage.store import Store

__all__ = ["page"]

_pb: Any = metadata_store_pb2
_ORDERS = {1: OrderBy.CREATE_TIME, 2: OrderBy.LAST_UPDATE_TIME, 3: OrderBy.ID}


def page(store: Store, kind: NodeKind, options: Any, **narrow: Any) -> tuple[tuple[Any, ...], str]:
    """Return a page of nodes and the token of the next one, empty if there is none."""
    if options.max_result_size <= 0:
        raise InvalidArgumentError(
            f"max_result_size field value is required to be greater than 0. Set value: {options.max_result_size}"
        )
    order, descending = _order(options)
    found: Page[Any] = of_kind(store, kind).list(
        checked_filter(options.filter_query),
        order_by=order,
        descending=descending,
        limit=options.max_result_size,
        page_token=_engine_token(options.next_page_token) if options.next_page_token else None,
        **narrow,
    )
    return found.nodes, "" if found.next_page_token is None else _token(found.nodes[-1], order, options)


def _order(options: Any) -> tuple[OrderBy, bool]:
    by = options.order_by_field
    if by.field not in _ORDERS:
        raise InvalidArgumentError("unsupported field: FIELD_UNSPECIFIED; order by CREATE_TIME, LAST_UPDATE_TIME or ID")
    return _ORDERS[by.field], not by.is_asc


def _token(last: Any, order: OrderBy, options: Any) -> str:
    token = _pb.ListOperationNextPageToken(
        id_offset=last.id, field_offset=getattr(last, order.value), set_options=options
    )
    token.set_options.ClearField("next_page_token")
    return base64.urlsafe_b64encode(token.SerializeToString()).decode().rstrip("=")


def _engine_token(text: str) -> str:
    shown = short_repr(text)
    try:
        content = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (AttributeError, ValueError):  # protobuf gives bytes where text is not UTF-8
        raise InvalidArgumentError(
            f"failed to decode next page token string {shown}; pass it as it was returned"
        ) from None
    try:
        token = _pb.ListOperationNextPageToken.FromString(content)
    except DecodeError:
        raise InvalidArgumentError(
            f"failed to parse decoded next page token {shown}; pass it as it was returned"
        ) from None
    order, descending = _order(token.set_options)
    if not token.HasField("field_offset") or not token.HasField("id_offset"):
        raise InvalidArgumentError(f"the next page token {shown} is of another service; start again without a token")
    return page_token_of((token.field_offset, token.id_offset), order, descending=descending)
