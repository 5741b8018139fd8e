"""Random graphs, as plans that any store can be filled with.

Ids are part of a plan: types get 10, 11, ... in their order, nodes 1, 2, ... within their kind.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from lineage.model import (
    Artifact,
    ArtifactState,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Event,
    EventType,
    Execution,
    ExecutionState,
    ExecutionType,
    Node,
    NodeKind,
    NodeType,
    ParentContext,
    PropertyType,
    PropertyValue,
)

SEED = int(os.environ.get("LINEAGE_TEST_SEED") or 1_000_000)
"""Always the same unless the environment says otherwise: a change is not judged by chance."""
"""What every random graph and question of this run comes from."""

FIRST_TYPE_ID = 10
EVENT_TYPES = [member for member in EventType if member]

NAMES = (
    "alpha", "Alpha", "ALPHA", "beta", "Beta1", "été", "ÉTÉ", "x%y", "a_b", "b c", "10", "1.5", "-3", "zz", "Ωmega",
)  # fmt: skip
URIS = ("s3://b/X", "s3://b/x", "S3://b/Y", "/data/a%b", "/Data/A_b", "gs://ü", "a")
TEXTS = (
    "", "a", "A", "abc", "Abc", "ABC", "b c", " pad ", "x%y", "a_b", "10", "1.5", "-3", "7 apples", "été", "ÉTÉ", "ß",
    "zz",
)  # fmt: skip
INTEGERS = (-3, -1, 0, 1, 2, 3, 5, 7, 64, 1_000_000, 2**53, 2**63 - 1, -(2**63))
DOUBLES = (-1.25, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 7.25, 1e6, 0.1, 123456.789)

INT_KEY, DOUBLE_KEY, STRING_KEY, BOOL_KEY = "i", "d", "s", "b"
MIXED_KEY = "1x"
"""A key that has another type in another node type."""
KEYS = (INT_KEY, DOUBLE_KEY, STRING_KEY, BOOL_KEY, MIXED_KEY, "a b", "k.1", "p-q", "clé")
STRUCT_KEY = "struct"
"""Never filtered by: the reference shows its own encoding of structs as a string value."""


@dataclass(frozen=True, slots=True)
class GraphPlan:
    """What a store is filled with, in this order; ``touched`` nodes are then changed once more."""

    types: tuple[NodeType, ...]
    contexts: tuple[Context, ...]
    artifacts: tuple[Artifact, ...]
    executions: tuple[Execution, ...]
    events: tuple[Event, ...]
    attributions: tuple[Attribution, ...]
    associations: tuple[Association, ...]
    parents: tuple[ParentContext, ...]
    touched: tuple[tuple[NodeKind, int], ...] = ()

    def type_names(self, kind: NodeKind) -> list[str]:
        return sorted({type_.name for type_ in self.types if type_.kind is kind})

    def nodes(self, kind: NodeKind) -> Sequence[Node]:
        match kind:
            case NodeKind.ARTIFACT:
                return self.artifacts
            case NodeKind.EXECUTION:
                return self.executions
            case NodeKind.CONTEXT:
                return self.contexts

    def __str__(self) -> str:
        parts: Iterable[Sequence[object]] = (
            self.types, self.contexts, self.artifacts, self.executions, self.events, self.attributions,
            self.associations, self.parents,
        )  # fmt: skip
        return "\n".join(repr(each) for part in parts for each in part)


def make_types(random: Random) -> tuple[NodeType, ...]:
    """Three types of each kind, two of them versions of one, with properties of all kinds that can be filtered by."""

    def declared(mixed: PropertyType) -> dict[str, PropertyType]:
        properties = {
            INT_KEY: PropertyType.INT, DOUBLE_KEY: PropertyType.DOUBLE, STRING_KEY: PropertyType.STRING,
            BOOL_KEY: PropertyType.BOOLEAN, MIXED_KEY: mixed, "a b": PropertyType.STRING,
            STRUCT_KEY: PropertyType.STRUCT,
        }  # fmt: skip
        return dict(random.sample(sorted(properties.items()), k=len(properties)))

    types: list[NodeType] = []
    for record in (ArtifactType, ExecutionType, ContextType):
        short = record.kind.value[0]
        types += [
            record(name=f"{short}Data", properties=declared(PropertyType.INT)),
            record(name=f"{short}Data", version="2", properties=declared(PropertyType.STRING)),
            record(name=f"{short.lower()}model", properties=declared(PropertyType.BOOLEAN)),
        ]
    return tuple(types)


def make_plan(random: Random, *, artifacts: int, executions: int, contexts: int) -> GraphPlan:
    """A graph with nodes of every form and every kind of link."""
    types = make_types(random)
    type_ids = {
        kind: [FIRST_TYPE_ID + index for index, type_ in enumerate(types) if type_.kind is kind] for kind in NodeKind
    }
    makers = {kind: _NodeMaker(random, kind, types, type_ids[kind]) for kind in NodeKind}
    made_artifacts = [makers[NodeKind.ARTIFACT].artifact() for _ in range(artifacts)]
    made_executions = [makers[NodeKind.EXECUTION].execution() for _ in range(executions)]
    made_contexts = [makers[NodeKind.CONTEXT].context() for _ in range(contexts)]
    touched = [
        (kind, node_id)
        for kind, size in zip(NodeKind, (artifacts, executions, contexts), strict=True)
        for node_id in range(1, size + 1)
        if random.random() < 0.25
    ]
    random.shuffle(touched)
    return GraphPlan(
        types=types,
        contexts=tuple(made_contexts),
        artifacts=tuple(made_artifacts),
        executions=tuple(made_executions),
        events=make_events(random, artifacts, executions, density=1.2),
        attributions=tuple(
            Attribution(artifact_id=artifact_id, context_id=context_id)
            for artifact_id in range(1, artifacts + 1)
            for context_id in _some_ids(random, contexts)
        ),
        associations=tuple(
            Association(execution_id=execution_id, context_id=context_id)
            for execution_id in range(1, executions + 1)
            for context_id in _some_ids(random, contexts)
        ),
        parents=tuple(
            ParentContext(child_id=child_id, parent_id=parent_id)
            for child_id in range(2, contexts + 1)
            for parent_id in range(1, child_id)
            if random.random() < min(0.3, 3 / child_id)
        ),
        touched=tuple(touched),
    )


def make_events(random: Random, artifacts: int, executions: int, *, density: float) -> tuple[Event, ...]:
    """Events of every type between random nodes: parallel ones, cycles, diamonds, and nodes without any."""
    events: dict[tuple[int, int, EventType], Event] = {}
    for _ in range(int(density * (artifacts + executions))):
        artifact_id, execution_id = random.randint(1, artifacts), random.randint(1, executions)
        for _ in range(random.choice((1, 1, 1, 1, 2, 3))):
            event_type = random.choice(EVENT_TYPES)
            events[artifact_id, execution_id, event_type] = Event(
                artifact_id=artifact_id,
                execution_id=execution_id,
                type=event_type,
                path=tuple(random.choice(("x", "data", 0, 1, 2)) for _ in range(random.choice((0, 0, 1, 2, 3)))),
                time_ms=random.choice((1, 2, 3, 1000, 1_700_000_000_000)),
            )
    return tuple(events.values())


def _some_ids(random: Random, count: int) -> list[int]:
    return sorted(random.sample(range(1, count + 1), k=min(count, random.choice((0, 0, 1, 1, 2, 3)))))


class _NodeMaker:
    def __init__(self, random: Random, kind: NodeKind, types: Sequence[NodeType], type_ids: Sequence[int]) -> None:
        self._random = random
        self._kind = kind
        self._types = types
        self._type_ids = type_ids
        self._names: set[tuple[int, str]] = set()
        self._external_ids: set[str] = set()
        self._count = 0

    def artifact(self) -> Artifact:
        type_id, name = self._type_and_name()
        return Artifact(
            type_id=type_id, name=name, external_id=self._external_id(),
            uri=self._random.choice(("", *URIS)),
            state=self._random.choice((None, *ArtifactState)),
            properties=self._properties(type_id), custom_properties=self._custom_properties(),
        )  # fmt: skip

    def execution(self) -> Execution:
        type_id, name = self._type_and_name()
        return Execution(
            type_id=type_id, name=name, external_id=self._external_id(),
            last_known_state=self._random.choice((None, *ExecutionState)),
            properties=self._properties(type_id), custom_properties=self._custom_properties(),
        )  # fmt: skip

    def context(self) -> Context:
        type_id, name = self._type_and_name()
        return Context(
            type_id=type_id, name=name or f"Run {self._count}", external_id=self._external_id(),
            properties=self._properties(type_id), custom_properties=self._custom_properties(),
        )  # fmt: skip

    def _type_and_name(self) -> tuple[int, str | None]:
        self._count += 1
        type_id = self._random.choice(self._type_ids)
        name = self._random.choice((*NAMES, "")) if self._random.random() < 0.7 else None
        if name is not None and (type_id, name) in self._names:
            name = f"{name}-{self._count}" if self._random.random() < 0.5 else None
        if name is not None:
            self._names.add((type_id, name))
        return type_id, name

    def _external_id(self) -> str | None:
        if self._random.random() < 0.7:
            return None
        external_id = self._random.choice(("", f"ext-{self._count}", f"EXT-{self._count}", self._random.choice(TEXTS)))
        if external_id in self._external_ids:
            return None
        self._external_ids.add(external_id)
        return external_id

    def _properties(self, type_id: int) -> dict[str, PropertyValue]:
        declared = self._types[type_id - FIRST_TYPE_ID].properties
        return {
            key: self._value(property_type) for key, property_type in declared.items() if self._random.random() < 0.55
        }

    def _custom_properties(self) -> dict[str, PropertyValue]:
        filterable = (PropertyType.INT, PropertyType.DOUBLE, PropertyType.STRING, PropertyType.BOOLEAN)
        properties = {key: self._value(self._random.choice(filterable)) for key in KEYS if self._random.random() < 0.45}
        if self._random.random() < 0.2:
            properties[STRUCT_KEY] = self._value(PropertyType.STRUCT)
        return properties

    def _value(self, property_type: PropertyType) -> PropertyValue:
        match property_type:
            case PropertyType.INT:
                return self._random.choice(INTEGERS)
            case PropertyType.DOUBLE:
                return self._random.choice(DOUBLES)
            case PropertyType.STRING:
                return self._random.choice(TEXTS)
            case PropertyType.BOOLEAN:
                return self._random.random() < 0.5
            case _:
                return {"a": [1, "two", None], "b": self._random.random() < 0.5}
