"""Store methods for nodes: put them, get them by key, list them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from lineage._core import StoreCore, flag, ids, one_id, records, text, texts, version
from lineage.backend import NodeQuery, OrderBy, Transaction
from lineage.errors import InvalidArgumentError, shown
from lineage.listing import Page, list_nodes
from lineage.masks import UpdateMask
from lineage.model import AnyNode, Artifact, Context, Execution, Node, NodeKind
from lineage.schema import by_external_ids

PAGE_SIZE = 1000
"""How many nodes an iterator reads at a time."""


class NodeMethods(StoreCore):
    """Artifacts, executions and contexts."""

    # --- put ---------------------------------------------------------------------------------------------------------

    def put_artifacts(
        self,
        artifacts: Iterable[Artifact],
        *,
        update_mask: Iterable[str] | None = None,
        abort_if_latest_updated_time_changed: bool = False,
    ) -> list[int]:
        """Insert artifacts without an id, update those with one; return their ids in order. All happen, or none.

        An update replaces everything but the name, type and create time: what is left out is cleared. To change only
        parts, name them in ``update_mask``: fields (``uri``, ``state``, ``external_id``), ``properties`` and
        ``custom_properties`` for a whole map, ``properties.KEY`` for one entry. As in MLMD, a path that names none of
        these has no effect, and an empty mask means no mask. The update time moves only when something changed.

        With ``abort_if_latest_updated_time_changed`` an update fails with FailedPreconditionError unless the artifact's
        ``last_update_time_ms`` is still the stored one: read, change, put, and nobody else's change is lost.

        Raises NotFoundError for an unknown type, AlreadyExistsError for a name or external id that is taken,
        InvalidArgumentError for an unknown id or a property that does not fit the type.

        >>> [artifact_id] = store.put_artifacts([Artifact(type="Model", name="second", properties={"accuracy": 0.9})])
        >>> store.put_artifacts([Artifact(id=artifact_id, uri="models/2")], update_mask=["uri"])
        [3]
        >>> store.get_artifacts_by_id([3])[0].properties
        {'accuracy': 0.9}
        """
        return self._put_nodes(
            NodeKind.ARTIFACT, records(Artifact, artifacts), update_mask, abort_if_latest_updated_time_changed
        )

    def put_executions(
        self,
        executions: Iterable[Execution],
        *,
        update_mask: Iterable[str] | None = None,
        abort_if_latest_updated_time_changed: bool = False,
    ) -> list[int]:
        """Insert or update executions, as :meth:`put_artifacts` does; return their ids in order.

        >>> store.put_executions([Execution(type="Trainer", name="train-2", last_known_state="RUNNING")])
        [2]
        """
        return self._put_nodes(
            NodeKind.EXECUTION, records(Execution, executions), update_mask, abort_if_latest_updated_time_changed
        )

    def put_contexts(
        self,
        contexts: Iterable[Context],
        *,
        update_mask: Iterable[str] | None = None,
        abort_if_latest_updated_time_changed: bool = False,
        reuse_context_if_already_exist: bool = False,
    ) -> list[int]:
        """Insert or update contexts, as :meth:`put_artifacts` does; return their ids in order.

        A context must have a name, and an update may change it. With ``reuse_context_if_already_exist`` a context
        without id whose type and name exist is left as it is, and its id is returned: get it, or make it.

        >>> store.put_contexts([Context(type="Run", name="run-2")])
        [2]
        """
        given = records(Context, contexts)
        if not flag(reuse_context_if_already_exist, "reuse_context_if_already_exist"):
            return self._put_nodes(NodeKind.CONTEXT, given, update_mask, abort_if_latest_updated_time_changed)
        if update_mask or abort_if_latest_updated_time_changed:
            raise InvalidArgumentError("reuse_context_if_already_exist goes with no option of updates; leave one out")
        return self._write(lambda writer: writer.put_contexts(given, reuse=True))

    def _put_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], update_mask: Iterable[str] | None, abort_if_changed: bool
    ) -> list[int]:
        flag(abort_if_changed, "abort_if_latest_updated_time_changed")
        mask = UpdateMask.of(None if update_mask is None else texts(update_mask, "paths"))
        return self._write(lambda writer: writer.put_nodes(kind, nodes, mask=mask, abort_if_changed=abort_if_changed))

    # --- get by key --------------------------------------------------------------------------------------------------

    def get_artifacts_by_id(self, artifact_ids: Iterable[int | Artifact]) -> list[Artifact]:
        """Return the artifacts with these ids, each once, by id; unknown ids are left out.

        >>> [each.name for each in store.get_artifacts_by_id([2, 1, 2, 99])]
        ['iris', 'iris-model']
        """
        wanted = ids(Artifact, artifact_ids)
        return self._find(NodeQuery(NodeKind.ARTIFACT, ids=wanted)) if wanted else []

    def get_artifacts_by_external_ids(self, external_ids: Iterable[str]) -> list[Artifact]:
        """Return the artifacts with these external ids, by id.

        Raises NotFoundError if none of them is known, InvalidArgumentError if one of them is empty.

        >>> store.get_artifacts_by_external_ids([])
        []
        """
        return self._by_external_ids(NodeKind.ARTIFACT, external_ids)

    def get_artifacts_by_type(self, type_name: str, type_version: str | None = None) -> list[Artifact]:
        """Return all artifacts of a type, by id; none if there is no such type.

        >>> [each.name for each in store.get_artifacts_by_type("Model")]
        ['iris-model']
        """
        return self._by_type(NodeKind.ARTIFACT, type_name, type_version)

    def get_artifact_by_type_and_name(
        self, type_name: str, artifact_name: str, type_version: str | None = None
    ) -> Artifact | None:
        """Return the artifact of this type with this name, or None.

        >>> store.get_artifact_by_type_and_name("Model", "iris-model").id
        2
        """
        return self._by_type_and_name(Artifact, type_name, artifact_name, type_version)

    def get_executions_by_id(self, execution_ids: Iterable[int | Execution]) -> list[Execution]:
        """Return the executions with these ids, each once, by id; unknown ids are left out.

        >>> [each.name for each in store.get_executions_by_id([1])]
        ['train-1']
        """
        wanted = ids(Execution, execution_ids)
        return self._find(NodeQuery(NodeKind.EXECUTION, ids=wanted)) if wanted else []

    def get_executions_by_external_ids(self, external_ids: Iterable[str]) -> list[Execution]:
        """Return the executions with these external ids, by id.

        Raises NotFoundError if none of them is known, InvalidArgumentError if one of them is empty.

        >>> store.get_executions_by_external_ids([])
        []
        """
        return self._by_external_ids(NodeKind.EXECUTION, external_ids)

    def get_executions_by_type(self, type_name: str, type_version: str | None = None) -> list[Execution]:
        """Return all executions of a type, by id; none if there is no such type.

        >>> [each.name for each in store.get_executions_by_type("Trainer")]
        ['train-1']
        """
        return self._by_type(NodeKind.EXECUTION, type_name, type_version)

    def get_execution_by_type_and_name(
        self, type_name: str, execution_name: str, type_version: str | None = None
    ) -> Execution | None:
        """Return the execution of this type with this name, or None.

        >>> store.get_execution_by_type_and_name("Trainer", "train-1").id
        1
        """
        return self._by_type_and_name(Execution, type_name, execution_name, type_version)

    def get_contexts_by_id(self, context_ids: Iterable[int | Context]) -> list[Context]:
        """Return the contexts with these ids, each once, by id; unknown ids are left out.

        >>> [each.name for each in store.get_contexts_by_id([1])]
        ['run-1']
        """
        wanted = ids(Context, context_ids)
        return self._find(NodeQuery(NodeKind.CONTEXT, ids=wanted)) if wanted else []

    def get_contexts_by_external_ids(self, external_ids: Iterable[str]) -> list[Context]:
        """Return the contexts with these external ids, by id.

        Raises NotFoundError if none of them is known, InvalidArgumentError if one of them is empty.

        >>> store.get_contexts_by_external_ids([])
        []
        """
        return self._by_external_ids(NodeKind.CONTEXT, external_ids)

    def get_contexts_by_type(self, type_name: str, type_version: str | None = None) -> list[Context]:
        """Return all contexts of a type, by id; none if there is no such type.

        >>> [each.name for each in store.get_contexts_by_type("Run")]
        ['run-1']
        """
        return self._by_type(NodeKind.CONTEXT, type_name, type_version)

    def get_context_by_type_and_name(
        self, type_name: str, context_name: str, type_version: str | None = None
    ) -> Context | None:
        """Return the context of this type with this name, or None.

        >>> store.get_context_by_type_and_name("Run", "run-1").id
        1
        """
        return self._by_type_and_name(Context, type_name, context_name, type_version)

    def get_artifacts_by_uri(self, uri: str) -> list[Artifact]:
        """Return the artifacts at this place, by id; those without a uri for an empty one.

        >>> [each.id for each in store.get_artifacts_by_uri("data/iris.csv")]
        [1]
        """
        return self._find(NodeQuery(NodeKind.ARTIFACT, uris=(text(uri, "a uri"),)))

    def get_artifacts_by_uris(self, uris: Iterable[str]) -> list[Artifact]:
        """Return the artifacts at these places, each once, by id.

        >>> [each.id for each in store.get_artifacts_by_uris(["models/1", "data/iris.csv"])]
        [1, 2]
        """
        return self._find(NodeQuery(NodeKind.ARTIFACT, uris=texts(uris, "uris")))

    def _find(self, query: NodeQuery) -> list[Any]:
        return self._read(lambda tx: list(tx.find_nodes(query)))

    def _by_external_ids(self, kind: NodeKind, external_ids: Iterable[str]) -> list[Any]:
        wanted = texts(external_ids, "external ids")
        return by_external_ids(
            wanted, lambda known: self._find(NodeQuery(kind, external_ids=known)), f"{kind.lower()}s"
        )

    def _type_id(self, tx: Transaction, kind: NodeKind, type_name: str, type_version: str | None) -> int | None:
        found = self._catalog.of(tx, kind).by_name.get((text(type_name, "a type name"), version(type_version)))
        return None if found is None else found.id

    def _by_type(self, kind: NodeKind, type_name: str, type_version: str | None) -> list[Any]:
        def find(tx: Transaction) -> list[Any]:
            type_id = self._type_id(tx, kind, type_name, type_version)
            return [] if type_id is None else list(tx.find_nodes(NodeQuery(kind, type_ids=(type_id,))))

        return self._read(find)

    def _by_type_and_name(
        self, record: type[AnyNode], type_name: str, name: str, type_version: str | None
    ) -> AnyNode | None:
        text(name, "a name")

        def find(tx: Transaction) -> AnyNode | None:
            type_id = self._type_id(tx, record.kind, type_name, type_version)
            if type_id is None:
                return None
            query = NodeQuery(record.kind, keys=[(type_id, name)])
            found = cast("Sequence[AnyNode]", tx.find_nodes(query))
            return found[0] if found else None

        return self._read(find)

    # --- list --------------------------------------------------------------------------------------------------------

    def list_artifacts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> Page[Artifact]:
        """Return a page of artifacts; all of them in one page without a ``limit``.

        ``where`` is a filter (docs/filter_query.md). ``type`` and ``context_id`` narrow the list to a type
        (``type_version`` selects the version) and to one context; an unknown type or context gives an empty page. The
        order is by id unless ``order_by`` says otherwise; nodes of the same millisecond come by id, in the same
        direction. When more is there than ``limit``, the page has a ``next_page_token``: pass it as ``page_token`` with
        the same order to go on.

        Raises InvalidArgumentError on a bad filter (with the place in its text), limit, order or token.

        >>> page = store.list_artifacts(limit=1)
        >>> page[0].name, page.next_page_token is None
        ('iris', False)
        >>> [each.name for each in store.list_artifacts(page_token=page.next_page_token)]
        ['iris-model']
        >>> where = "properties.accuracy.double_value > 0.9 AND contexts_run.name = 'run-1'"
        >>> [each.name for each in store.list_artifacts(where)]
        ['iris-model']
        """
        return self._list(
            NodeKind.ARTIFACT,
            where,
            type,
            type_version,
            context_id=context_id,
            order_by=order_by,
            descending=descending,
            limit=limit,
            page_token=page_token,
        )

    def iter_artifacts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
    ) -> Iterator[Artifact]:
        """Iterate over all artifacts that match, reading a page at a time: any number of them, in little memory.

        The arguments are those of :meth:`list_artifacts`. Each page is one state of the store; a node put meanwhile may
        or may not be seen, and none is seen twice unless its order value changes.

        >>> [each.name for each in store.iter_artifacts(order_by="CREATE_TIME", descending=True)]
        ['iris-model', 'iris']
        """
        return self._iterate(
            NodeKind.ARTIFACT,
            where,
            type,
            type_version,
            context_id=context_id,
            order_by=order_by,
            descending=descending,
        )

    def list_executions(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
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
            limit=limit,
            page_token=page_token,
        )

    def iter_executions(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | Context | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
    ) -> Iterator[Execution]:
        """Iterate over all executions that match, as :meth:`iter_artifacts` does.

        >>> [each.name for each in store.iter_executions(type="Trainer")]
        ['train-1']
        """
        return self._iterate(
            NodeKind.EXECUTION,
            where,
            type,
            type_version,
            context_id=context_id,
            order_by=order_by,
            descending=descending,
        )

    def list_contexts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
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
            limit=limit,
            page_token=page_token,
        )

    def iter_contexts(
        self,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        order_by: OrderBy | str = OrderBy.ID,
        descending: bool = False,
    ) -> Iterator[Context]:
        """Iterate over all contexts that match, as :meth:`iter_artifacts` does.

        >>> [each.name for each in store.iter_contexts()]
        ['run-1']
        """
        return self._iterate(NodeKind.CONTEXT, where, type, type_version, order_by=order_by, descending=descending)

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
        limit: int | None,
        page_token: str | None,
    ) -> Page[Any]:
        if type_version is not None and type_name is None:
            raise InvalidArgumentError(
                f"type_version {shown(type_version)} is given without a type; give the type it belongs to"
            )
        wanted_context = None if context_id is None else one_id(Context, context_id)
        flag(descending, "descending")

        def find(tx: Transaction) -> Page[Any]:
            type_id = None
            if type_name is not None:
                type_id = self._type_id(tx, kind, type_name, type_version)
                if type_id is None:
                    type_id = _NO_TYPE
            return list_nodes(
                tx,
                kind,
                where=where,
                order_by=order_by,
                descending=descending,
                limit=limit,
                page_token=page_token,
                type_id=type_id,
                context_id=wanted_context,
            )

        return self._read(find)

    def _iterate(
        self,
        kind: NodeKind,
        where: str | None,
        type_name: str | None,
        type_version: str | None,
        context_id: int | Context | None = None,
        *,
        order_by: OrderBy | str,
        descending: bool,
    ) -> Iterator[Any]:
        def page(token: str | None) -> Page[Any]:
            return self._list(
                kind,
                where,
                type_name,
                type_version,
                context_id,
                order_by=order_by,
                descending=descending,
                limit=PAGE_SIZE,
                page_token=token,
            )

        first = page(None)  # here and not in the generator, so that a bad argument is reported by the call itself

        def generate() -> Iterator[Any]:
            current = first
            yield from current.nodes
            while current.next_page_token is not None:
                current = page(current.next_page_token)
                yield from current.nodes

        return generate()


_NO_TYPE = -1
"""An id that no type has: the options of a list are checked also when its type does not exist."""
