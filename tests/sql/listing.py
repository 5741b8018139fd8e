"""All that a MetadataStore shows, as JSON: asked in the same words of ml_metadata and of the drop-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf import json_format, wrappers_pb2

__all__ = ["SHOWN", "in_order", "listing"]

SHOWN = wrappers_pb2.StringValue
"""The message in the protos of the tests: to print one, its type must be known."""

KINDS = ("artifact", "execution", "context")
_MAX_ID = 60


def listing(store: Any) -> dict[str, Any]:
    """Return types, nodes one by one, events and what contexts hold; an error is its class's name."""
    found: dict[str, Any] = {}
    ids: dict[str, list[int]] = {}
    for kind in KINDS:
        types = _asked(getattr(store, f"get_{kind}_types"))
        found[f"{kind}_types"] = sorted(types, key=_id) if isinstance(types, list) else types
        found[f"{kind}_type_external_ids"] = _asked(
            getattr(store, f"get_{kind}_types_by_external_ids"), [f"{kind}-type-ext-1"]
        )
        nodes = found[f"{kind}s"] = []
        for node_id in range(1, _MAX_ID):
            answer = _asked(getattr(store, f"get_{kind}s_by_id"), [node_id])
            if answer:
                nodes.append({"id": node_id, "error": answer} if isinstance(answer, str) else answer[0])
        ids[kind] = [int(node["id"]) for node in nodes]
    events = _asked(store.get_events_by_execution_ids, ids["execution"])
    found["events"] = in_order(events) if isinstance(events, list) else events
    found["by_context"] = {
        str(context_id): {
            what: _ids(_asked(getattr(store, method), context_id))
            for what, method in (
                ("artifacts", "get_artifacts_by_context"),
                ("executions", "get_executions_by_context"),
                ("parents", "get_parent_contexts_by_context"),
                ("children", "get_children_contexts_by_context"),
            )
        }
        for context_id in ids["context"]
    }
    return found


def in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return events by what makes each one: MLMD asks for them in no order."""
    return sorted(events, key=lambda event: (int(event["execution_id"]), int(event["artifact_id"]), event["type"]))


def _asked(method: Callable[..., Any], *arguments: Any) -> Any:
    try:
        messages = method(*arguments)
    except Exception as error:  # noqa: BLE001  # the two have each their own tree
        return type(error).__name__
    return [json_format.MessageToDict(each, preserving_proto_field_name=True) for each in messages]


def _id(message: dict[str, Any]) -> int:
    return int(message["id"])


def _ids(answer: Any) -> Any:
    return sorted(map(_id, answer)) if isinstance(answer, list) else answer
