"""Random filters on random graphs: the reference and we select the same nodes, or both refuse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from lineage.model import NodeKind
from lineage.seam import OrderBy
from tests.differential.filter_grammar import FilterMaker
from tests.differential.filter_mistakes import is_comparable, spoil
from tests.differential.filter_pieces import Piece, shrink
from tests.differential.graph_pair import INVALID, Outcome, Pair, agree
from tests.differential.graph_plan import SEED, make_plan

pytestmark = [
    pytest.mark.differential,
    pytest.mark.filterwarnings("ignore"),  # ml-metadata's own
]

GRAPHS = 40
FILTERS_A_GRAPH = 100
LISTS_A_GRAPH = 15
_COUNTS: Counter[str] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _report() -> Iterator[None]:
    print(f"\nfilters: LINEAGE_TEST_SEED={SEED}")
    yield
    print(f"\nfilters: LINEAGE_TEST_SEED={SEED}: {dict(_COUNTS)}")


class Case:
    """A pair of stores with one graph, and random questions about it."""

    def __init__(self, index: int) -> None:
        self.random = random = Random(f"filters {SEED} {index}")
        plan = make_plan(
            random, artifacts=random.randint(8, 35), executions=random.randint(3, 18), contexts=random.randint(2, 9)
        )
        self.pair = Pair(plan)

    def filter(self, kind: NodeKind) -> Piece | str:
        """A filter: about 15 of 100 have something wrong in them."""
        roll = self.random.random()
        maker = FilterMaker(
            self.random, self.pair.plan, kind, times_ms=self.pair.times_ms, mistakes=0.12 if roll < 0.08 else 0.0
        )
        piece = maker.make()
        if 0.08 <= roll < 0.16:
            spoilt = spoil(self.random, str(piece))
            return spoilt if is_comparable(spoilt) else piece
        return piece


@pytest.fixture(params=range(GRAPHS))
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    case = Case(request.param)
    yield case
    case.pair.close()


def test_filters(case: Case) -> None:
    for _ in range(FILTERS_A_GRAPH):
        kind = case.random.choice(list(NodeKind))
        where = case.filter(kind)
        reference, ours = case.pair.select(kind, str(where))
        _COUNTS[_describe(reference)] += 1
        if not agree(reference, ours):
            pytest.fail(_explain(case.pair, kind, where), pytrace=False)


def _explain(pair: Pair, kind: NodeKind, where: Piece | str) -> str:
    """What differs, for the shortest filter that differs in the same way."""
    refused = [isinstance(answer, str) for answer in pair.select(kind, str(where))]

    def differs(text: str) -> bool:
        if not is_comparable(text):
            return False
        reference, ours = pair.select(kind, text)
        return [isinstance(reference, str), isinstance(ours, str)] == refused and not agree(reference, ours)

    shortest = shrink(where, differs)
    reference, ours = pair.select(kind, shortest)
    return (
        f"LINEAGE_TEST_SEED={SEED}\n{kind} filter: {shortest}\n  reference: {reference}\n  ours:      {ours}\n"
        f"as made:  {where}\ngraph:\n{_shorten(str(pair.plan), kind)}"
    )


def _shorten(graph: str, kind: NodeKind) -> str:
    """The nodes that were asked for, and the links."""
    lines = [line for line in graph.splitlines() if not line.startswith(("Artifact(", "Execution(", "Context("))]
    nodes = [line for line in graph.splitlines() if line.startswith(f"{kind}(")]
    return "\n".join([*(f"{number}: {line}" for number, line in enumerate(nodes, 1)), *lines])


NO_TYPE = "no such type"


def test_lists(case: Case) -> None:
    """Filter, order, pages, by type or in a context: page after page the same."""
    for _ in range(LISTS_A_GRAPH):
        _compare_list(case)


def _compare_list(case: Case) -> None:
    random, pair = case.random, case.pair
    kind = random.choice(list(NodeKind))
    options: dict[str, object] = {
        "order_by": random.choice(list(OrderBy)),
        "descending": random.random() < 0.5,
        "limit": random.choice((1, 2, 3, 5, 8, 50)),
    }
    narrowing = random.choice(("type", "context", None))
    if narrowing == "type":
        options["type_name"] = random.choice((*pair.plan.type_names(kind), NO_TYPE))
    elif narrowing == "context" and kind is not NodeKind.CONTEXT:
        options["context_id"] = random.randint(1, len(pair.plan.contexts) + 1)
    where = str(case.filter(kind)) if random.random() < 0.7 else None
    told = f"LINEAGE_TEST_SEED={SEED}\n{kind} where {where!r}, {options}"
    tokens: tuple[str | None, str | None] = (None, None)
    last_time_ms = -1
    while True:
        reference, reference_token = pair.reference_page(kind, where, token=tokens[0], **options)  # type: ignore[arg-type]  # chosen above
        ours, token = pair.page(kind, where, token=tokens[1], **options)  # type: ignore[arg-type]  # as above
        _COUNTS[f"pages: {_describe(reference)}"] += 1
        if reference == () and ours == INVALID and narrowing is not None:
            return  # Rule `options are checked`: the reference looks at no filter when it has no node to apply it to.
        if options.get("type_name") == NO_TYPE:
            assert (reference, ours) == ((), "NOT_FOUND"), told
            return  # Rule `unknown types`
        assert agree(reference, ours), f"{told}\n  reference: {reference}\n  ours:      {ours}"
        if token is None or reference_token is None:
            assert token == reference_token, f"{told}, next page: {reference_token!r} and ours {token!r}"
            return
        tokens = (reference_token, token)
        if options["order_by"] is OrderBy.LAST_UPDATE_TIME:
            time_ms = pair.update_times_ms[kind, int(ours[-1])]
            if time_ms == last_time_ms:
                return  # Rule `two pages of one time`: from the third on, the reference repeats itself.
            last_time_ms = time_ms


def _describe(outcome: Outcome) -> str:
    return outcome if isinstance(outcome, str) else "some nodes" if outcome else "no nodes"
