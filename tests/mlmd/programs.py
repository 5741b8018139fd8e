"""Random programs of calls that MLMD's module and ours must answer alike.

A program is a list of calls, each a method's name with arguments of our messages; :func:`run` makes them on one of the
two. Known differences (design section 6) are kept out by construction, or told by :func:`is_deliberate`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from google.protobuf.message import Message

from lineage.mlmd.metadata_store import ListOptions, OrderByField
from lineage.mlmd.proto import metadata_store_pb2

pb: Any = metadata_store_pb2

TYPES = ("A", "B", "mlmd.Dataset")
KEYS = {"i": "int_value", "d": "double_value", "s": "string_value", "b": "bool_value", "j": "struct_value"}
DECLARED = {"i": 1, "d": 2, "s": 3, "b": 6, "j": 4}
NAMES = ("n1", "n2", "n3", "", "ü")
KINDS = ("artifact", "execution", "context")
FILTERS = {
    "artifact": [
        "id > 1",
        "uri LIKE 'u%' AND state = LIVE",
        "properties.i.int_value > 1 OR id = 1",
        "contexts_c.name = 'n1'",
        "events_0.type = INPUT AND type = 'A'",
        "properties.s.string_value != 'a'",
        "nonsense = 1",
        "name = ",
    ],
    "execution": [
        "last_known_state != COMPLETE",
        "events_0.artifact_id = 1",
        "contexts_c.id = 1 OR NOT id = 2",
        "properties.s.string_value LIKE 'A%'",
    ],
    "context": ["name = 'n1'", "child_contexts_a.id > 0", "artifacts_a.uri = 'u1'", "executions_e.id = 1"],
}


class Call(NamedTuple):
    """A call to make."""

    method: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]


class Programmer:
    """Writes programs."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def program(self, length: int) -> Iterator[Call]:
        yield from self.types()
        writers: list[Callable[[], Call]] = [
            self.put_nodes, self.put_nodes, self.put_nodes, self.put_execution, self.put_execution, self.put_subgraph,
            self.put_events, self.put_events, self.put_links, self.put_links, self.put_parents, self.put_type,
        ]  # fmt: skip
        readers: list[Callable[[], Call]] = [
            self.get_types, self.get_by_key, self.get_by_key, self.list, self.list, self.neighbours, self.neighbours,
            self.lineage, self.lineage,
        ]  # fmt: skip
        for _ in range(length):
            yield self.r.choice(writers if self.r.random() < 0.55 else readers)()

    def types(self) -> Iterator[Call]:
        for kind in KINDS:
            for name in ("A", "B"):
                declared = DECLARED if name == "A" else {"i": 3}
                yield Call(f"put_{kind}_type", (self.message(kind, "Type")(name=name, properties=declared),), {})

    def message(self, kind: str, suffix: str = "") -> Any:
        return getattr(pb, f"{kind.capitalize()}{suffix}")

    def some_id(self) -> int:
        return self.r.choice((1, 1, 2, 2, 3, 4, 5, 6, 99))

    def maybe(self, value: Any, chance: float = 0.5) -> Any:
        return value if self.r.random() < chance else None

    def value(self, field: str) -> Any:
        if field == "struct_value":
            value = pb.Value()
            value.struct_value.SetInParent()
            value.struct_value.update(self.r.choice([{}, {"a": 1.5}, {"a": [1, {"b": None}], "c": "x"}]))
            return value
        choices: dict[str, list[Any]] = {
            "int_value": [0, 1, 2, -5, 2**63 - 1],
            "double_value": [0.0, 0.5, -1.25, 3.0],
            "string_value": ["", "a", "Abc", "ü"],
            "bool_value": [True, False],
        }
        return pb.Value(**{field: self.r.choice(choices[field])})

    def properties(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for key, field in KEYS.items():
            if self.r.random() < 0.3:
                given[key] = self.value(field if self.r.random() < 0.95 else "int_value")
        if self.r.random() < 0.03:
            given["unknown"] = self.value("int_value")
        return given

    def node(self, kind: str, *, update: float = 0.3) -> Any:
        r = self.r
        type_ids = {"artifact": (10, 10, 10, 11, 1, 77), "execution": (12, 12, 12, 13, 5, 77), "context": (14, 14, 15)}
        values: dict[str, Any] = {
            "id": self.maybe(self.some_id(), update),
            "type_id": self.maybe(r.choice(type_ids[kind]), 0.93),
            "name": self.maybe(r.choice(NAMES), 0.9 if kind == "context" else 0.4),
            "type": self.maybe(r.choice(TYPES), 0.1),
            "external_id": self.maybe(r.choice(("e1", "e2", "e3", "e4")), 0.15),
            "properties": self.properties() if r.random() < 0.6 else {},
            "custom_properties": {
                key: self.value(r.choice(list(KEYS.values()))) for key in ("x", "y") if r.random() < 0.3
            },
            "last_update_time_since_epoch": self.maybe(5, 0.1),
        }
        if kind == "artifact":
            values["uri"] = self.maybe(r.choice(("u1", "u2", "")), 0.7)
            values["state"] = self.maybe(r.choice((0, 1, 2, 5, 6)), 0.4)
        elif kind == "execution":
            values["last_known_state"] = self.maybe(r.choice((0, 2, 3)), 0.4)
        return self.message(kind)(**{name: value for name, value in values.items() if value is not None})

    def nodes(self, kind: str, most: int = 3) -> list[Any]:
        return [self.node(kind) for _ in range(self.r.randint(0, most))]

    def put_type(self) -> Call:
        kind = self.r.choice(KINDS)
        declared = {key: number for key, number in DECLARED.items() if self.r.random() < 0.8}
        if self.r.random() < 0.3:
            declared["extra"] = self.r.choice((1, 2))
        type_ = self.message(kind, "Type")(name=self.r.choice(("A", "B", "C")), properties=declared)
        if self.r.random() < 0.3:
            type_.version = self.r.choice(("v1", ""))
        if self.r.random() < 0.2:
            type_.description = "words"
        if self.r.random() < 0.1 and kind != "context":
            type_.base_type = self.r.choice((0, 1, 2))
        if kind == "execution" and self.r.random() < 0.2:
            type_.input_type.dict.properties["m"].simple.name = "A"
            type_.output_type.list.element.any.SetInParent()
        return Call(
            f"put_{kind}_type",
            (type_,),
            {"can_add_fields": self.r.random() < 0.6, "can_omit_fields": self.r.random() < 0.6},
        )

    def put_nodes(self) -> Call:
        kind = self.r.choice(KINDS)
        masks = [
            None,
            [],
            ["uri"],
            ["state", "properties"],
            ["external_id"],
            ["properties.i", "custom_properties.x"],
            ["custom_properties"],
            ["name", "last_known_state"],
            ["type_id", "bogus"],
        ]
        return Call(
            f"put_{kind}s",
            (self.nodes(kind),),
            {"field_mask_paths": self.r.choice(masks)} if self.r.random() < 0.5 else {},
        )

    def event(self, *, ends: float) -> Any:
        values = {
            "artifact_id": self.maybe(self.some_id(), ends),
            "execution_id": self.maybe(self.some_id(), ends),
            "type": self.maybe(self.r.choice((1, 2, 3, 3, 3, 4, 4, 4, 5, 6, 7, 0)), 0.95),
            "milliseconds_since_epoch": self.maybe(77, 0.3),
        }
        event = pb.Event(**{name: value for name, value in values.items() if value is not None})
        if self.r.random() < 0.4:
            event.path.SetInParent()
            for _ in range(self.r.randint(0, 2)):
                step = event.path.steps.add()
                if self.r.random() < 0.5:
                    step.key = self.r.choice(("k", ""))
                else:
                    step.index = self.r.choice((0, -1, 7))
        return event

    def put_events(self) -> Call:
        return Call("put_events", ([self.event(ends=0.97) for _ in range(self.r.randint(0, 3))],), {})

    def put_execution(self) -> Call:
        pairs: list[Any] = []
        for _ in range(self.r.randint(0, 3)):
            event = self.event(ends=0.0)
            pair = self.r.choice(("both", "both", "artifact", "event", "none"))
            if pair == "both":
                pairs.append((self.node("artifact"), event))
            elif pair == "artifact":
                pairs.append((self.node("artifact"),))
            elif pair == "event":
                event.artifact_id = self.r.choice((1, 2))
                pairs.append((None, event))
            else:
                pairs.append(())
        flags = ("reuse_context_if_already_exist", "reuse_artifact_if_already_exist_by_external_id",
                 "force_reuse_context", "force_update_time")  # fmt: skip
        return Call(
            "put_execution",
            (self.node("execution"), pairs, self.nodes("context", 2)),
            {flag: self.r.random() < 0.5 for flag in flags},
        )

    def put_subgraph(self) -> Call:
        executions, artifacts = self.nodes("execution", 2), self.nodes("artifact", 3)
        edges: list[Any] = []
        for _ in range(self.r.randint(0, 3)):
            if executions and artifacts:
                index = (self.r.randint(0, len(executions)), self.r.randrange(len(artifacts)))
                edges.append((*index, self.event(ends=0.05)))
        flags = ("reuse_context_if_already_exist", "reuse_artifact_if_already_exist_by_external_id")
        return Call(
            "put_lineage_subgraph",
            (executions, artifacts, self.nodes("context", 2), edges),
            {flag: self.r.random() < 0.5 for flag in flags},
        )

    def put_links(self) -> Call:
        attributions = [
            pb.Attribution(artifact_id=self.some_id(), context_id=self.some_id()) for _ in range(self.r.randint(0, 2))
        ]
        associations = [
            pb.Association(execution_id=self.some_id(), context_id=self.some_id()) for _ in range(self.r.randint(0, 2))
        ]
        return Call("put_attributions_and_associations", (attributions, associations), {})

    def put_parents(self) -> Call:
        links = [
            pb.ParentContext(child_id=self.some_id(), parent_id=self.some_id()) for _ in range(self.r.randint(0, 2))
        ]
        if self.r.random() < 0.05:
            links.append(pb.ParentContext(child_id=1))
        return Call("put_parent_contexts", (links,), {})

    def get_types(self) -> Call:
        kind = self.r.choice(KINDS)
        name, version = self.r.choice(("A", "C", "nope", "mlmd.Dataset")), self.r.choice((None, "", "v1"))
        return self.r.choice(
            [
                Call(f"get_{kind}_type", (name, version), {}),
                Call(f"get_{kind}_types", (), {}),
                Call(f"get_{kind}_types_by_id", ([10, 12, 14, 10, 1, 99],), {}),
                Call(f"get_{kind}_types_by_external_ids", (["e"],), {}),
            ]
        )

    def get_by_key(self) -> Call:
        kind, r = self.r.choice(KINDS), self.r
        return r.choice(
            [
                Call(f"get_{kind}s_by_id", ([self.some_id() for _ in range(r.randint(0, 4))],), {}),
                Call(f"get_{kind}s_by_type", (r.choice(TYPES),), {}),
                Call(f"get_{kind}_by_type_and_name", (r.choice(TYPES), r.choice(NAMES)), {}),
                Call(f"get_{kind}s_by_external_ids", ([r.choice(("e1", "e2", "", "e9"))],), {}),
                Call("get_artifacts_by_uri", (r.choice(("u1", "", "zz")),), {}),
                Call("get_artifacts_and_types_by_artifact_ids", ([1, 2, 9],), {}),
            ]
        )

    def list_options(self, kind: str) -> Any:
        if self.r.random() < 0.2:
            return None
        return ListOptions(
            limit=self.r.choice((None, None, 0, 1, 2, 5, -1)),
            order_by=self.r.choice((None, OrderByField.ID, OrderByField.CREATE_TIME, OrderByField.UPDATE_TIME)),
            is_asc=self.r.random() < 0.5,
            filter_query=self.maybe(self.r.choice(FILTERS[kind]), 0.6),
        )

    def list(self) -> Call:
        kind = self.r.choice(KINDS)
        if kind != "context" and self.r.random() < 0.4:
            return Call(f"get_{kind}s_by_context", (self.some_id(), self.list_options(kind)), {})
        return Call(f"get_{kind}s", (self.list_options(kind),), {})

    def neighbours(self) -> Call:
        method = self.r.choice(
            ("get_contexts_by_artifact", "get_contexts_by_execution", "get_parent_contexts_by_context",
             "get_children_contexts_by_context", "get_events_by_execution_ids", "get_events_by_artifact_ids")
        )  # fmt: skip
        return Call(method, ([self.some_id(), 1] if method.endswith("_ids") else self.some_id(),), {})

    def lineage(self) -> Call:
        r = self.r
        options = pb.LineageSubgraphQueryOptions()
        kind = r.choice(("artifact", "execution"))
        query = r.choice(("id = 1", "id < 4", "type = 'A'", "", "id = 99", "bad"))
        getattr(options, f"starting_{kind}s").filter_query = query
        if r.random() < 0.8:
            options.max_num_hops = r.choice((0, 1, 2, 3, 20, -1))
        if r.random() < 0.7:
            options.direction = r.choice((0, 1, 2, 3))
        for ending in ("artifact", "execution"):
            if r.random() < 0.2:
                nodes = getattr(options, f"ending_{ending}s")
                nodes.filter_query = r.choice(("id = 2", "type = 'B'", ""))
                nodes.include_ending_nodes = r.random() < 0.5
        masks = [None, [], ["artifacts", "events"], ["artifact_types"], ["executions", "execution_types"],
                 ["contexts", "attributions", "associations", "artifact_types"], ["bogus"]]  # fmt: skip
        return Call("get_lineage_subgraph", (options, r.choice(masks)), {})


# --- running --------------------------------------------------------------------------------------------------------

CALLS = 40
"""How long a program is."""


class Failure:
    """What a call raised. Two are equal if their classes have the same name."""

    def __init__(self, error: Exception) -> None:
        self.name = type(error).__name__
        self.message = str(error)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Failure) and other.name == self.name

    __hash__ = None  # type: ignore[assignment]  # nobody puts it into a set

    def __repr__(self) -> str:
        return f"{self.name}: {self.message}"


def is_deliberate(expected: Any, got: Any) -> bool:
    """Tell whether two different answers are one of the deliberate differences in design section 6."""
    if not isinstance(got, Failure):
        return False
    if isinstance(expected, Failure) and got.name == "AlreadyExistsError":
        # A unique clash on update; and one of a context's external id, which no retry will heal.
        return expected.name in ("InternalError", "AbortedError")
    if "there is no such context to reuse" in got.message:
        return True  # its id was guessed: the reference looks for it after it wrote the contexts before it
    # An event to an artifact that does not exist; an attribution of an empty pair.
    return "No artifact with the given id" in got.message or "Artifact id not found: -1" in got.message


def run(store: Any, call: Call, translate: Callable[[Any], Any]) -> Any:
    """Make a call, and return what it returns, in a form to compare, or a :class:`Failure`."""
    if call.method.startswith("put_"):
        time.sleep(0.0015)  # so that an update is seen in the times
    try:
        result = getattr(store, call.method)(*map(translate, call.arguments), **call.options)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is compared
        return Failure(error)
    return comparable(result, ordered=call.method.startswith(("get_artifacts", "get_exec", "get_contexts")))


def comparable(value: Any, *, ordered: bool = False) -> Any:
    if isinstance(value, Message):
        return _shown(value)
    if isinstance(value, (list, tuple)):
        shown = [comparable(each) for each in value]
        return shown if ordered or not shown or not isinstance(shown[0], str) else sorted(shown)
    return value


_RECENT = 1_500_000_000_000


def _shown(message: Message) -> str:
    """A message as text, without the times but whether it was changed, repeated fields in a fixed order."""
    parts: list[str] = []
    for field, value in message.ListFields():
        if field.name == "last_update_time_since_epoch":
            created: Any = message
            parts.append(f"changed={value > created.create_time_since_epoch}")
        elif field.name == "create_time_since_epoch":
            parts.append(f"created={value > _RECENT}")
        elif field.name == "milliseconds_since_epoch" and value > _RECENT:
            parts.append("time=now")
        elif field.message_type is not None and field.message_type.GetOptions().map_entry:
            entries = [f"{key!r}: {_shown(each) if isinstance(each, Message) else each}" for key, each in value.items()]
            parts.append(f"{field.name}={sorted(entries)}")
        elif isinstance(value, Message):
            parts.append(f"{field.name}={_shown(value)}")
        elif field.message_type is not None:
            shown = [_shown(each) for each in value]
            parts.append(f"{field.name}={shown if field.name in ('steps', 'values') else sorted(shown)}")
        else:
            parts.append(f"{field.name}={value!r}")
    return f"{type(message).__name__}({', '.join(parts)})"
