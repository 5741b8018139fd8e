"""The memory store's search, with its indexes, finds what trying every node and every assignment finds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product
from math import prod
from random import Random
from typing import Any

import pytest

from backends.memory.predicate import Matcher, compile_part
from backends.memory.search import Search
from backends.memory.sources import Sources
from cypher import ast
from cypher.rows import conjuncts
from lineage import registry
from lineage.api.units import BackendUnits
from lineage.errors import AlreadyExistsError, InvalidArgumentError, LineageError
from lineage.model import Artifact, Event, LinkKind, Node, NodeKind
from lineage.reading.lists import filter_of
from lineage.seam import NEIGHBOURS, Backend, Cursor, NodeQuery, OrderBy, Transaction, held_by
from lineage.store import Store
from tests.differential.filter_grammar import FilterMaker
from tests.differential.filter_terms import OURS
from tests.differential.graph_plan import EVENT_TYPES, SEED, GraphPlan, make_plan

FILTERS_A_ROUND = 400
ROUNDS = 4
_MAX_ASSIGNMENTS = 3000
_WAYS = (
    (Search, "_walk"),
    (Sources, "_of_condition"),
    (Sources, "_of_neighbour"),
    (Sources, "_of_either"),
)
"""The ways of searching: each must be taken by some filters."""
_FIRST_TIME_MS = 1_700_000_000_000


class Clock:
    """A clock that stands still for some calls, so that several nodes have the same time."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.now_ms = _FIRST_TIME_MS

    def __call__(self) -> int:
        self.now_ms += self._random.choice((0, 0, 0, 1, 5))
        return self.now_ms


@dataclass
class World:
    """A store of 500 nodes, and the same content without any index."""

    random: Random
    plan: GraphPlan
    backend: Backend
    store: Store
    clock: Clock
    neighbours_of: dict[tuple[NodeKind, str, int], list[Any]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def fill(cls, random: Random) -> World:
        plan = make_plan(random, artifacts=300, executions=120, contexts=80)
        clock = Clock(random)
        backend = registry.open_backend("memory:")
        world = cls(random, plan, backend, Store(BackendUnits(backend, clock=clock), url="memory:"), clock)
        store = world.store
        for type_ in plan.types:
            getattr(store, f"put_{type_.kind.lower()}_type")(type_)
        store.put_artifacts(plan.artifacts[:100])
        for artifact in plan.artifacts[100:]:
            store.put_artifacts([artifact])
        store.put_executions(plan.executions)
        store.put_contexts(plan.contexts)
        store.put_events(plan.events)
        store.put_attributions_and_associations(plan.attributions, plan.associations)
        store.put_parent_contexts(plan.parents)
        return world

    def change(self) -> None:
        """Update some nodes, for good and in transactions that fail; link some more."""
        random, store = self.random, self.store
        for _ in range(30):
            kind = random.choice(list(NodeKind))
            plural = f"{kind.lower()}s"
            [old] = getattr(store, f"get_{plural}_by_id")([random.randint(1, len(self.plan.nodes(kind)))])
            donor = random.choice(self.plan.nodes(kind))
            changes: dict[str, Any] = {"custom_properties": donor.custom_properties, "external_id": None}
            if isinstance(donor, Artifact):
                changes |= {"uri": donor.uri, "state": donor.state}
            put = getattr(store, f"put_{plural}")
            put([old.model_copy(update=changes)])
            fresh = old.model_copy(update={**changes, "id": None, "name": "rolled back"})
            missing = old.model_copy(update={"id": 10_000})
            with pytest.raises(LineageError):
                put([old.model_copy(update={"custom_properties": {}}), fresh, missing])
        for _ in range(20):
            artifact_id, execution_id = random.randint(1, 300), random.randint(1, 120)
            with suppress(AlreadyExistsError):
                store.put_events(
                    [Event(artifact_id=artifact_id, execution_id=execution_id, type=random.choice(EVENT_TYPES))]
                )
        with pytest.raises(InvalidArgumentError):
            store.put_events([Event(artifact_id=1, execution_id=each, type="INPUT") for each in (120, 121)])

    def read_neighbours(self, tx: Transaction, nodes: Mapping[NodeKind, Mapping[int, Node]]) -> None:
        """Collect the neighbours of every node from a plain list of all links."""
        self.neighbours_of.clear()
        links: dict[LinkKind, Sequence[Any]] = {
            LinkKind.EVENT: self.store.get_events_by_artifact_ids(range(1, 301)),
            LinkKind.ATTRIBUTION: self.plan.attributions,
            LinkKind.ASSOCIATION: self.plan.associations,
            LinkKind.PARENT: self.plan.parents,
        }
        for (kind, name), how in NEIGHBOURS.items():
            for link in links[how.link]:
                neighbour = link if how.kind is None else nodes[how.kind][getattr(link, how.neighbour_end)]
                self.neighbours_of[kind, name, getattr(link, how.node_end)].append(neighbour)


class Oracle:
    """Tries every assignment for every node."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.nodes: dict[NodeKind, dict[int, Node]] = {}

    def refresh(self, tx: Transaction) -> None:
        self.nodes = {kind: {node.id or 0: node for node in tx.find_nodes(NodeQuery(kind))} for kind in NodeKind}
        self._world.read_neighbours(tx, self.nodes)

    def find(self, query: NodeQuery) -> list[int]:
        nodes = [node for node in self.nodes[query.kind].values() if self._is_asked_for(query, node)]
        if query.filter is not None:
            nodes = [node for node in nodes if self._matches(query.kind, query.filter, node)]
        places = sorted(
            ((node.id or 0) if query.order_by is OrderBy.ID else getattr(node, query.order_by.value), node.id or 0)
            for node in nodes
        )
        if query.descending:
            places.reverse()
        if query.after is not None:
            last = (query.after.value, query.after.id)
            places = [place for place in places if (place < last if query.descending else place > last)]
        return [node_id for _, node_id in places[: query.limit]]

    def _is_asked_for(self, query: NodeQuery, node: Node) -> bool:
        return (
            (query.ids is None or node.id in query.ids)
            and (query.type_ids is None or node.type_id in query.type_ids)
            and (
                query.linked is None
                or any(
                    context.id in query.linked.ids
                    for context in self._world.neighbours_of[query.kind, "contexts", node.id or 0]
                )
            )
        )

    def _matches(self, kind: NodeKind, where: ast.Filter, node: Node) -> bool:
        aliases = [row for row in where.rows if isinstance(row, ast.NeighbourRow)]
        for row in where.rows:
            if isinstance(row, ast.PropertyRow) and row.key not in getattr(node, row.family):
                return False
        evaluate = compile_part(where.where, self._neighbours(kind))
        choices = [self._world.neighbours_of[kind, row.neighbour, node.id or 0] for row in aliases]
        names = [row.alias for row in aliases]
        if prod(map(len, choices)) > _MAX_ASSIGNMENTS:  # assign what is independent independently
            return Matcher(conjuncts(where.where), where.rows, self._neighbours(kind))(node)
        return any(evaluate(node, dict(zip(names, assignment, strict=True))) for assignment in product(*choices))

    def _neighbours(self, kind: NodeKind) -> Any:
        return lambda node, name: self._world.neighbours_of[kind, name, node.id]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World.fill(Random(f"search {SEED}"))
    yield world
    world.store.close()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each way of searching gave an answer."""
    counts: Counter[str] = Counter()
    for owner, name in _WAYS:
        method = getattr(owner, name)

        def counted(self: Any, *args: Any, _name: str = name, _method: Any = method, **options: Any) -> Any:
            answer = _method(self, *args, **options)
            is_limited = _name == "_walk" and options.get("budget") is not None
            counts[f"limited{_name}" if is_limited else _name] += answer is not None
            return answer

        monkeypatch.setattr(owner, name, counted)
    return counts


def test_search_finds_what_the_oracle_finds(world: World, calls: Counter[str]) -> None:
    random, oracle = world.random, Oracle(world)
    outcomes: Counter[str] = Counter()
    for number in range(ROUNDS):
        if number:
            world.change()
        with world.backend.transaction() as tx:
            oracle.refresh(tx)
            for _ in range(FILTERS_A_ROUND):
                kind = random.choices(list(NodeKind), (3, 2, 2))[0]
                query = _random_query(world, kind, oracle)
                if query is None:
                    outcomes["refused"] += 1
                    continue
                expected = oracle.find(query)
                found = [node.id or 0 for node in tx.find_nodes(query)]
                outcomes["some" if expected else "none"] += 1
                assert found == expected, _explain(query, found, expected)
    print(f"LINEAGE_TEST_SEED={SEED}: {dict(outcomes)}, {dict(calls)}")
    assert outcomes["some"] > 300
    assert min(calls[name] for name in ("limited_walk", *(name for _, name in _WAYS))) > 20, calls


def _random_query(world: World, kind: NodeKind, oracle: Oracle) -> NodeQuery | None:
    random = world.random
    maker = FilterMaker(random, world.plan, kind, dialect=OURS, times_ms=range(_FIRST_TIME_MS, world.clock.now_ms, 7))
    text = str(maker.make_indexable() if random.random() < 0.5 else maker.make())
    try:
        where = filter_of(kind, text if random.random() < 0.95 else None)
    except InvalidArgumentError:
        return None
    order_by, descending = random.choice(list(OrderBy)), random.random() < 0.5
    after = None
    if random.random() < 0.3:
        node = random.choice(list(oracle.nodes[kind].values()))
        after = Cursor(getattr(node, order_by.value), node.id or 0)
    return NodeQuery(
        kind,
        filter=where,
        ids=random.sample(range(1, 400), k=50) if random.random() < 0.1 else None,
        type_ids=random.sample(range(10, 19), k=2) if random.random() < 0.15 else None,
        linked=replace(held_by(kind, 0), ids=random.sample(range(1, 90), k=3))
        if kind is not NodeKind.CONTEXT and random.random() < 0.1
        else None,
        order_by=order_by,
        descending=descending,
        after=after,
        limit=random.choice((None, None, 1, 3, 10, 50)),
    )


def _explain(query: NodeQuery, found: Sequence[int], expected: Sequence[int]) -> str:
    text = query.filter.text if query.filter else None
    rest = {name: getattr(query, name) for name in query.__slots__ if name != "filter" and getattr(query, name)}
    return (
        f"LINEAGE_TEST_SEED={SEED}: {text}\n{rest}\nmissing: {sorted(set(expected) - set(found))[:20]}, "
        f"too many: {sorted(set(found) - set(expected))[:20]}\nfound:    {found[:20]}\nexpected: {list(expected)[:20]}"
    )
