"""Has this step run before, on exactly these inputs and parameters?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lineage.backend import LinkQuery, NodeQuery, Transaction
from lineage.errors import InvalidArgumentError
from lineage.model import INPUT_EVENTS, Event, Execution, ExecutionState, LinkKind, NodeKind
from lineage.schema import TypeCatalog
from lineage.values import freeze_properties, same_value


def find_runs(
    tx: Transaction,
    catalog: TypeCatalog,
    type_name: str,
    type_version: str | None,
    input_ids: Sequence[int],
    *,
    properties: Mapping[str, Any],
    custom_properties: Mapping[str, Any],
    states: Iterable[ExecutionState | str],
) -> list[Execution]:
    """Return the executions of the type that read exactly these artifacts and have these properties, newest first.

    Raises NotFoundError for an unknown type, InvalidArgumentError for a value that no property can have.
    """
    type_id = catalog.of(tx, NodeKind.EXECUTION).get(type_name, type_version).id
    accepted = {Execution(last_known_state=state).last_known_state for state in states}
    try:
        wanted = (freeze_properties(properties), freeze_properties(custom_properties))
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from None
    candidates: list[Execution] = [
        execution
        for execution in _candidates(tx, type_id, input_ids)
        if execution.last_known_state in accepted
        and _has(execution.properties, wanted[0])
        and _has(execution.custom_properties, wanted[1])
    ]
    if not candidates:
        return []
    inputs: dict[int | None, set[int | None]] = {execution.id: set() for execution in candidates}
    for event in tx.find_links(
        LinkQuery(
            LinkKind.EVENT,
            "execution_id",
            [each.id for each in candidates if each.id is not None],
            event_types=INPUT_EVENTS,
        )
    ):
        assert isinstance(event, Event)
        inputs[event.execution_id].add(event.artifact_id)
    exact = [execution for execution in candidates if inputs[execution.id] == set(input_ids)]
    return sorted(exact, key=lambda execution: (execution.create_time_ms or 0, execution.id or 0), reverse=True)


def _candidates(tx: Transaction, type_id: int, input_ids: Sequence[int]) -> Sequence[Any]:
    if not input_ids:
        return tx.find_nodes(NodeQuery(NodeKind.EXECUTION, type_ids=[type_id]))
    readers = tx.find_links(LinkQuery(LinkKind.EVENT, "artifact_id", [input_ids[0]], event_types=INPUT_EVENTS))
    execution_ids = sorted({event.execution_id for event in readers})  # type: ignore[attr-defined]  # events have one
    return tx.find_nodes(NodeQuery(NodeKind.EXECUTION, ids=execution_ids, type_ids=[type_id])) if execution_ids else ()


def _has(properties: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(key in properties and same_value(properties[key], value) for key, value in wanted.items())
