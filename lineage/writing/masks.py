"""Which parts of a node an update changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lineage.errors import InvalidArgumentError, near_matches, short_repr
from lineage.model import NodeKind, PropertyValue
from lineage.model.values import FrozenDict

__all__ = ["UpdateMask"]


@dataclass(frozen=True, slots=True)
class UpdateMask:
    """Which parts of a node an update changes.

    Paths are field names, ``properties``, ``properties.KEY`` and the same of ``custom_properties``. A key is everything
    after the first dot. The whole map wins over keys of the same map. Names that are not fields have no effect, and
    neither have those of fields that never change: :meth:`check` refuses them.
    """

    paths: frozenset[str]
    keys: Mapping[str, frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        keys: dict[str, set[str]] = {"properties": set(), "custom_properties": set()}
        for path in self.paths:
            family, dot, key = path.partition(".")
            if dot and family in keys:
                keys[family].add(key)
        object.__setattr__(self, "keys", {family: frozenset(names) for family, names in keys.items()})

    @staticmethod
    def of(paths: Iterable[str] | None) -> UpdateMask | None:
        """Return the mask of these paths; None, which means everything, if there are none."""
        if isinstance(paths, str):
            raise InvalidArgumentError(
                f"update_mask is a list of paths, not {short_repr(paths)}; write [{short_repr(paths)}]"
            )
        mask = frozenset(paths or ())
        return UpdateMask(mask) if mask else None

    def check(self, kind: NodeKind, fields: Iterable[str]) -> None:
        """Raise InvalidArgumentError if a path names nothing that can change in a node of a kind with these fields.

        Which properties there are is a matter of each node's type: ``node_rules.check_keys_known``.
        """
        known = (*fields, *self.keys)
        for path in sorted(self.paths):
            family, dot, _ = path.partition(".")
            if path not in known and not (dot and family in self.keys):
                raise InvalidArgumentError(
                    f"update_mask names {short_repr(path)}, and an update of {kind.lower()}s cannot change that"
                    f"{near_matches(path, known)}; there are {', '.join(known)}, and properties.KEY and "
                    "custom_properties.KEY for single entries"
                )

    def apply(self, family: str, stored: Mapping[str, PropertyValue], given: Mapping[str, PropertyValue]) -> FrozenDict:
        """Return the map ``family`` after the update."""
        if family in self.paths:
            return FrozenDict(given)
        keys = self.keys[family]
        kept = {key: value for key, value in stored.items() if key not in keys}
        return FrozenDict({**kept, **{key: value for key, value in given.items() if key in keys}})

    def checked_properties(self, given: Mapping[str, PropertyValue]) -> Mapping[str, PropertyValue]:
        """Return the declared properties that this update sets, and which therefore must fit the type."""
        if "properties" in self.paths:
            return given
        keys = self.keys["properties"]
        return {key: value for key, value in given.items() if key in keys}
