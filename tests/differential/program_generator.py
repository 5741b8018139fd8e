"""Random programs: one method for each kind of call, with its weight.

A program is made while it runs, because a good next call needs to know what is stored: ids, declared properties, nodes
as they are read back. Most parts of a call are right, a few are wrong, so that about three calls in four succeed.

What would make the stores differ for ever is left out (the rows of ``differences`` say why): an unknown artifact in an
event without artifact, and a pair without both where there are contexts (dangling-events); a type named without its id
(type-by-name); external ids where ``put_types`` has a type twice (type-twice); pages beyond 100 (page-size), and pages
by update time smaller than one write (paging-by-time); options that are wrong in a list of a type or a context
(lazy-options).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from lineage import (
    Artifact,
    Association,
    Attribution,
    Event,
    EventEdge,
    OrderBy,
    ParentContext,
    Store,
)
from tests.differential.program_calls import Call
from tests.differential.program_records import KINDS, RecordMaker
from tests.differential.program_values import (
    NODE_NAMES,
    REFUSED_FILTERS,
    UNKNOWN_IDS,
    URIS,
    chance,
    update_mask,
    where,
)

LARGEST_WRITE = 8
"""No call writes more nodes of a kind than this."""


class ProgramGenerator:
    """Makes the next call from what our store holds."""

    def __init__(self, rng: Random, store: Store) -> None:
        self._rng = rng
        self._make = RecordMaker(rng, store)
        self._begun: list[int] = []
        weights: dict[Callable[[], Call], float] = {
            self.put_type: 5,
            self.put_types: 1.5,
            self.read_types: 3,
            self.put_nodes: 14,
            self.update_nodes: 9,
            self.put_events: 6,
            self.put_attributions_and_associations: 5,
            self.put_parent_contexts: 4,
            self.put_execution: 7,
            self.put_lineage_subgraph: 6,
            self.read_nodes: 8,
            self.read_links: 6,
            self.walk: 6,
            self.begin_list: 2,
            self.continue_list: 3,
        }
        self._makers, self._weights = list(weights), list(weights.values())

    def program(self, length: int) -> Iterable[Call]:
        """Yield calls; each must be performed before the next one is asked for."""
        for kind in KINDS:  # something to put nodes of, and some nodes
            yield self.put_type(kind)
            for _ in range(2):
                yield Call(f"put_{kind.lower()}s", ([self._make.new_node(kind) for _ in range(4)],))
        for _ in range(length - 3 * len(KINDS)):
            [make] = self._rng.choices(self._makers, self._weights)
            yield make()

    # --- types -------------------------------------------------------------------------------------------------------

    def _flags(self) -> dict[str, bool]:
        return {name: True for name in ("can_add_fields", "can_omit_fields") if chance(self._rng, 0.7)}

    def put_type(self, kind: str | None = None) -> Call:
        kind = kind or self._rng.choice(KINDS)
        return Call(f"put_{kind.lower()}_type", (self._make.type(kind),), self._flags())

    def put_types(self) -> Call:
        rng = self._rng
        groups: dict[str, Any] = {}
        for kind in KINDS:
            types = [self._make.type(kind) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
            if len({(each.name, each.version or "") for each in types}) < len(types):  # differences: type-twice
                types = [each.model_copy(update={"external_id": None}) for each in types]
            groups[f"{kind.lower()}_types"] = types
        return Call("put_types", (), {**groups, **self._flags()})

    def read_types(self) -> Call:
        rng = self._rng
        kind = rng.choice(KINDS)
        match rng.randrange(4):
            case 0:
                return Call("get_type", (kind, *self._make.type_key(kind)))
            case 1:
                return Call("get_types", (kind,))
            case 2:
                known = [each.id for each in self._make.known_types(kind)] * 5
                ids = [rng.choice((*known, *range(1, 25), *UNKNOWN_IDS)) for _ in range(rng.randint(0, 5))]
                return Call("get_types_by_id", (kind, ids))
            case _:
                external_ids = self._make.known_external_ids(self._make.known_types(kind))
                return Call("get_types_by_external_ids", (kind, external_ids))

    # --- nodes -------------------------------------------------------------------------------------------------------

    def put_nodes(self) -> Call:
        rng = self._rng
        kind = rng.choice(KINDS)
        count = rng.choice((0, 1, 1, 1, 2, 2, 3, 5))
        nodes = [self._make.node(kind, update=0.15) for _ in range(count)]
        return Call(f"put_{kind.lower()}s", (nodes,), {"update_mask": update_mask(rng)} if chance(rng, 0.05) else {})

    def update_nodes(self) -> Call:
        rng = self._rng
        kind = rng.choice(KINDS)
        nodes = [self._make.node(kind, update=0.95) for _ in range(rng.choice((1, 1, 2, 3)))]
        if chance(rng, 0.2):
            nodes.append(rng.choice(nodes))  # the same id twice
        options: dict[str, Any] = {"update_mask": update_mask(rng)} if chance(rng, 0.6) else {}
        if kind == "Artifact" and chance(rng, 0.3):
            options["abort_if_latest_updated_time_changed"] = True
        return Call(f"put_{kind.lower()}s", (nodes,), options)

    def read_nodes(self) -> Call:
        rng = self._rng
        kind = rng.choice(KINDS)
        match rng.randrange(6):
            case 0:
                return Call("get_by_id", (kind, self._make.ids(kind)))
            case 1:
                return Call("get_by_external_ids", (kind, self._make.known_external_ids(self._make.nodes(kind))))
            case 2:
                return Call("get_by_type", (kind, *self._make.type_key(kind)))
            case 3:
                return Call("get_artifacts_by_uris", ([rng.choice(URIS) for _ in range(rng.randint(0, 3))],))
            case _:
                type_name, version = self._make.type_key(kind)
                names = [
                    node.name for node in self._make.nodes(kind) if node.type == type_name and node.name is not None
                ]
                name = rng.choice(names) if names and chance(rng, 0.8) else rng.choice(NODE_NAMES)
                return Call("get_by_type_and_name", (kind, type_name, name, version))

    # --- links -------------------------------------------------------------------------------------------------------

    def put_events(self) -> Call:
        rng = self._rng
        events = [
            self._make.event(
                artifact_id=None if chance(rng, 0.02) else self._make.id("Artifact"),
                execution_id=None if chance(rng, 0.02) else self._make.id("Execution"),
            )
            for _ in range(rng.choice((0, 1, 1, 2, 3, 4)))
        ]
        if events and chance(rng, 0.1):
            events.append(rng.choice(events))
        return Call("put_events", (events,))

    def put_attributions_and_associations(self) -> Call:
        sizes = (0, 1, 1, 2, 3)
        attributions = [
            Attribution(artifact_id=self._make.id("Artifact"), context_id=self._make.id("Context"))
            for _ in range(self._rng.choice(sizes))
        ]
        associations = [
            Association(execution_id=self._make.id("Execution"), context_id=self._make.id("Context"))
            for _ in range(self._rng.choice(sizes))
        ]
        return Call("put_attributions_and_associations", (attributions, associations))

    def put_parent_contexts(self) -> Call:
        links: list[ParentContext] = []
        for _ in range(self._rng.choice((0, 1, 1, 1, 2, 3))):
            ids = [self._make.id("Context"), self._make.id("Context")]
            if chance(self._rng, 0.8):
                ids.sort()  # no cycle
            links.append(ParentContext(child_id=ids[1], parent_id=ids[0]))
        return Call("put_parent_contexts", (links,))

    def read_links(self) -> Call:
        rng = self._rng
        match rng.randrange(8):
            case 0:
                return Call("get_events_by_execution_ids", (self._make.ids("Execution"),))
            case 1:
                return Call("get_events_by_artifact_ids", (self._make.ids("Artifact"),))
            case 2:
                return Call("get_contexts_by_artifact", (self._make.id("Artifact"),))
            case 3:
                return Call("get_contexts_by_execution", (self._make.id("Execution"),))
            case _:
                what = rng.choice(("artifacts", "executions", "parent_contexts", "children_contexts"))
                return Call(f"get_{what}_by_context", (self._make.id("Context"),))

    # --- composites --------------------------------------------------------------------------------------------------

    def _contexts(self) -> list[Any]:
        contexts = [
            self._make.node("Context", update=0.35, sparse=0.1) for _ in range(self._rng.choice((0, 0, 1, 1, 2, 3)))
        ]
        if contexts and chance(self._rng, 0.15):
            contexts.append(self._rng.choice(contexts))
        return contexts

    def _pair(self, *, may_be_empty: bool) -> tuple[Artifact | None, Event | None]:
        rng = self._rng
        known = self._make.known_ids("Artifact")
        if may_be_empty and chance(rng, 0.05):
            return None, None
        if known and chance(rng, 0.3):
            return None, self._make.event(artifact_id=None if chance(rng, 0.03) else rng.choice(known))
        artifact = self._make.node("Artifact", update=0.3)
        if chance(rng, 0.15):
            return artifact, None
        event = self._make.event()
        if chance(rng, 0.1):
            event = event.model_copy(update={"artifact_id": artifact.id or len(known) + 1})
        if chance(rng, 0.05):
            event = event.model_copy(update={"execution_id": len(self._make.known_ids("Execution")) + 1})
        return artifact, event

    def put_execution(self) -> Call:
        rng = self._rng
        contexts = self._contexts()
        pairs = [self._pair(may_be_empty=not contexts) for _ in range(rng.choice((0, 1, 2, 2, 3, 4)))]
        if pairs and chance(rng, 0.1):
            pairs.append(rng.choice(pairs))
        execution = self._make.node("Execution", update=0.3)
        return Call(
            "put_execution", (execution, pairs, contexts), self._options("force_reuse_context", "force_update_time")
        )

    def _options(self, *more: str) -> dict[str, bool]:
        names = ("reuse_context_if_already_exist", "reuse_artifact_if_already_exist_by_external_id", *more)
        return {name: True for name in names if chance(self._rng, 0.5)}

    def put_lineage_subgraph(self) -> Call:
        rng = self._rng
        executions = [self._make.node("Execution", update=0.2, sparse=0.05) for _ in range(rng.choice((0, 1, 1, 2, 3)))]
        artifacts = [self._make.node("Artifact", update=0.2, sparse=0.05) for _ in range(rng.choice((0, 1, 2, 3, 4)))]
        edges = [self._edge(executions, artifacts) for _ in range(rng.choice((0, 1, 2, 3, 5)))]
        return Call("put_lineage_subgraph", (executions, artifacts, self._contexts(), edges), self._options())

    def _edge(self, executions: list[Any], artifacts: list[Any]) -> EventEdge:
        rng = self._rng
        if chance(rng, 0.01):
            return EventEdge(None, execution_index=0, artifact_index=0)
        execution_index, execution_id = self._end("Execution", executions)
        artifact_index, artifact_id = self._end("Artifact", artifacts)
        event = self._make.event(artifact_id=artifact_id, execution_id=execution_id)
        return EventEdge(event, execution_index=execution_index, artifact_index=artifact_index)

    def _end(self, kind: str, nodes: list[Any]) -> tuple[int | None, int | None]:
        """Return index and id of an edge's end: nearly always the one or the other."""
        rng = self._rng
        if chance(rng, 0.01):
            return rng.choice((-1, len(nodes), 2**31 - 1)), None
        if chance(rng, 0.01):
            return None, None
        known = self._make.known_ids(kind)
        if not nodes or (known and chance(rng, 0.2)):
            return (None, rng.choice(known)) if known else (0, None)
        index = rng.randrange(len(nodes))
        if chance(rng, 0.015):
            return index, rng.choice(known) if known else 1
        return index, nodes[index].id if chance(rng, 0.1) else None

    # --- lists -------------------------------------------------------------------------------------------------------

    def _list_options(self, kind: str) -> dict[str, Any]:
        rng = self._rng
        options: dict[str, Any] = {}
        if chance(rng, 0.2):
            options["type"], options["type_version"] = self._make.type_key(kind)
        elif kind != "Context" and chance(rng, 0.3):
            options["context_id"] = self._make.id("Context")
        if chance(rng, 0.7):
            options["order_by"] = rng.choice(list(OrderBy))
        if chance(rng, 0.4):
            options["descending"] = True
        return options

    def walk(self) -> Call:
        rng = self._rng
        kind = rng.choice(KINDS)
        options = self._list_options(kind)
        small = 1 if options.get("order_by") is not OrderBy.LAST_UPDATE_TIME else LARGEST_WRITE + 1
        limits = tuple(rng.randint(small, small + 8) for _ in range(rng.randint(1, 3)))
        if chance(rng, 0.03) and not options.keys() & {"type", "context_id"}:
            limits = (rng.choice((0, -1)),)
        return Call("walk", (kind, self._where(kind, options)), {"limits": limits, **options})

    def _where(self, kind: str, options: dict[str, Any]) -> str | None:
        """The reference looks at a filter only where there is something to filter (differences: lazy-options)."""
        text = where(self._rng, kind)
        return None if options.keys() & {"type", "context_id"} and text in REFUSED_FILTERS else text

    def begin_list(self) -> Call:
        rng = self._rng
        kind = rng.choice(KINDS)
        options = {**(self._list_options(kind) if chance(rng, 0.6) else {}), "limit": rng.randint(1, 4)}
        if options.get("order_by") is OrderBy.LAST_UPDATE_TIME:
            del options["order_by"]  # nodes move in that order meanwhile
        self._begun.append(rng.randrange(3))
        return Call("begin_list", (self._begun[-1], kind, self._where(kind, options)), options)

    def continue_list(self) -> Call:
        rng = self._rng
        if not self._begun:
            return self.begin_list()
        changes: dict[str, Any] = {"limit": rng.randint(1, 6)} if chance(rng, 0.3) else {}
        if chance(rng, 0.1):
            changes["descending"] = chance(rng, 0.5)
        return Call("continue_list", (rng.choice(self._begun),), changes)
