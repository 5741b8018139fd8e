"""Calls about types."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from lineage.errors import UnimplementedError
from lineage.kinds import of_kind
from lineage.mlmd.conversion import TYPE_FROM_PROTO, repeated, to_proto
from lineage.mlmd.service.handler import AnyService, Handler, by_external_ids, rpc
from lineage.model import NodeKind, NodeType

__all__ = ["HANDLERS", "without"]


def without(types: Iterable[NodeType], *fields: str) -> list[NodeType]:
    """Return the types without these fields: not every read returns all."""
    return [
        type_.replace_trusted(**{name: None for name in fields if name in type_.__dict__})
        if any(getattr(type_, name, None) is not None for name in fields)
        else type_
        for type_ in types
    ]


def _check_flags(request: Any) -> None:
    if not request.all_fields_match:
        raise UnimplementedError("must match all fields: all_fields_match=False is not supported; leave it out")


def _put_type(kind: NodeKind, service: AnyService, request: Any) -> Any:
    _check_flags(request)
    word = kind.lower()
    type_id = of_kind(service.store, kind).put_type(
        TYPE_FROM_PROTO[kind](getattr(request, f"{word}_type")),
        can_add_fields=request.can_add_fields,
        can_omit_fields=request.can_omit_fields,
    )
    return getattr(rpc, f"Put{kind}TypeResponse")(type_id=type_id)


def _put_types(service: AnyService, request: Any) -> Any:
    _check_flags(request)
    result = service.store.put_types(
        artifact_types=map(TYPE_FROM_PROTO[NodeKind.ARTIFACT], request.artifact_types),
        execution_types=map(TYPE_FROM_PROTO[NodeKind.EXECUTION], request.execution_types),
        context_types=map(TYPE_FROM_PROTO[NodeKind.CONTEXT], request.context_types),
        can_add_fields=request.can_add_fields,
        can_omit_fields=request.can_omit_fields,
    )
    return rpc.PutTypesResponse(**result._asdict())


def _get_type(kind: NodeKind, service: AnyService, request: Any) -> Any:
    word = kind.lower()
    found = of_kind(service.store, kind).type(request.type_name, request.type_version or None)
    return getattr(rpc, f"Get{kind}TypeResponse")(**{f"{word}_type": to_proto(found)})


def _get_types(kind: NodeKind, service: AnyService, request: Any) -> Any:
    del request  # it asks for nothing in particular
    types = of_kind(service.store, kind).types()
    return getattr(rpc, f"Get{kind}TypesResponse").FromString(repeated(1, without(types, "external_id")))


def _get_types_by_id(kind: NodeKind, service: AnyService, request: Any) -> Any:
    types = of_kind(service.store, kind).types_by_id(request.type_ids, missing="skip")
    return getattr(rpc, f"Get{kind}TypesByIDResponse").FromString(repeated(1, types))


def _get_types_by_external_ids(kind: NodeKind, service: AnyService, request: Any) -> Any:
    types = by_external_ids(
        of_kind(service.store, kind).types_by_external_ids, f"{kind.lower()} types", request.external_ids
    )
    shown = without(types, "base_type", "input_type", "output_type")
    return getattr(rpc, f"Get{kind}TypesByExternalIdsResponse").FromString(repeated(1, shown))


HANDLERS: dict[str, Handler] = {"PutTypes": _put_types}
for _kind in NodeKind:
    HANDLERS[f"Put{_kind}Type"] = partial(_put_type, _kind)
    HANDLERS[f"Get{_kind}Type"] = partial(_get_type, _kind)
    HANDLERS[f"Get{_kind}Types"] = partial(_get_types, _kind)
    HANDLERS[f"Get{_kind}TypesByID"] = partial(_get_types_by_id, _kind)
    HANDLERS[f"Get{_kind}TypesByExternalIds"] = partial(_get_types_by_external_ids, _kind)
