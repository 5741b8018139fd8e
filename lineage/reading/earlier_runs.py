"""Has this step run before, on exactly these inputs and parameters?

The question is a filter, so that a store answers it with one statement, from its indexes: what of it no filter can say
(an exact struct, the lack of further properties) is looked at in what the store found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cypher.literals import write_name, write_string
from lineage.catalog import TypeCatalog, check_properties
from lineage.errors import InvalidArgumentError
from lineage.model import INPUT_EVENTS, Event, Execution, ExecutionState, LinkKind, NodeKind
from lineage.model.values import freeze_properties, same_value
from lineage.reading.lists import filter_of
from lineage.seam import Cursor, HasOnlyMlmdsFilters, LinkQuery, NodeQuery, OrderBy, Reads

__all__ = ["Input", "find_runs"]

_MAX_PLACES: Final = 8
_MAX_STEPS: Final = 8
_MAX_PROPERTIES: Final = 20
_MAX_TEXT: Final = 200
"""So much goes into the filter, so that no database is asked for more than it takes; the rest is looked at here."""
_PAGE: Final = 100
"""How many more runs than are wanted are read at once, where some may not be what is asked for."""
_IS_INPUT: Final = f"type IN ({', '.join(sorted(each.name for each in INPUT_EVENTS))})"


class Input(NamedTuple):
    """An artifact that must have been read: with this path, or with any."""

    artifact_id: int
    path: tuple[int | str, ...] | None = None


@dataclass(frozen=True)
class _Question:
    """What the runs must have read, and have."""

    inputs: Sequence[Input]
    properties: Mapping[str, Any]
    custom_properties: Mapping[str, Any]
    exact_properties: bool
    states: AbstractSet[ExecutionState | None]
    newer_than_ms: int | None

    @property
    def artifact_ids(self) -> list[int]:
        return sorted({each.artifact_id for each in self.inputs})

    def places(self) -> list[Input]:
        """Return the inputs, without those that another one says more of."""
        with_path = {each.artifact_id for each in self.inputs if each.path is not None}
        return [
            each for each in dict.fromkeys(self.inputs) if each.path is not None or each.artifact_id not in with_path
        ]

    def has(self, run: Execution) -> bool:
        """Whether a run has the properties, the state and the time."""
        return (
            run.last_known_state in self.states
            and (self.newer_than_ms is None or (run.create_time_ms or 0) > self.newer_than_ms)
            and self._has(run.properties, self.properties)
            and self._has(run.custom_properties, self.custom_properties)
        )

    def _has(self, properties: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
        if self.exact_properties and len(properties) != len(wanted):
            return False
        return all(key in properties and same_value(properties[key], value) for key, value in wanted.items())


def find_runs(
    tx: Reads,
    catalog: TypeCatalog,
    type_name: str,
    type_version: str | None,
    inputs: Sequence[Input],
    *,
    properties: Mapping[str, Any],
    custom_properties: Mapping[str, Any],
    exact_properties: bool,
    states: Iterable[ExecutionState | str],
    newer_than_ms: int | None,
    limit: int | None,
) -> list[Execution]:
    """Return the executions of the type that read exactly these artifacts and have these properties, newest first.

    Raises NotFoundError for an unknown type, InvalidArgumentError for a property that no execution of it can have.
    """
    type_ = catalog.of(tx, NodeKind.EXECUTION).get(type_name, type_version)
    accepted = {Execution(last_known_state=state).last_known_state for state in states}
    if not accepted.isdisjoint((None, ExecutionState.UNKNOWN)):
        accepted |= {None, ExecutionState.UNKNOWN}
    try:
        wanted = (freeze_properties(properties), freeze_properties(custom_properties))
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from None
    check_properties(type_, wanted[0])
    question = _Question(inputs, *wanted, exact_properties, accepted, newer_than_ms)
    if not accepted:
        return []
    if isinstance(tx, HasOnlyMlmdsFilters):
        return _of_readers(tx, type_.id, question)[:limit]
    return _of_filter(tx, type_.id, question, limit)


# --- by one filter ----------------------------------------------------------------------------------------------------


def _of_filter(tx: Reads, type_id: int, question: _Question, limit: int | None) -> list[Execution]:
    conditions = _Conditions(question)
    where = filter_of(NodeKind.EXECUTION, " AND ".join(conditions.texts))
    size = None if limit is None else limit + (0 if conditions.say_all else _PAGE)
    found: list[Execution] = []
    after: Cursor | None = None
    while True:
        query = NodeQuery(
            NodeKind.EXECUTION,
            type_ids=[type_id],
            filter=where,
            order_by=OrderBy.CREATE_TIME,
            descending=True,
            after=after,
            limit=size,
        )
        page: Sequence[Any] = tx.find_nodes(query)
        candidates = [run for run in page if question.has(run)]
        found += candidates if conditions.say_inputs else _with_inputs(tx, candidates, question)
        if size is None or len(page) < size or len(found) >= (limit or 0):
            return found[:limit]
        after = Cursor(page[-1].create_time_ms, page[-1].id)


class _Conditions:
    """A question as conditions of a filter, and whether these say all of it."""

    def __init__(self, question: _Question) -> None:
        self.say_all = not question.exact_properties
        places, ids = question.places(), question.artifact_ids
        self.say_inputs = len(places) <= _MAX_PLACES and all(len(each.path or ()) <= _MAX_STEPS for each in places)
        self.say_all &= self.say_inputs
        self.texts = [
            condition
            for number, place in enumerate(places[:_MAX_PLACES])
            for condition in _place_conditions(f"events_{number}", place)
        ]
        others = f" AND events_x.artifact_id NOT IN ({', '.join(map(str, ids))})" if ids else ""
        if self.say_inputs:
            self.texts.append(f"NOT EXISTS(events_x.{_IS_INPUT}{others})")
        self.texts.append(_state_condition(question.states))
        if question.newer_than_ms is not None:
            self.texts.append(f"create_time_since_epoch > {question.newer_than_ms}")
        for family, wanted in (
            ("properties", question.properties),
            ("custom_properties", question.custom_properties),
        ):
            for key, value in wanted.items():
                self._add_property(family, key, value)

    def _add_property(self, family: str, key: str, value: Any) -> None:
        literal = _literal(value)
        if literal is None or len(self.texts) > _MAX_PROPERTIES + 3 * _MAX_PLACES or len(key) > _MAX_TEXT:
            self.say_all = False
            return
        if value == 0.0 and isinstance(value, float):
            self.say_all = False  # 0.0 is not -0.0 here, and in a filter it is
        self.texts.append(f"{family}.{write_name(key)}.{literal}")


def _place_conditions(alias: str, place: Input) -> Iterator[str]:
    yield f"{alias}.artifact_id = {place.artifact_id}"
    yield f"{alias}.{_IS_INPUT}"
    if place.path is None or len(place.path) > _MAX_STEPS:
        return
    for position, step in enumerate(place.path):
        part = f"key = {write_string(step)}" if isinstance(step, str) else f"index = {step}"
        yield f"{alias}.path[{position}].{part}"
    end = f"{alias}.path[{len(place.path)}]"
    yield f"{end}.key IS NULL AND {end}.index IS NULL"


def _state_condition(states: AbstractSet[ExecutionState | None]) -> str:
    named = sorted(each.name for each in states if each is not None)
    condition = f"last_known_state IN ({', '.join(named)})"
    return f"({condition} OR last_known_state IS NULL)" if None in states else condition


def _literal(value: Any) -> str | None:
    """Return the column of a value and the value as a filter writes them; None if no filter can be so exact."""
    match value:
        case bool():
            return f"bool_value = {'TRUE' if value else 'FALSE'}"
        case int():
            return f"int_value = {value}"
        case float() if value - value == 0.0:
            return f"double_value = {value!r}"
        case str() if len(value) <= _MAX_TEXT:
            return f"string_value = {write_string(value)}"
        case _:
            return None


# --- by what has read an input ----------------------------------------------------------------------------------------


def _of_readers(tx: Reads, type_id: int, question: _Question) -> list[Execution]:
    """Answer on a store that cannot be asked for what is absent."""
    ids = question.artifact_ids
    if ids:
        readers: Sequence[Any] = tx.find_links(
            LinkQuery(LinkKind.EVENT, "artifact_id", ids[:1], event_types=INPUT_EVENTS)
        )
        execution_ids = sorted({event.execution_id for event in readers})
        if not execution_ids:
            return []
        query = NodeQuery(NodeKind.EXECUTION, ids=execution_ids, type_ids=[type_id])
    else:
        query = NodeQuery(NodeKind.EXECUTION, type_ids=[type_id])
    candidates: Sequence[Any] = tx.find_nodes(query)
    found = _with_inputs(tx, [run for run in candidates if question.has(run)], question)
    return sorted(found, key=lambda run: (run.create_time_ms or 0, run.id or 0), reverse=True)


def _with_inputs(tx: Reads, candidates: Sequence[Execution], question: _Question) -> list[Execution]:
    """Return those of these runs that read exactly the inputs."""
    if not candidates:
        return []
    ids = [each.id for each in candidates if each.id is not None]
    roles: dict[int | None, set[Any]] = {each: set() for each in ids}
    for event in tx.find_links(LinkQuery(LinkKind.EVENT, "execution_id", ids, event_types=INPUT_EVENTS)):
        assert isinstance(event, Event)
        roles[event.execution_id].add((event.artifact_id, event.path))
    wanted_ids = set(question.artifact_ids)
    wanted_roles = {tuple(each) for each in question.inputs if each.path is not None}
    return [
        run
        for run in candidates
        if {artifact_id for artifact_id, _ in roles[run.id]} == wanted_ids and wanted_roles <= roles[run.id]
    ]
