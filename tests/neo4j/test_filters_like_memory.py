"""Random filters and lists: Neo4j selects the same nodes as the memory store, in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from lineage.backend import OrderBy
from lineage.model import NodeKind
from tests.differential.filter_grammar import FilterMaker
from tests.differential.filter_pieces import Piece, shrink
from tests.differential.graph_plan import SEED, make_plan
from tests.neo4j.twins import Twins

GRAPHS = 12
FILTERS_A_GRAPH = 100
LISTS_A_GRAPH = 20


class Case:
    """Two stores of one graph, and random questions about it."""

    def __init__(self, index: int, url: str) -> None:
        self.random = random = Random(f"neo4j filters {SEED} {index}")
        plan = make_plan(
            random, artifacts=random.randint(8, 35), executions=random.randint(3, 18), contexts=random.randint(2, 9)
        )
        self.twins = Twins(plan, url)

    def filter(self, kind: NodeKind) -> Piece:
        maker = FilterMaker(self.random, self.twins.plan, kind, times_ms=self.twins.times_ms, mistakes=0.0)
        return maker.make_indexable() if self.random.random() < 0.4 else maker.make()


@pytest.fixture(params=range(GRAPHS))
def case(request: pytest.FixtureRequest, url: str) -> Iterator[Case]:
    case = Case(request.param, url)
    yield case
    case.twins.close()


def test_filters(case: Case) -> None:
    for _ in range(FILTERS_A_GRAPH):
        kind = case.random.choice(list(NodeKind))
        where = case.filter(kind)
        memory, ours = case.twins.select(kind, str(where))
        if memory != ours:
            pytest.fail(_explain(case.twins, kind, where), pytrace=False)


def _explain(twins: Twins, kind: NodeKind, where: Piece) -> str:
    """What differs, for the shortest filter that differs in the same way."""
    refused = [isinstance(answer, str) for answer in twins.select(kind, str(where))]

    def differs(text: str) -> bool:
        memory, ours = twins.select(kind, text)
        return [isinstance(memory, str), isinstance(ours, str)] == refused and memory != ours

    shortest = shrink(where, differs)
    memory, ours = twins.select(kind, shortest)
    message = ""
    if isinstance(ours, str):
        try:
            getattr(twins.stores[1], f"list_{kind.lower()}s")(shortest)
        except Exception as error:  # noqa: BLE001  # it is told
            message = str(error)
    return f"LINEAGE_TEST_SEED={SEED}\n{kind} filter: {shortest}\n  memory: {memory}\n  neo4j:  {ours}\n{message}"


def test_lists(case: Case) -> None:
    """Filter, order, pages, by type or in a context: page after page the same."""
    random, twins = case.random, case.twins
    for _ in range(LISTS_A_GRAPH):
        kind = random.choice(list(NodeKind))
        where = str(case.filter(kind)) if random.random() < 0.6 else None
        order_by, descending = random.choice(list(OrderBy)), random.random() < 0.5
        limit = random.choice((1, 2, 3, 5, 8, 50))
        narrowing = random.choice(("type", "context", None))
        type_name = random.choice((*twins.plan.type_names(kind), "no such type")) if narrowing == "type" else None
        context_id = random.randint(1, len(twins.plan.contexts) + 1) if narrowing == "context" else None
        tokens: tuple[str | None, str | None] = (None, None)
        while True:
            (memory, first), (ours, second) = twins.page(
                kind, where, tokens=tokens, order_by=order_by, descending=descending, limit=limit,
                type_name=type_name, context_id=context_id,
            )  # fmt: skip
            assert memory == ours, f"LINEAGE_TEST_SEED={SEED} {kind} {where} {order_by} {descending} {limit}"
            assert first == second
            if first is None:
                break
            tokens = (first, second)
