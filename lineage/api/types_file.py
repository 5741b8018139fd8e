"""Files of types: JSON, or protobuf's text format."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from lineage.errors import InvalidArgumentError
from lineage.model import ArtifactType, ContextType, ExecutionType

__all__ = ["types_of_file"]

_TEXT_FORMAT = frozenset({".textproto", ".textpb", ".txtpb", ".pbtxt", ".prototxt"})


def types_of_file(path: Path) -> dict[str, list[Any]]:
    """Return the types of a file, by the names of the arguments of ``put_types``.

    Raises InvalidArgumentError that names the file if it cannot be read or is not of that form.
    """
    records_of = {"artifact_types": ArtifactType, "execution_types": ExecutionType, "context_types": ContextType}
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix in _TEXT_FORMAT:
            textproto = import_module("lineage.mlmd.textproto")
            parsed: dict[str, list[Any]] = textproto.parse_types(text, str(path))
            return parsed
        content = json.loads(text)
    except InvalidArgumentError:
        raise
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"cannot read types from {str(path)!r}: {error}") from error
    if not isinstance(content, dict) or not content.keys() <= records_of.keys():
        raise InvalidArgumentError(
            f"{str(path)!r} is not a file of types: it must hold an object with {', '.join(records_of)}"
        )
    types: dict[str, list[Any]] = {}
    for group, entries in content.items():
        if not isinstance(entries, list):
            raise InvalidArgumentError(f"{str(path)!r}: {group} must be a list of types")
        types[group] = []
        for position, entry in enumerate(entries):
            if not isinstance(entry, dict):
                raise InvalidArgumentError(f"{str(path)!r}: {group}[{position}] must be an object")
            try:
                types[group].append(records_of[group](**entry))
            except (InvalidArgumentError, TypeError, RecursionError) as error:
                raise InvalidArgumentError(f"{str(path)!r}: {group}[{position}]: {error}") from error
    return types
