"""Store methods for nodes: put them, get them by key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from lineage.api.absence import Missing, checked_missing, in_order
from lineage.api.served import served
from lineage.api.units import StoreCore
from lineage.errors import InvalidArgumentError
from lineage.model import AnyNode, Artifact, Context, Execution, Node, NodeKind
from lineage.model.arguments import (
    checked_external_ids,
    checked_flag,
    checked_ids,
    checked_records,
    checked_text,
    checked_texts,
    checked_version,
)
from lineage.seam import NodeQuery, Reads
from lineage.writing.masks import UpdateMask

__all__ = ["NodeMethods"]


class NodeMethods(StoreCore):
    """Artifacts, executions and contexts."""

    # --- put ---------------------------------------------------------------------------------------------------------

    @served("write")
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
        ``custom_properties`` for a whole map, ``properties.KEY`` for one entry; an empty mask means no mask. The update
        time moves only when something changed.

        What is given is never ignored: another name or create time than the stored one, a time of a new artifact and a
        path that names nothing which can change are refused. What was read may be put back, also when somebody else
        has changed it since: its update time only says what was read.

        With ``abort_if_latest_updated_time_changed`` an update fails with FailedPreconditionError unless the artifact's
        ``last_update_time_ms`` is still the stored one: read, change, put, and nobody else's change is lost.

        Raises NotFoundError for an unknown type, AlreadyExistsError for a name or external id that is taken,
        InvalidArgumentError for an unknown id, a property that does not fit the type, and what cannot change.

        >>> [artifact_id] = store.put_artifacts([Artifact(type="Model", name="second", properties={"accuracy": 0.9})])
        >>> store.put_artifacts([Artifact(id=artifact_id, uri="models/2")], update_mask=["uri"])
        [3]
        >>> store.get_artifacts_by_id([3])[0].properties
        {'accuracy': 0.9}
        """
        return self._put_nodes(
            NodeKind.ARTIFACT, checked_records(Artifact, artifacts), update_mask, abort_if_latest_updated_time_changed
        )

    @served("write")
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
            NodeKind.EXECUTION,
            checked_records(Execution, executions),
            update_mask,
            abort_if_latest_updated_time_changed,
        )

    @served("write")
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
        given = checked_records(Context, contexts)
        if not checked_flag(reuse_context_if_already_exist, "reuse_context_if_already_exist"):
            return self._put_nodes(NodeKind.CONTEXT, given, update_mask, abort_if_latest_updated_time_changed)
        if update_mask or abort_if_latest_updated_time_changed:
            raise InvalidArgumentError("reuse_context_if_already_exist goes with no option of updates; leave one out")
        return self._write(lambda writer: writer.put_contexts(given, reuse=True))

    def _put_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], update_mask: Iterable[str] | None, abort_if_changed: bool
    ) -> list[int]:
        checked_flag(abort_if_changed, "abort_if_latest_updated_time_changed")
        mask = UpdateMask.of(None if update_mask is None else checked_texts(update_mask, "paths"))
        return self._write(lambda writer: writer.put_nodes(kind, nodes, mask=mask, abort_if_changed=abort_if_changed))

    # --- get by key --------------------------------------------------------------------------------------------------

    @served("read")
    def get_artifact(self, artifact_id: int | Artifact) -> Artifact:
        """Return the artifact with this id. Raises NotFoundError if there is none.

        >>> store.get_artifact(2).name
        'iris-model'
        """
        return self._by_id(Artifact, [artifact_id], "error")[0]

    @served("read")
    def get_artifacts_by_id(
        self, artifact_ids: Iterable[int | Artifact], *, missing: Missing = "error"
    ) -> list[Artifact]:
        """Return the artifacts with these ids, in the order of the ids and as often as they are given.

        Raises NotFoundError if an id is not there; with ``missing="skip"`` it is left out.

        >>> [each.name for each in store.get_artifacts_by_id([2, 1])]
        ['iris-model', 'iris']
        >>> [each.name for each in store.get_artifacts_by_id([2, 99], missing="skip")]
        ['iris-model']
        """
        return self._by_id(Artifact, artifact_ids, missing)

    @served("read")
    def get_artifacts_by_external_ids(
        self, external_ids: Iterable[str], *, missing: Missing = "error"
    ) -> list[Artifact]:
        """Return the artifacts with these external ids, in their order and as often as they are given.

        Raises NotFoundError if one is not there; with ``missing="skip"`` it is left out. Raises InvalidArgumentError if
        one of them is empty.

        >>> store.get_artifacts_by_external_ids([])
        []
        """
        return self._by_external_ids(NodeKind.ARTIFACT, external_ids, missing)

    @served("read")
    def get_artifacts_by_type(self, type_name: str, type_version: str | None = None) -> list[Artifact]:
        """Return all artifacts of a type, by id. Raises NotFoundError if there is no such type.

        >>> [each.name for each in store.get_artifacts_by_type("Model")]
        ['iris-model']
        """
        return self._by_type(NodeKind.ARTIFACT, type_name, type_version)

    @served("read")
    def get_artifact_by_type_and_name(
        self, type_name: str, artifact_name: str, type_version: str | None = None
    ) -> Artifact | None:
        """Return the artifact of this type with this name, or None. Raises NotFoundError if there is no such type.

        >>> store.get_artifact_by_type_and_name("Model", "iris-model").id
        2
        """
        return self._by_type_and_name(Artifact, type_name, artifact_name, type_version)

    @served("read")
    def get_execution(self, execution_id: int | Execution) -> Execution:
        """Return the execution with this id. Raises NotFoundError if there is none.

        >>> store.get_execution(1).name
        'train-1'
        """
        return self._by_id(Execution, [execution_id], "error")[0]

    @served("read")
    def get_executions_by_id(
        self, execution_ids: Iterable[int | Execution], *, missing: Missing = "error"
    ) -> list[Execution]:
        """Return the executions with these ids, as :meth:`get_artifacts_by_id` does.

        >>> [each.name for each in store.get_executions_by_id([1])]
        ['train-1']
        """
        return self._by_id(Execution, execution_ids, missing)

    @served("read")
    def get_executions_by_external_ids(
        self, external_ids: Iterable[str], *, missing: Missing = "error"
    ) -> list[Execution]:
        """Return the executions with these external ids, in their order and as often as they are given.

        Raises NotFoundError if one is not there; with ``missing="skip"`` it is left out. Raises InvalidArgumentError if
        one of them is empty.

        >>> store.get_executions_by_external_ids([])
        []
        """
        return self._by_external_ids(NodeKind.EXECUTION, external_ids, missing)

    @served("read")
    def get_executions_by_type(self, type_name: str, type_version: str | None = None) -> list[Execution]:
        """Return all executions of a type, by id. Raises NotFoundError if there is no such type.

        >>> [each.name for each in store.get_executions_by_type("Trainer")]
        ['train-1']
        """
        return self._by_type(NodeKind.EXECUTION, type_name, type_version)

    @served("read")
    def get_execution_by_type_and_name(
        self, type_name: str, execution_name: str, type_version: str | None = None
    ) -> Execution | None:
        """Return the execution of this type with this name, or None. Raises NotFoundError if there is no such type.

        >>> store.get_execution_by_type_and_name("Trainer", "train-1").id
        1
        """
        return self._by_type_and_name(Execution, type_name, execution_name, type_version)

    @served("read")
    def get_context(self, context_id: int | Context) -> Context:
        """Return the context with this id. Raises NotFoundError if there is none.

        >>> store.get_context(1).name
        'run-1'
        """
        return self._by_id(Context, [context_id], "error")[0]

    @served("read")
    def get_contexts_by_id(self, context_ids: Iterable[int | Context], *, missing: Missing = "error") -> list[Context]:
        """Return the contexts with these ids, as :meth:`get_artifacts_by_id` does.

        >>> [each.name for each in store.get_contexts_by_id([1])]
        ['run-1']
        """
        return self._by_id(Context, context_ids, missing)

    @served("read")
    def get_contexts_by_external_ids(self, external_ids: Iterable[str], *, missing: Missing = "error") -> list[Context]:
        """Return the contexts with these external ids, in their order and as often as they are given.

        Raises NotFoundError if one is not there; with ``missing="skip"`` it is left out. Raises InvalidArgumentError if
        one of them is empty.

        >>> store.get_contexts_by_external_ids([])
        []
        """
        return self._by_external_ids(NodeKind.CONTEXT, external_ids, missing)

    @served("read")
    def get_contexts_by_type(self, type_name: str, type_version: str | None = None) -> list[Context]:
        """Return all contexts of a type, by id. Raises NotFoundError if there is no such type.

        >>> [each.name for each in store.get_contexts_by_type("Run")]
        ['run-1']
        """
        return self._by_type(NodeKind.CONTEXT, type_name, type_version)

    @served("read")
    def get_context_by_type_and_name(
        self, type_name: str, context_name: str, type_version: str | None = None
    ) -> Context | None:
        """Return the context of this type with this name, or None. Raises NotFoundError if there is no such type.

        >>> store.get_context_by_type_and_name("Run", "run-1").id
        1
        """
        return self._by_type_and_name(Context, type_name, context_name, type_version)

    @served("read")
    def get_artifacts_by_uri(self, uri: str) -> list[Artifact]:
        """Return the artifacts at this place, by id; those without a uri for an empty one.

        >>> [each.id for each in store.get_artifacts_by_uri("data/iris.csv")]
        [1]
        """
        return self._find(NodeQuery(NodeKind.ARTIFACT, uris=(checked_text(uri, "a uri"),)))

    @served("read")
    def get_artifacts_by_uris(self, uris: Iterable[str]) -> list[Artifact]:
        """Return the artifacts at these places, each once, by id.

        >>> [each.id for each in store.get_artifacts_by_uris(["models/1", "data/iris.csv"])]
        [1, 2]
        """
        return self._find(NodeQuery(NodeKind.ARTIFACT, uris=checked_texts(uris, "uris")))

    def _find(self, query: NodeQuery) -> list[Any]:
        return self._read(lambda tx: list(tx.find_nodes(query)))

    def _by_id(self, record: type[AnyNode], ids: Iterable[int | AnyNode], missing: Missing) -> list[AnyNode]:
        wanted, kind = checked_ids(record, ids), record.kind
        missing = checked_missing(missing)
        found = self._find(NodeQuery(kind, ids=list(dict.fromkeys(wanted)))) if wanted else []
        return in_order(wanted, {node.id: node for node in found}, missing=missing, what=f"{kind.lower()} with id")

    def _by_external_ids(self, kind: NodeKind, external_ids: Iterable[str], missing: Missing) -> list[Any]:
        wanted = checked_external_ids(external_ids)
        missing = checked_missing(missing)
        found = self._find(NodeQuery(kind, external_ids=list(dict.fromkeys(wanted)))) if wanted else []
        by_external_id = {node.external_id: node for node in found}
        return in_order(wanted, by_external_id, missing=missing, what=f"{kind.lower()} with external id")

    def _by_type(self, kind: NodeKind, type_name: str, type_version: str | None) -> list[Any]:
        name, version = checked_text(type_name, "a type name"), checked_version(type_version)

        def find(tx: Reads) -> list[Any]:
            type_id = self._catalog.of(tx, kind).get(name, version).id
            return list(tx.find_nodes(NodeQuery(kind, type_ids=(type_id,))))

        return self._read(find)

    def _by_type_and_name(
        self, record: type[AnyNode], type_name: str, name: str, type_version: str | None
    ) -> AnyNode | None:
        type_name, version = checked_text(type_name, "a type name"), checked_version(type_version)
        checked_text(name, "a name")

        def find(tx: Reads) -> AnyNode | None:
            type_id = self._catalog.of(tx, record.kind).get(type_name, version).id
            query = NodeQuery(record.kind, keys=[(type_id, name)])
            found = cast("Sequence[AnyNode]", tx.find_nodes(query))
            return found[0] if found else None

        return self._read(find)
