"""The reference and our store, filled with the same graph: same ids, same times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from lineage import registry
from lineage.api.units import BackendUnits
from lineage.errors import LineageError
from lineage.model import Node, NodeKind
from lineage.seam import OrderBy
from lineage.store import Store
from tests.differential.graph_plan import FIRST_TYPE_ID, GraphPlan
from tests.differential.reference import new_reference, reference_errors

Outcome: TypeAlias = "tuple[Any, ...] | str"
"""What a read answered: ids in order (or whatever the caller made of it), or the name of an error's status."""

INVALID, NOT_FOUND, INTERNAL = "INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL"
OVERFLOW = "INTERNAL: integer overflow"
"""What the reference says when ABS meets the least integer, for which it has no value; ours is a double."""
_STATUSES = {3: INVALID, 5: NOT_FOUND, 13: INTERNAL}
TOUCHED_KEY = "touched"


class Pair:
    """Both stores."""

    def __init__(self, plan: GraphPlan) -> None:
        self.plan = plan
        self.reference = new_reference()
        self._time_ms = 0
        self.store = Store(BackendUnits(registry.open_backend("memory:"), clock=lambda: self._time_ms), url="memory:")
        self.update_times_ms: dict[tuple[NodeKind, int], int] = {}
        times_ms: set[int] = set()
        for index, type_ in enumerate(plan.types):
            method = f"put_{type_.kind.lower()}_type"
            type_ids = {getattr(store, method)(type_) for store in (self.reference, self.store)}
            assert type_ids == {FIRST_TYPE_ID + index}
        for kind in NodeKind:
            nodes = list(plan.nodes(kind))
            while nodes:
                size = 1 + len(nodes) % 3  # what is put together may get the same time
                times_ms |= self._put(nodes[:size])
                del nodes[:size]
        self._put_links()
        for kind, node_id in plan.touched:
            node = plan.nodes(kind)[node_id - 1]
            changed = {**node.custom_properties, TOUCHED_KEY: True}
            times_ms |= self._put([node.model_copy(update={"id": node_id, "custom_properties": changed})])
        self.times_ms = sorted(times_ms)
        """All times of nodes, ascending."""

    def close(self) -> None:
        self.store.close()

    def _put(self, nodes: Sequence[Node]) -> set[int]:
        """Put nodes into both, into ours at the times at which the reference did; return these times."""
        kind = nodes[0].kind
        plural = f"{kind.lower()}s"
        ids = getattr(self.reference, f"put_{plural}")(nodes)
        response = self.reference.call(f"Get{kind}sByID", **{f"{kind.lower()}_ids": ids})
        by_id = {stored.id: stored for stored in getattr(response, plural)}
        for node, node_id in zip(nodes, ids, strict=True):
            self._time_ms = self.update_times_ms[kind, node_id] = by_id[node_id].last_update_time_since_epoch
            assert getattr(self.store, f"put_{plural}")([node]) == [node_id]
        return {stored.create_time_since_epoch for stored in by_id.values()} | {
            stored.last_update_time_since_epoch for stored in by_id.values()
        }

    def _put_links(self) -> None:
        for store in (self.reference, self.store):
            store.put_events(self.plan.events)
            store.put_attributions_and_associations(self.plan.attributions, self.plan.associations)
            store.put_parent_contexts(self.plan.parents)

    # --- reads, with ids and statuses as answers

    def reference_page(
        self,
        kind: NodeKind,
        where: str | None,
        *,
        type_name: str | None = None,
        context_id: int | None = None,
        order_by: OrderBy = OrderBy.ID,
        descending: bool = False,
        limit: int = 100,
        token: str | None = None,
    ) -> tuple[Outcome, str | None]:
        """List one page of the reference: ids or status, and the token of the next one."""
        options: dict[str, Any] = {
            "max_result_size": limit,
            "order_by_field": {"field": order_by.name, "is_asc": not descending},
        }
        if where is not None:
            options["filter_query"] = where
        if token is not None:
            options["next_page_token"] = token
        fields: dict[str, Any] = {"options": options}
        rpc = f"Get{kind}s"
        if type_name is not None:
            rpc, fields["type_name"] = f"{rpc}ByType", type_name
        elif context_id is not None:
            rpc, fields["context_id"] = f"{rpc}ByContext", context_id
        answer = answer_of(lambda: self.reference.call(rpc, **fields))
        if isinstance(answer, str):
            return answer, None
        return tuple(node.id for node in getattr(answer, f"{kind.lower()}s")), answer.next_page_token or None

    def page(
        self,
        kind: NodeKind,
        where: str | None,
        *,
        type_name: str | None = None,
        context_id: int | None = None,
        order_by: OrderBy = OrderBy.ID,
        descending: bool = False,
        limit: int | None = None,
        token: str | None = None,
    ) -> tuple[Outcome, str | None]:
        """List one page of ours."""
        options: dict[str, Any] = {} if kind is NodeKind.CONTEXT else {"context_id": context_id}
        list_nodes = getattr(self.store, f"list_{kind.lower()}s")
        answer = answer_of(
            lambda: list_nodes(
                where,
                type=type_name,
                order_by=order_by,
                descending=descending,
                limit=limit,
                page_token=token,
                **options,
            )
        )
        if isinstance(answer, str):
            return answer, None
        return tuple(node.id for node in answer), answer.next_page_token

    def select(self, kind: NodeKind, where: str) -> tuple[Outcome, Outcome]:
        """The ids that the reference and we select, ascending; a graph has less than a page of each kind."""
        return self.reference_page(kind, where)[0], self.page(kind, where)[0]


def answer_of(call: Callable[[], Any]) -> Any:
    """What the call returns, or the name of the status with which it fails."""
    try:
        return call()
    except LineageError as error:
        return error.status
    except reference_errors.StatusError as error:
        if "integer overflow" in error.message:
            return OVERFLOW
        return _STATUSES.get(error.error_code, str(error.error_code))


def agree(reference: Outcome, ours: Outcome) -> bool:
    """Whether two answers are equal. What only the reference's database refuses is refused early by ours."""
    return reference in (ours, OVERFLOW) or (reference == INTERNAL and ours == INVALID)
