"""Types from files in protobuf's text format."""

from __future__ import annotations

from typing import Any

from google.protobuf import text_format

from lineage.errors import InvalidArgumentError
from lineage.mlmd.conversion import artifact_type_from_proto, context_type_from_proto, execution_type_from_proto
from lineage.mlmd.simple_types.proto import simple_types_pb2

__all__ = ["parse_types"]

_pb: Any = simple_types_pb2


def parse_types(text: str, source: str) -> dict[str, list[Any]]:
    """Return the types of a text, in groups as :meth:`lineage.Store.put_types` takes them.

    It is a message with the fields ``artifact_types``, ``execution_types`` and ``context_types``. Raises
    InvalidArgumentError that names ``source`` and the place.
    """
    try:
        message = text_format.Parse(text, _pb.SimpleTypes())
    except text_format.ParseError as error:
        raise InvalidArgumentError(f"cannot read types from {source!r}: {error}") from error
    return {
        "artifact_types": [artifact_type_from_proto(each) for each in message.artifact_types],
        "execution_types": [execution_type_from_proto(each) for each in message.execution_types],
        "context_types": [context_type_from_proto(each) for each in message.context_types],
    }
