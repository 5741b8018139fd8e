"""The same graph in memory and in another store, and the same calls on both."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from lineage import registry
from lineage.api.units import BackendUnits
from lineage.model import Node, NodeKind
from lineage.seam import OrderBy
from lineage.store import Store
from tests.differential.graph_pair import TOUCHED_KEY, Outcome, answer_of
from tests.differential.graph_plan import GraphPlan


class Twins:
    """Two stores: what the first answers, the second must answer too."""

    def __init__(self, plan: GraphPlan, url: str) -> None:
        self.plan = plan
        self._time_ms = 1_700_000_000_000
        self.stores = [
            Store(BackendUnits(registry.open_backend(each), clock=lambda: self._time_ms), url=each)
            for each in ("memory:", url)
        ]
        for type_ in plan.types:
            assert len({getattr(store, f"put_{type_.kind.lower()}_type")(type_) for store in self.stores}) == 1
        for kind in NodeKind:
            nodes = list(plan.nodes(kind))
            while nodes:
                size = 1 + len(nodes) % 3
                self._put(nodes[:size])
                del nodes[:size]
        for store in self.stores:
            store.put_events(plan.events)
            store.put_attributions_and_associations(plan.attributions, plan.associations)
            store.put_parent_contexts(plan.parents)
        for kind, node_id in plan.touched:
            node = plan.nodes(kind)[node_id - 1]
            changed = {**node.custom_properties, TOUCHED_KEY: True}
            self._put([node.model_copy(update={"id": node_id, "custom_properties": changed})])
        self.times_ms = sorted(
            {
                time_ms
                for kind in NodeKind
                for node in getattr(self.stores[0], f"list_{kind.lower()}s")()
                for time_ms in (node.create_time_ms, node.last_update_time_ms)
            }
        )

    def close(self) -> None:
        for store in self.stores:
            store.close()

    def _put(self, nodes: Sequence[Node]) -> None:
        self._time_ms += 7 * (len(nodes) - 1)
        put = f"put_{nodes[0].kind.lower()}s"
        first, second = (getattr(store, put)(nodes) for store in self.stores)
        assert first == second

    def ask(self, method: str, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """Return what both answer, or the status of the error."""
        first, second = (answer_of(partial(getattr(store, method), *arguments, **options)) for store in self.stores)
        return first, second

    def select(self, kind: NodeKind, where: str) -> tuple[Outcome, Outcome]:
        """Return the ids of the nodes that match a filter."""
        first, second = self.ask(f"list_{kind.lower()}s", where)
        return _ids(first), _ids(second)

    def page(
        self,
        kind: NodeKind,
        where: str | None,
        *,
        tokens: tuple[str | None, str | None],
        order_by: OrderBy,
        descending: bool,
        limit: int,
        type_name: str | None,
        context_id: int | None,
    ) -> list[tuple[Outcome, str | None]]:
        """Return one page of both: ids, and the token of the next page."""
        options: dict[str, Any] = {} if kind is NodeKind.CONTEXT else {"context_id": context_id}
        pages: list[tuple[Outcome, str | None]] = []
        for store, token in zip(self.stores, tokens, strict=True):
            list_nodes = partial(getattr(store, f"list_{kind.lower()}s"), where, type=type_name, order_by=order_by)
            answer = answer_of(partial(list_nodes, descending=descending, limit=limit, page_token=token, **options))
            pages.append((_ids(answer), None if isinstance(answer, str) else answer.next_page_token))
        return pages


def _ids(answer: Any) -> Outcome:
    return answer if isinstance(answer, str) else tuple(node.id for node in answer)
