"""Random filters and lists on two stores of one graph: what the memory store selects, the other must select too."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from lineage.model import NodeKind
from lineage.seam import OrderBy
from tests.differential.filter_grammar import FilterMaker
from tests.differential.filter_pieces import Piece, shrink
from tests.differential.graph_plan import SEED, make_plan
from tests.differential.twins import Twins

FILTERS_A_GRAPH = 100
LISTS_A_GRAPH = 20


class Case:
    """Two stores of one graph, and random questions about it; ``name`` is the other store's."""

    def __init__(self, name: str, index: int, url: str) -> None:
        self.name = name
        self.random = random = Random(f"{name} filters {SEED} {index}")
        plan = make_plan(
            random, artifacts=random.randint(8, 35), executions=random.randint(3, 18), contexts=random.randint(2, 9)
        )
        self.twins = Twins(plan, url)

    def filter(self, kind: NodeKind) -> Piece:
        maker = FilterMaker(self.random, self.twins.plan, kind, times_ms=self.twins.times_ms, mistakes=0.0)
        return maker.make_indexable() if self.random.random() < 0.4 else maker.make()


def check_filters(case: Case) -> None:
    for _ in range(FILTERS_A_GRAPH):
        kind = case.random.choice(list(NodeKind))
        where = case.filter(kind)
        memory, ours = case.twins.select(kind, str(where))
        if memory != ours:
            pytest.fail(_explain(case, kind, where), pytrace=False)
        if not isinstance(memory, str):
            counted = getattr(case.twins.stores[1], f"count_{kind.lower()}s")(str(where))
            assert counted == len(memory), f"LINEAGE_TEST_SEED={SEED} {kind} {where}"


def check_lists(case: Case) -> None:
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


def _explain(case: Case, kind: NodeKind, where: Piece) -> str:
    """What differs, for the shortest filter that differs in the same way."""
    twins = case.twins
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
    return f"LINEAGE_TEST_SEED={SEED}\n{kind} filter: {shortest}\n  memory: {memory}\n  {case.name}: {ours}\n{message}"


def put_what_stands_beside(twins: Twins, values: Sequence[Any]) -> None:
    """Give nodes values that MLMD's tables cannot hold: then every filter is rendered so that it finds them."""
    for store in twins.stores:
        random = Random(SEED)
        for kind in NodeKind:
            nodes = getattr(store, f"list_{kind.lower()}s")()
            for node in random.sample(list(nodes), len(nodes) // 2):
                custom = {
                    key: random.choice(values) if random.random() < 0.4 else value
                    for key, value in sorted(node.custom_properties.items())
                }
                changed = node.model_copy(update={"custom_properties": custom})
                getattr(store, f"put_{kind.lower()}s")([changed])
