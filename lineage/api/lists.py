"""Store methods for lists of nodes: pages, and iterators over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from lineage.api.served import not_served, served
from lineage.api.units import StoreCore
from lineage.errors import InvalidArgumentError, short_repr
from lineage.model import AnyNode, Artifact, Context, Execution, NodeKind
from lineage.model.arguments import checked_flag, checked_id, checked_text, checked_version
from lineage.reading.lists import Page, best_node, count_nodes, list_nodes
from lineage.reading.property_order import parse_best_order
from lineage.seam import OrderBy, Reads

__all__ = ["PAGE_SIZE", "ListMethods"]

PAGE_SIZE = 1000
"""How many nodes an iterator reads at a time."""


class ListMethods(StoreCore):
    """Artifacts, executions and contexts by filter, in order."""

    @served("read")
    def list_artifacts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        latest_per: str | None = None,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> Page[Artifact]:
        """Return a page of artifacts; all of them in one page without a ``limit``.

        ``where`` is a filter (docs/filter_query.md). ``type`` and ``context_id`` narrow the list to a type
        (``type_version`` selects the version) and to one context; an unknown context gives an empty page. The
        order is by id unless ``order_by`` says otherwise: an :class:`~lineage.OrderBy`, or a property, as in
        ``"properties.accuracy"`` or ``"custom_properties.stage"``, by which nodes without it come last in either
        direction (docs/by_hand.md has the order of its kinds of values): one that a type of the list declares, or a
        custom property that some artifact has. Nodes of the same millisecond or value come by id, in the same
        direction.

        ``latest_per`` leaves the newest of each group, the last one created of those that match and share a ``"name"``
        (which is unique within a type), a ``"type"``, a ``"uri"``, or a property, as in ``"properties.stage"``. What
        has none is in no group, and not in the list.

        When more is there than ``limit``, the page has a ``next_page_token``: pass it as ``page_token`` with the same
        order and groups to go on.

        Raises InvalidArgumentError on a bad filter (with the place in its text), limit, order, group or token,
        NotFoundError if there is no such type.

        >>> page = store.list_artifacts(limit=1)
        >>> page[0].name, page.next_page_token is None
        ('iris', False)
        >>> [each.name for each in store.list_artifacts(page_token=page.next_page_token)]
        ['iris-model']
        >>> where = "properties.accuracy.double_value > 0.9 AND contexts_run.name = 'run-1'"
        >>> [each.name for each in store.list_artifacts(where)]
        ['iris-model']
        >>> [each.name for each in store.list_artifacts(order_by="properties.accuracy", descending=True)]
        ['iris-model', 'iris']
        >>> [new_id] = store.put_artifacts([Artifact(type="Model", uri="models/1", properties={"accuracy": 0.95})])
        >>> [each.id for each in store.list_artifacts(latest_per="uri")]
        [1, 3]
        """
        return self._list(
            NodeKind.ARTIFACT,
            where,
            type,
            type_version,
            context_id=context_id,
            order_by=order_by,
            descending=descending,
            latest_per=latest_per,
            limit=limit,
            page_token=page_token,
        )

    @not_served("pages are asked for one by one, by list_artifacts")
    def iter_artifacts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        latest_per: str | None = None,
    ) -> Iterator[Artifact]:
        """Iterate over all artifacts that match, reading a page at a time: any number of them, in little memory.

        The arguments are those of :meth:`list_artifacts`. Each page is one state of the store; a node put meanwhile may
        or may not be seen, and none is seen twice unless its order value changes.

        >>> [each.name for each in store.iter_artifacts(order_by="CREATE_TIME", descending=True)]
        ['iris-model', 'iris']
        """
        return _iterate(
            partial(
                self.list_artifacts,
                where,
                type=type,
                type_version=type_version,
                context_id=context_id,
                order_by=order_by,
                descending=descending,
                latest_per=latest_per,
            )
        )

    @served("read")
    def list_executions(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        latest_per: str | None = None,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> Page[Execution]:
        """Return a page of executions, as :meth:`list_artifacts` does.

        >>> page = store.list_executions("last_known_state = COMPLETE", order_by="CREATE_TIME", descending=True)
        >>> [each.name for each in page]
        ['train-1']
        """
        return self._list(
            NodeKind.EXECUTION,
            where,
            type,
            type_version,
            context_id=context_id,
            order_by=order_by,
            descending=descending,
            latest_per=latest_per,
            limit=limit,
            page_token=page_token,
        )

    @not_served("as iter_artifacts")
    def iter_executions(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        latest_per: str | None = None,
    ) -> Iterator[Execution]:
        """Iterate over all executions that match, as :meth:`iter_artifacts` does.

        >>> [each.name for each in store.iter_executions(type="Trainer")]
        ['train-1']
        """
        return _iterate(
            partial(
                self.list_executions,
                where,
                type=type,
                type_version=type_version,
                context_id=context_id,
                order_by=order_by,
                descending=descending,
                latest_per=latest_per,
            )
        )

    @served("read")
    def list_contexts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        latest_per: str | None = None,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> Page[Context]:
        """Return a page of contexts, as :meth:`list_artifacts` does.

        >>> [each.name for each in store.list_contexts("artifacts_a.type = 'Model'")]
        ['run-1']
        """
        return self._list(
            NodeKind.CONTEXT,
            where,
            type,
            type_version,
            order_by=order_by,
            descending=descending,
            latest_per=latest_per,
            limit=limit,
            page_token=page_token,
        )

    @not_served("as iter_artifacts")
    def iter_contexts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        latest_per: str | None = None,
    ) -> Iterator[Context]:
        """Iterate over all contexts that match, as :meth:`iter_artifacts` does.

        >>> [each.name for each in store.iter_contexts()]
        ['run-1']
        """
        return _iterate(
            partial(
                self.list_contexts,
                where,
                type=type,
                type_version=type_version,
                order_by=order_by,
                descending=descending,
                latest_per=latest_per,
            )
        )

    @served("read")
    def count_artifacts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
    ) -> int:
        """Return how many artifacts match: as many as :meth:`list_artifacts` lists, counted where they are.

        Raises InvalidArgumentError on a bad filter, NotFoundError if there is no such type.

        >>> store.count_artifacts(), store.count_artifacts("name LIKE '%-model'")
        (2, 1)
        """
        return self._count(NodeKind.ARTIFACT, where, type, type_version, context_id)

    @served("read")
    def count_executions(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
    ) -> int:
        """Return how many executions match, as :meth:`count_artifacts` does.

        >>> store.count_executions("last_known_state = FAILED")
        0
        """
        return self._count(NodeKind.EXECUTION, where, type, type_version, context_id)

    @served("read")
    def count_contexts(
        self, where: str | None = None, *, type: str | None = None, type_version: str | None = None
    ) -> int:
        """Return how many contexts match, as :meth:`count_artifacts` does.

        >>> store.count_contexts(type="Run")
        1
        """
        return self._count(NodeKind.CONTEXT, where, type, type_version)

    @served("read")
    def best(
        self,
        type: str,
        by: str,
        *,
        lowest: bool = False,
        where: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
    ) -> Artifact:
        """Return the artifact of a type with the highest number as a property, or with ``lowest`` the lowest.

        ``by`` is the property, as in ``"properties.accuracy"`` or ``"custom_properties.score"``; ``where`` and the
        others narrow as in :meth:`list_artifacts`. Of equal ones it is the one with the highest id, with ``lowest`` the
        lowest: the first of that list in that order. What has no number there, or NaN, never is the best.

        Raises NotFoundError if nothing that matches has a number, or there is no such type; InvalidArgumentError on a
        bad filter, and for a property that the type does not declare, or not as a number.

        >>> best = store.best("Model", "properties.accuracy")
        >>> best.name, best.properties["accuracy"]
        ('iris-model', 0.93)
        """
        found: Artifact = self._best(
            NodeKind.ARTIFACT, type, type_version, context_id, by=by, lowest=lowest, where=where
        )
        return found

    @served("read")
    def best_execution(
        self,
        type: str,
        by: str,
        *,
        lowest: bool = False,
        where: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
    ) -> Execution:
        """Return the execution of a type with the highest number as a property, as :meth:`best` does.

        >>> store.best_execution("Trainer", "properties.rate", lowest=True).name
        'train-1'
        """
        found: Execution = self._best(
            NodeKind.EXECUTION, type, type_version, context_id, by=by, lowest=lowest, where=where
        )
        return found

    @served("read")
    def best_context(
        self,
        type: str,
        by: str,
        *,
        lowest: bool = False,
        where: str | None = None,
        type_version: str | None = None,
    ) -> Context:
        """Return the context of a type with the highest number as a property, as :meth:`best` does.

        >>> store.put_contexts([Context(type="Run", name="run-2", custom_properties={"score": 7})])
        [2]
        >>> store.best_context("Run", "custom_properties.score").name
        'run-2'
        """
        found: Context = self._best(NodeKind.CONTEXT, type, type_version, None, by=by, lowest=lowest, where=where)
        return found

    def _count(
        self,
        kind: NodeKind,
        where: str | None,
        type_name: str | None,
        type_version: str | None,
        context_id: int | Context | None = None,
    ) -> int:
        type_id_in, context = self._narrowed(kind, type_name, type_version, context_id)
        return self._read(lambda tx: count_nodes(tx, kind, where=where, type_id=type_id_in(tx), context_id=context))

    def _narrowed(
        self, kind: NodeKind, type_name: str | None, type_version: str | None, context_id: int | Context | None
    ) -> tuple[Callable[[Reads], int | None], int | None]:
        """Return what finds the type's id, and the context's id, of a list that is narrowed to them."""
        if type_version is not None and type_name is None:
            raise InvalidArgumentError(
                f"type_version {short_repr(type_version)} is given without a type; give the type it belongs to"
            )
        name = None if type_name is None else checked_text(type_name, "a type name")
        version = checked_version(type_version)

        def type_id_in(tx: Reads) -> int | None:
            return None if name is None else self._catalog.of(tx, kind).get(name, version).id

        return type_id_in, None if context_id is None else checked_id(Context, context_id)

    def _best(
        self,
        kind: NodeKind,
        type_name: str,
        type_version: str | None,
        context_id: int | Context | None,
        *,
        by: str,
        lowest: bool,
        where: str | None,
    ) -> Any:
        name, version = checked_text(type_name, "a type name"), checked_version(type_version)
        context = None if context_id is None else checked_id(Context, context_id)
        order = parse_best_order(by)
        checked_flag(lowest, "lowest")

        def find(tx: Reads) -> Any:
            type_ = self._catalog.of(tx, kind).get(name, version)
            return best_node(tx, type_, order, lowest=lowest, where=where, context_id=context)

        return self._read(find)

    def _list(
        self,
        kind: NodeKind,
        where: str | None,
        type_name: str | None,
        type_version: str | None,
        context_id: int | Context | None = None,
        *,
        order_by: OrderBy | str,
        descending: bool,
        latest_per: str | None,
        limit: int | None,
        page_token: str | None,
    ) -> Page[Any]:
        type_id_in, context = self._narrowed(kind, type_name, type_version, context_id)
        checked_flag(descending, "descending")
        return self._read(
            lambda tx: list_nodes(
                tx,
                kind,
                where=where,
                order_by=order_by,
                descending=descending,
                latest_per=latest_per,
                limit=limit,
                page_token=page_token,
                type_id=type_id_in(tx),
                context_id=context,
            )
        )


def _iterate(list_page: Callable[..., Page[AnyNode]]) -> Iterator[AnyNode]:
    page = list_page(limit=PAGE_SIZE)  # here and not in the generator, so that a bad argument is reported by the call

    def generate() -> Iterator[AnyNode]:
        current = page
        yield from current.nodes
        while current.next_page_token is not None:
            current = list_page(limit=PAGE_SIZE, page_token=current.next_page_token)
            yield from current.nodes

    return generate()
