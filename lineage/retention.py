"""Retention: rules that say what is kept, and how the rest is removed.

A policy is a file, docs/removal.md describes it::

    [[rule]]
    name = "old models"
    select = "type:Model"
    older_than = "30d"
    keep_last = 3
    per = "Pipeline"
    protect = "+type:Deployment"
    how = "forget"
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lineage.errors import InvalidArgumentError, UnimplementedError, near_matches, short_repr
from lineage.model import Node, NodeKind
from lineage.writing.removal.plan import Contents, How, Outputs, RemovalPlan, Users, as_how, checked

if TYPE_CHECKING:
    from lineage.store import Store

__all__ = ["LARGEST_PART", "RetentionRule", "is_large", "plan_retention", "read_policy"]

LARGEST_PART = 0.2
"""A policy that removes more of a store than this has to be meant."""
_AGE = re.compile(r"(\d{1,9})\s*([smhdw])")
_MS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_Key = tuple[NodeKind, int]


@dataclass(frozen=True, kw_only=True)
class RetentionRule:
    """What of a selection goes.

    That is what is older than ``older_than_ms`` (by create time), but for the newest ``keep_last`` of each type in each
    context of the type ``per``, and for what ``protect`` selects.
    """

    name: str
    select: str
    how: How = "forget"
    older_than_ms: int | None = None
    keep_last: int | None = None
    per: str | None = None
    protect: str | None = None
    outputs: Outputs = "keep"
    users: Users = "refuse"
    contents: Contents = "keep"
    cut: bool = False


def read_policy(path: Path) -> tuple[RetentionRule, ...]:
    """Return the rules of a file. Raises InvalidArgumentError that names the file, the rule and what is wrong."""
    toml = _toml()
    try:
        found: dict[str, Any] = toml.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidArgumentError(f"cannot read the policy {str(path)!r}: {error.strerror or error}") from error
    except ValueError as error:
        raise InvalidArgumentError(f"the policy {str(path)!r} is no TOML: {error}") from error
    rules = found.get("rule")
    if set(found) != {"rule"} or not isinstance(rules, list) or not rules:
        raise InvalidArgumentError(f"the policy {str(path)!r} must have tables [[rule]], one or more, and nothing else")
    return tuple(_rule(f"rule {number} of {str(path)!r}", rule) for number, rule in enumerate(rules, 1))


def _toml() -> Any:
    """Return the reader of TOML, which comes with Python 3.11."""
    for name in ("tomllib", "tomli"):
        with suppress(ModuleNotFoundError):
            return import_module(name)
    raise UnimplementedError("a policy is TOML, which Python reads from 3.11 on; before, pip install tomli")


_KEYS = tuple("older_than" if field.name == "older_than_ms" else field.name for field in fields(RetentionRule))


def _rule(where: str, given: Any) -> RetentionRule:
    if not isinstance(given, Mapping):
        raise InvalidArgumentError(f"{where} is no table; write [[rule]] above it")
    values: dict[str, Any] = dict(cast("Mapping[str, Any]", given))
    for key, value in values.items():
        if key not in _KEYS:
            raise InvalidArgumentError(
                f"{where} has {short_repr(key)}{near_matches(key, _KEYS)}; keys are {', '.join(_KEYS)}"
            )
        wanted = int if key == "keep_last" else bool if key == "cut" else str
        if type(value) is not wanted or value == "":
            raise InvalidArgumentError(f"{where}: {key} must be {wanted.__name__}, not {short_repr(value)}")
    for key in ("name", "select"):
        if key not in values:
            raise InvalidArgumentError(f"{where} lacks {key}")
    for key in ("outputs", "users", "contents"):
        if key in values:
            checked(key, values[key])
    as_how(values.get("how", "forget"))
    if "per" in values and "keep_last" not in values:
        raise InvalidArgumentError(f"{where} has per without keep_last; say how many to keep")
    if values.get("keep_last", 0) < 0:
        raise InvalidArgumentError(f"{where}: keep_last must not be negative")
    if "older_than" in values:
        values["older_than_ms"] = _age_ms(where, values.pop("older_than"))
    return RetentionRule(**values)


def _age_ms(where: str, text: str) -> int:
    match = _AGE.fullmatch(text.strip())
    if match is None:
        raise InvalidArgumentError(
            f"{where}: older_than is a number and s, m, h, d or w, as 30d, not {short_repr(text)}"
        )
    return int(match[1]) * _MS[match[2]]


def plan_retention(store: Store, rule: RetentionRule, *, now_ms: int) -> RemovalPlan:
    """Return the plan for one rule. Raises NotFoundError where a selection matches nothing and is not marked with ?."""
    selected = store.select(rule.select)
    kept: set[_Key] = set()
    if rule.protect is not None:
        kept |= {_key(node) for node in store.select(rule.protect).nodes}
    if rule.keep_last is not None:
        for group in _groups(store, selected.nodes, rule.per):
            newest = sorted(group, key=lambda node: (node.create_time_ms or 0, node.id or 0), reverse=True)
            kept |= {_key(node) for node in newest[: rule.keep_last]}
    until = None if rule.older_than_ms is None else now_ms - rule.older_than_ms
    goes: list[Any] = [
        node
        for node in selected.nodes
        if _key(node) not in kept and (until is None or (node.create_time_ms or 0) < until)
    ]
    return store.plan_removal(
        goes, how=rule.how, outputs=rule.outputs, users=rule.users, contents=rule.contents, cut=rule.cut
    )


def _key(node: Node) -> _Key:
    return node.kind, node.id or 0


def _groups(store: Store, nodes: Sequence[Node], per: str | None) -> Iterator[list[Node]]:
    """Go through nodes of one type in one context of a type, and those that are in none."""
    groups: dict[tuple[Any, ...], list[Node]] = {}
    wanted = {_key(node): node for node in nodes}
    alone = dict(wanted)
    for context in [] if per is None else store.get_contexts_by_type(per):
        assert context.id is not None
        for member in (
            *store.get_artifacts_by_context(context.id),
            *store.get_executions_by_context(context.id),
            *store.get_children_contexts_by_context(context.id),
        ):
            node = wanted.get(_key(member))
            if node is not None:
                alone.pop(_key(node), None)
                groups.setdefault((context.id, node.kind, node.type_id), []).append(node)
    for node in alone.values():
        groups.setdefault((None, node.kind, node.type_id), []).append(node)
    yield from groups.values()


def is_large(store: Store, count: int) -> bool:
    """Tell whether so many nodes are more than :data:`LARGEST_PART` of a store."""
    return count > LARGEST_PART * (store.count_artifacts() + store.count_executions() + store.count_contexts())
