"""Our own service, ``lineage.v1.Store``, as calls of bytes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_type_hints

from google.protobuf.message import DecodeError

import lineage
from lineage.errors import InvalidArgumentError, LineageError
from lineage.rpc import wire
from lineage.rpc.fitting import fits, shown_hint
from lineage.rpc.protocol import DESCRIBE, METHODS, SERVICE, Payload, call_name, writes
from lineage.server.calls import Call
from lineage.store import Store

__all__ = ["calls"]


def calls(store: Store) -> Iterator[Call]:
    """Return all calls of the service on a store."""
    for name in METHODS:
        yield Call(SERVICE, call_name(name), _body(store, name), writes=writes(name), status_text=_text)
    yield Call(SERVICE, DESCRIBE, _describe, writes=False, status_text=_text)


def _text(error: LineageError) -> str:
    return error.message


def _describe(_: bytes) -> bytes:
    return _response({"version": lineage.__version__, "methods": list(METHODS)})


def _response(value: Any) -> bytes:
    response: bytes = Payload(json=wire.encode(value)).SerializeToString()
    return response


def _body(store: Store, name: str) -> Callable[[bytes], bytes]:
    method = getattr(store, name)
    signature = inspect.signature(method)
    hints = get_type_hints(method)
    several = [each.name for each in signature.parameters.values() if each.kind is each.VAR_POSITIONAL]

    def body(payload: bytes) -> bytes:
        given = _arguments(payload)
        options = {parameter: value for parameter, value in given.items() if parameter not in several}
        try:
            nodes = [each for parameter in several for each in given.get(parameter, ())]
            bound = signature.bind(*nodes, **options)
        except TypeError as error:
            raise InvalidArgumentError(f"{name}(): {error}; the client may be newer than this server") from error
        try:
            return _response(method(*bound.args, **bound.kwargs))
        except LineageError:
            raise
        except Exception as error:
            _blame_arguments(name, {**options, **dict.fromkeys(several, nodes)}, hints, error)
            raise

    return body


def _blame_arguments(name: str, given: Mapping[str, Any], hints: Mapping[str, Any], error: Exception) -> None:
    """Raise InvalidArgumentError if the store failed because an argument is of a type that it does not take."""
    for parameter, value in given.items():
        hint = hints[parameter]
        if not (all(fits(each, hint) for each in value) if parameter == "nodes" else fits(value, hint)):
            shown = repr(value)
            shown = shown if len(shown) <= 200 else f"{shown[:200]}..."
            raise InvalidArgumentError(f"{name}(): {parameter} must be {shown_hint(hint)}, not {shown}") from error


def _arguments(payload: bytes) -> dict[str, Any]:
    try:
        text = Payload.FromString(payload).json
    except (DecodeError, UnicodeDecodeError) as error:  # the latter in pure Python
        raise InvalidArgumentError(f"the request is not a message Payload: {error}") from error
    given = wire.decode(text or "{}")
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(f"expected an object of arguments by name, got {type(given).__name__}")
    return dict(given)
