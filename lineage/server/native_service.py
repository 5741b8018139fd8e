"""Our own service, ``lineage.v1.Store``, as calls of bytes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_type_hints

from google.protobuf.message import DecodeError

import lineage
from lineage.api.as_of import READ_ONLY
from lineage.api.served import IN_PARTS, SERVED
from lineage.errors import FailedPreconditionError, InvalidArgumentError, LineageError, short_repr
from lineage.server.dispatch import Call
from lineage.server.turns import StoreInTurns, Turns
from lineage.store import Store
from lineage.v1 import json as wire
from lineage.v1.hints import fits, shown_hint
from lineage.v1.service import AS_OF, DESCRIBE, METHODS, SERVICE, Payload, call_name
from lineage.writing.removal.plan import RemovalPlan

__all__ = ["calls"]

_AUDITED_AT_ONCE = 500


def calls(store: Store) -> Iterator[Call]:
    """Return all calls of the service on a store."""
    turns = Turns()
    in_turn = StoreInTurns.of(store, turns)
    for name in METHODS:
        access = SERVED[name]
        audit = _audited if access == "admin" else None
        yield Call(
            SERVICE,
            call_name(name),
            _streaming(in_turn, turns, name) if name in IN_PARTS else _body(store, name),
            access=access,
            status_text=_text,
            audit=audit,
            streams=name in IN_PARTS,
        )
    yield Call(SERVICE, DESCRIBE, _describe, access="read", status_text=_text)


def _text(error: LineageError) -> str:
    return error.message


def _describe(_: bytes) -> Iterable[bytes]:
    return (_response({"version": lineage.__version__, "methods": list(METHODS)}),)


def _response(value: Any) -> bytes:
    response: bytes = Payload(json=wire.encode(value)).SerializeToString()
    return response


def _streaming(store: Store, turns: Turns, name: str) -> Callable[[bytes], Iterable[bytes]]:
    def response(part: Any) -> bytes:
        with turns.turn():
            return _response(part)

    def responses(parts: Any) -> Iterable[bytes]:
        return map(response, parts)

    return _body(store, name, responses)


def _body(
    store: Store, name: str, encode: Callable[[Any], Iterable[bytes]] = lambda answer: (_response(answer),)
) -> Callable[[bytes], Iterable[bytes]]:
    method = getattr(store, name)
    signature = inspect.signature(method)
    hints = get_type_hints(method)
    several = [each.name for each in signature.parameters.values() if each.kind is each.VAR_POSITIONAL]

    def body(payload: bytes) -> Iterable[bytes]:
        given = _arguments(payload)
        asked = method
        if AS_OF in given:
            if SERVED[name] != "read":
                raise FailedPreconditionError(READ_ONLY)
            asked = getattr(store.as_of(given.pop(AS_OF)), name)
        options = {parameter: value for parameter, value in given.items() if parameter not in several}
        try:
            nodes = [each for parameter in several for each in given.get(parameter, ())]
            bound = signature.bind(*nodes, **options)
        except TypeError as error:
            raise InvalidArgumentError(f"{name}(): {error}; the client may be newer than this server") from error
        try:
            return encode(asked(*bound.args, **bound.kwargs))
        except LineageError:
            raise
        except Exception as error:
            _blame_arguments(
                name, [*options.items(), *((each, node) for each in several for node in nodes)], hints, error
            )
            raise

    return body


def _blame_arguments(name: str, given: Iterable[tuple[str, Any]], hints: Mapping[str, Any], error: Exception) -> None:
    """Raise InvalidArgumentError if the store failed because an argument is of a type that it does not take."""
    for parameter, value in given:
        hint = hints[parameter]
        if not fits(value, hint):
            raise InvalidArgumentError(
                f"{name}(): {parameter} must be {shown_hint(hint)}, not {short_repr(value)}"
            ) from error


def _arguments(payload: bytes) -> dict[str, Any]:
    try:
        text = Payload.FromString(payload).json
    except (DecodeError, UnicodeDecodeError) as error:  # the latter in pure Python
        raise InvalidArgumentError(f"the request is not a message Payload: {error}") from error
    given = wire.decode(text or "{}")
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(f"expected an object of arguments by name, got {type(given).__name__}")
    return dict(given)


def _audited(payload: bytes) -> Iterator[dict[str, Any]]:
    """Yield what the audit log says of a removal before it begins: its arguments, some hundreds of nodes a line.

    Of a plan that is each node with its digest, which is held against the node before anything is done to it.
    """
    given = _arguments(payload)
    plan = given.get("plan")
    if not isinstance(plan, RemovalPlan):
        yield from _audited_arguments(given)
        return
    what = {"how": plan.how, "selection": plan.selection}
    for start in range(0, max(len(plan.nodes), 1), _AUDITED_AT_ONCE):
        some = plan.nodes[start : start + _AUDITED_AT_ONCE]
        yield {**what, "nodes": [f"{node.address} {node.digest}" for node in some]}


def _audited_arguments(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in given.items():
        several = value if isinstance(value, list) else [value]
        for start in range(0, len(several), _AUDITED_AT_ONCE):
            some = several[start : start + _AUDITED_AT_ONCE]
            yield {"arguments": {name: wire.encode(some if isinstance(value, list) else value)}}
