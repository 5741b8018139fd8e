"""Types that come into being and grow with what is recorded."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from lineage.errors import AlreadyExistsError, NotFoundError, short_repr
from lineage.model import ArtifactType, ExecutionType, NodeKind, PropertyType
from lineage.store import Store

__all__ = ["Declared", "Fitted"]

_logger = logging.getLogger("lineage")
_ATTEMPTS = 10
"""How often a type is read again because others, each time, declared something first."""


class Fitted(NamedTuple):
    """The values of a node: those that its type declares, and those that it declares with another type."""

    properties: dict[str, Any]
    custom_properties: dict[str, Any]


class Declared:
    """What the types of a store declare, as far as this recorder knows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[NodeKind, str], dict[str, PropertyType]] = {}
        self._warned: set[tuple[NodeKind, str, str]] = set()

    def fit(self, kind: NodeKind, name: str, values: Mapping[str, Any]) -> Fitted:
        """Return the values as a node of this type can have them; what it does not declare yet is declared.

        A property keeps the type that it was declared with. An int goes into a DOUBLE that can hold it exactly; any
        other value of another type is kept as a custom property of the same name, and a warning says so once.
        """
        declared = self._grown(kind, name, {key: _property_type(value) for key, value in values.items()})
        fitted = Fitted({}, {})
        for key, value in values.items():
            as_declared = _as(value, declared[key])
            if as_declared is not None:
                fitted.properties[key] = as_declared
                continue
            fitted.custom_properties[key] = value
            if (kind, name, key) not in self._warned:
                self._warned.add((kind, name, key))
                _logger.warning(
                    "%s declares %s as %s; %s is kept as a custom property of that name",
                    name, short_repr(key), declared[key].name, short_repr(value),
                )  # fmt: skip
        return fitted

    def _grown(self, kind: NodeKind, name: str, wanted: Mapping[str, PropertyType]) -> dict[str, PropertyType]:
        for attempt in range(_ATTEMPTS):
            known = self._known.get((kind, name))
            if known is None:
                known = self._read(kind, name)
            new = {key: type_ for key, type_ in wanted.items() if known is None or key not in known}
            if known is None or new:
                try:
                    self._put(kind, name, new)
                except AlreadyExistsError:  # another client declared one of them otherwise, just now
                    self._known.pop((kind, name), None)
                    if attempt == _ATTEMPTS - 1:
                        raise
                    continue
            known = self._known[kind, name] = {**(known or {}), **new}
            return known
        raise AssertionError("the last attempt returns or raises")

    def _read(self, kind: NodeKind, name: str) -> dict[str, PropertyType] | None:
        get = self._store.get_artifact_type if kind is NodeKind.ARTIFACT else self._store.get_execution_type
        try:
            return dict(get(name).properties)
        except NotFoundError:
            return None

    def _put(self, kind: NodeKind, name: str, properties: Mapping[str, PropertyType]) -> None:
        if kind is NodeKind.ARTIFACT:
            artifact_type = ArtifactType(name=name, properties=properties)
            self._store.put_artifact_type(artifact_type, can_add_fields=True, can_omit_fields=True)
        else:
            execution_type = ExecutionType(name=name, properties=properties)
            self._store.put_execution_type(execution_type, can_add_fields=True, can_omit_fields=True)


def _property_type(value: Any) -> PropertyType:
    match value:
        case bool():
            return PropertyType.BOOLEAN
        case int():
            return PropertyType.INT
        case float():
            return PropertyType.DOUBLE
        case str():
            return PropertyType.STRING
        case _:
            return PropertyType.STRUCT


def _as(value: Any, declared: PropertyType) -> Any:
    """Return the value for a property that is declared so, None if it cannot be exact."""
    given = _property_type(value)
    if given is declared:
        return value
    if given is PropertyType.INT and declared is PropertyType.DOUBLE and abs(value) <= 2**53:
        return float(value)
    return None
