"""Has this step run before, on exactly these inputs and parameters?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from lineage.backend import LinkQuery, NodeQuery, Transaction
from lineage.errors import InvalidArgumentError
from lineage.model import INPUT_EVENTS, Event, Execution, ExecutionState, LinkKind, NodeKind
from lineage.node_rules import check_properties
from lineage.schema import TypeCatalog
from lineage.values import freeze_properties, same_value


class Input(NamedTuple):
    """An artifact that must have been read: with this path, or with any."""

    artifact_id: int
    path: tuple[int | str, ...] | None = None


def find_runs(
    tx: Transaction,
    catalog: TypeCatalog,
    type_name: str,
    type_version: str | None,
    inputs: Sequence[Input],
    *,
    properties: Mapping[str, Any],
    custom_properties: Mapping[str, Any],
    states: Iterable[ExecutionState | str],
) -> list[Execution]:
    """Return the executions of the type that read exactly these artifacts and have these properties, newest first.

    Raises NotFoundError for an unknown type, InvalidArgumentError for a property that no execution of it can have.
    """
    type_ = catalog.of(tx, NodeKind.EXECUTION).get(type_name, type_version)
    accepted = {Execution(last_known_state=state).last_known_state for state in states}
    try:
        wanted = (freeze_properties(properties), freeze_properties(custom_properties))
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from None
    check_properties(type_, wanted[0])
    wanted_ids = {each.artifact_id for each in inputs}
    wanted_roles = {(each.artifact_id, each.path) for each in inputs if each.path is not None}
    candidates: list[Execution] = [
        execution
        for execution in _candidates(tx, type_.id, wanted_ids)
        if execution.last_known_state in accepted
        and _has(execution.properties, wanted[0])
        and _has(execution.custom_properties, wanted[1])
    ]
    if not candidates:
        return []
    roles: dict[int | None, set[Any]] = {execution.id: set() for execution in candidates}
    for event in tx.find_links(
        LinkQuery(
            LinkKind.EVENT,
            "execution_id",
            [each.id for each in candidates if each.id is not None],
            event_types=INPUT_EVENTS,
        )
    ):
        assert isinstance(event, Event)
        roles[event.execution_id].add((event.artifact_id, event.path))
    exact = [
        execution
        for execution in candidates
        if {artifact_id for artifact_id, _ in roles[execution.id]} == wanted_ids and wanted_roles <= roles[execution.id]
    ]
    return sorted(exact, key=lambda execution: (execution.create_time_ms or 0, execution.id or 0), reverse=True)


def _candidates(tx: Transaction, type_id: int, artifact_ids: AbstractSet[int]) -> Sequence[Any]:
    if not artifact_ids:
        return tx.find_nodes(NodeQuery(NodeKind.EXECUTION, type_ids=[type_id]))
    readers = tx.find_links(LinkQuery(LinkKind.EVENT, "artifact_id", [min(artifact_ids)], event_types=INPUT_EVENTS))
    execution_ids = sorted({event.execution_id for event in readers})  # type: ignore[attr-defined]  # events have one
    return tx.find_nodes(NodeQuery(NodeKind.EXECUTION, ids=execution_ids, type_ids=[type_id])) if execution_ids else ()


def _has(properties: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in properties and same_value(properties[key], value) for key, value in wanted.items())
