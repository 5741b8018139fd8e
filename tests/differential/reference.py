"""The reference implementation, ml-metadata, behind the methods of our Store: our records go in and come out.

Every call goes to the reference's service (``MetadataStore._call_method``) and not through its Python methods, which
page, retry and drop options on their own. Times come back as those of a :class:`StepClock`, so that they compare
exactly with ours.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Any

from lineage import (
    Artifact,
    ArtifactType,
    Association,
    Attribution,
    Context,
    ContextType,
    Direction,
    Ending,
    Event,
    EventEdge,
    Execution,
    ExecutionType,
    LineageGraph,
    OrderBy,
    ParentContext,
)
from tests import oracle
from tests.differential.reference_records import (
    event_from_proto,
    event_to_proto,
    link_to_proto,
    node_from_proto,
    node_to_proto,
    type_from_proto,
    type_to_proto,
)

reference_errors: Any = None
metadata_store: Any = None
metadata_store_pb2: Any = None
metadata_store_service_pb2: Any = None
if oracle.is_here():
    reference_errors = import_module("ml_metadata.errors")
    metadata_store = import_module("ml_metadata.metadata_store")
    metadata_store_pb2 = import_module("ml_metadata.proto.metadata_store_pb2")
    metadata_store_service_pb2 = import_module("ml_metadata.proto.metadata_store_service_pb2")

__all__ = ["Reference", "ReferenceClient", "StepClock", "new_reference", "reference_errors"]

MAX_PAGE = 100
"""The largest page that the reference serves correctly."""


class StepClock:
    """A clock for both sides that stands still within a step.

    Our store reads :attr:`now_ms`. The reference reads the real clock, so its writes are kept in milliseconds of their
    own, and what it says of times is translated by the window in which it was written.
    """

    def __init__(self) -> None:
        self.now_ms = 1_000_000_000
        self.has_wide_window = False
        """Whether a write of the reference took more than one of its milliseconds, so that it may have two times."""
        self._starts: list[int] = []
        self._windows: list[tuple[int, int]] = []  # end, our time

    def __call__(self) -> int:
        return self.now_ms

    def advance(self) -> None:
        self.now_ms += 1

    @contextmanager
    def window(self) -> Generator[None, None, None]:
        """Surround one write of the reference."""
        previous_end = self._windows[-1][0] if self._windows else 0
        while (start := _real_ms()) <= previous_end:
            time.sleep(0.0001)
        try:
            yield
        finally:
            end = _real_ms()
            self._starts.append(start)
            self._windows.append((end, self.now_ms))
            self.has_wide_window |= end > start

    def from_reference(self, time_ms: int) -> int:
        """Return our time for a time of the reference; one that it did not make is returned as it is."""
        index = bisect_right(self._starts, time_ms) - 1
        if index >= 0 and time_ms <= self._windows[index][0]:
            return self._windows[index][1]
        return time_ms


def _real_ms() -> int:
    return time.time_ns() // 1_000_000


def new_reference(clock: StepClock | None = None) -> Reference:
    """Return an empty reference. The test fails where ml-metadata is missing: nothing was compared then."""
    return Reference(clock or StepClock())


class Reference:
    """ml-metadata's in-memory database. The methods are those of our Store; errors are ml-metadata's."""

    def __init__(self, clock: StepClock) -> None:
        self.clock = clock
        self.store = metadata_store.MetadataStore(self._config())

    def _config(self) -> Any:
        config = metadata_store_pb2.ConnectionConfig()
        config.fake_database.SetInParent()
        return config

    def call(self, rpc: str, **fields: Any) -> Any:
        """Call an RPC with the request's fields; return the response."""
        request = getattr(metadata_store_service_pb2, f"{rpc}Request")(**fields)
        response = getattr(metadata_store_service_pb2, f"{rpc}Response")()
        if rpc.startswith("Put"):
            with self._writing():
                self.store._call_method(rpc, request, response)
        else:
            self.store._call_method(rpc, request, response)
        return response

    def _writing(self) -> AbstractContextManager[None]:
        return self.clock.window()

    # --- types -------------------------------------------------------------------------------------------------------

    def put_artifact_type(
        self, artifact_type: ArtifactType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        return self._put_type("Artifact", artifact_type, can_add_fields, can_omit_fields)

    def put_execution_type(
        self, execution_type: ExecutionType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        return self._put_type("Execution", execution_type, can_add_fields, can_omit_fields)

    def put_context_type(
        self, context_type: ContextType, *, can_add_fields: bool = False, can_omit_fields: bool = False
    ) -> int:
        return self._put_type("Context", context_type, can_add_fields, can_omit_fields)

    def _put_type(self, kind: str, type_: Any, can_add_fields: bool, can_omit_fields: bool) -> int:
        response = self.call(
            f"Put{kind}Type",
            **{f"{kind.lower()}_type": type_to_proto(type_)},
            can_add_fields=can_add_fields,
            can_omit_fields=can_omit_fields,
        )
        type_id: int = response.type_id
        return type_id

    def put_types(
        self,
        *,
        artifact_types: Iterable[ArtifactType] = (),
        execution_types: Iterable[ExecutionType] = (),
        context_types: Iterable[ContextType] = (),
        can_add_fields: bool = False,
        can_omit_fields: bool = False,
    ) -> tuple[list[int], list[int], list[int]]:
        response = self.call(
            "PutTypes",
            artifact_types=[type_to_proto(each) for each in artifact_types],
            execution_types=[type_to_proto(each) for each in execution_types],
            context_types=[type_to_proto(each) for each in context_types],
            can_add_fields=can_add_fields,
            can_omit_fields=can_omit_fields,
        )
        return (list(response.artifact_type_ids), list(response.execution_type_ids), list(response.context_type_ids))

    def get_type(self, kind: str, name: str, version: str | None = None) -> Any:
        response = self.call(f"Get{kind}Type", type_name=name, **_given(type_version=version))
        return type_from_proto(getattr(response, f"{kind.lower()}_type"))

    def get_types(self, kind: str) -> list[Any]:
        return [type_from_proto(each) for each in getattr(self.call(f"Get{kind}Types"), f"{kind.lower()}_types")]

    def get_types_by_id(self, kind: str, type_ids: Iterable[int]) -> list[Any]:
        response = self.call(f"Get{kind}TypesByID", type_ids=list(type_ids))
        return [type_from_proto(each) for each in getattr(response, f"{kind.lower()}_types")]

    def get_types_by_external_ids(self, kind: str, external_ids: Iterable[str]) -> list[Any]:
        response = self.call(f"Get{kind}TypesByExternalIds", external_ids=list(external_ids))
        return [type_from_proto(each) for each in getattr(response, f"{kind.lower()}_types")]

    # --- nodes -------------------------------------------------------------------------------------------------------

    def put_artifacts(
        self,
        artifacts: Sequence[Artifact],
        *,
        update_mask: Iterable[str] = (),
        abort_if_latest_updated_time_changed: bool = False,
    ) -> list[int]:
        fields = self._put_fields(artifacts, update_mask)
        if abort_if_latest_updated_time_changed:
            fields["artifacts"] = [self._with_real_time(each) for each in artifacts]
            fields["options"] = {"abort_if_latest_updated_time_changed": True}
        return list(self.call("PutArtifacts", **fields).artifact_ids)

    def put_executions(self, executions: Sequence[Execution], *, update_mask: Iterable[str] = ()) -> list[int]:
        return list(self.call("PutExecutions", **self._put_fields(executions, update_mask)).execution_ids)

    def put_contexts(self, contexts: Sequence[Context], *, update_mask: Iterable[str] = ()) -> list[int]:
        return list(self.call("PutContexts", **self._put_fields(contexts, update_mask)).context_ids)

    def _put_fields(self, nodes: Sequence[Any], update_mask: Iterable[str]) -> dict[str, Any]:
        fields: dict[str, Any] = {f"{node.kind.lower()}s": [] for node in nodes[:1]}
        for node in nodes:
            fields[f"{node.kind.lower()}s"].append(node_to_proto(node))
        paths = list(update_mask)
        return {**fields, "update_mask": {"paths": paths}} if paths else fields

    def _with_real_time(self, node: Artifact) -> Any:
        """Return the artifact with the reference's own update time where the one given is the stored one."""
        proto = node_to_proto(node)
        if node.id is not None and node.last_update_time_ms is not None:
            for stored in self.call("GetArtifactsByID", artifact_ids=[node.id]).artifacts:
                if self.clock.from_reference(stored.last_update_time_since_epoch) == node.last_update_time_ms:
                    proto.last_update_time_since_epoch = stored.last_update_time_since_epoch
        return proto

    def _nodes(self, protos: Iterable[Any]) -> list[Any]:
        return [node_from_proto(proto, self.clock.from_reference) for proto in protos]

    def get_by_id(self, kind: str, ids: Iterable[int]) -> list[Any]:
        response = self.call(f"Get{kind}sByID", **{f"{kind.lower()}_ids": list(ids)})
        return self._nodes(getattr(response, f"{kind.lower()}s"))

    def get_by_external_ids(self, kind: str, external_ids: Iterable[str]) -> list[Any]:
        response = self.call(f"Get{kind}sByExternalIds", external_ids=list(external_ids))
        return self._nodes(getattr(response, f"{kind.lower()}s"))

    def get_by_type(self, kind: str, type_name: str, type_version: str | None = None) -> list[Any]:
        response = self.call(f"Get{kind}sByType", type_name=type_name, **_given(type_version=type_version))
        return self._nodes(getattr(response, f"{kind.lower()}s"))

    def get_by_type_and_name(self, kind: str, type_name: str, name: str, type_version: str | None = None) -> Any:
        fields = {"type_name": type_name, f"{kind.lower()}_name": name, **_given(type_version=type_version)}
        response = self.call(f"Get{kind}ByTypeAndName", **fields)
        if not response.HasField(kind.lower()):
            return None
        return self._nodes([getattr(response, kind.lower())])[0]

    def get_artifacts_by_uris(self, uris: Iterable[str]) -> list[Any]:
        return self._nodes(self.call("GetArtifactsByURI", uris=list(uris)).artifacts)

    def list_page(
        self,
        kind: str,
        where: str | None = None,
        *,
        type: str | None = None,
        type_version: str | None = None,
        context_id: int | None = None,
        order_by: OrderBy = OrderBy.ID,
        descending: bool = False,
        limit: int = MAX_PAGE,
        page_token: str | None = None,
    ) -> tuple[list[Any], str | None]:
        """Return one page and the token of the next one, None at the end."""
        options = {
            "max_result_size": limit,
            "order_by_field": {"field": _ORDER[order_by], "is_asc": not descending},
            **_given(filter_query=where, next_page_token=page_token),
        }
        rpc, fields = f"Get{kind}s", dict[str, Any](options=options)
        if type is not None:
            rpc, fields = f"{rpc}ByType", {**fields, "type_name": type, **_given(type_version=type_version)}
        elif context_id is not None:
            rpc, fields = f"{rpc}ByContext", {**fields, "context_id": context_id}
        response = self.call(rpc, **fields)
        return self._nodes(getattr(response, f"{kind.lower()}s")), response.next_page_token or None

    def list_nodes(self, kind: str, where: str | None = None, **options: Any) -> list[Any]:
        """Return all pages as one list; ``limit`` is the size of a page."""
        nodes, token = self.list_page(kind, where, **options)
        while token is not None:
            page, token = self.list_page(kind, where, **options, page_token=token)
            nodes += page
        return nodes

    # --- links -------------------------------------------------------------------------------------------------------

    def put_events(self, events: Iterable[Event]) -> None:
        self.call("PutEvents", events=[event_to_proto(each) for each in events])

    def put_attributions_and_associations(
        self, attributions: Iterable[Attribution], associations: Iterable[Association]
    ) -> None:
        self.call(
            "PutAttributionsAndAssociations",
            attributions=[link_to_proto(each) for each in attributions],
            associations=[link_to_proto(each) for each in associations],
        )

    def put_parent_contexts(self, parent_contexts: Iterable[ParentContext]) -> None:
        self.call("PutParentContexts", parent_contexts=[link_to_proto(each) for each in parent_contexts])

    def put_execution(
        self,
        execution: Execution,
        artifact_and_events: Iterable[tuple[Artifact | None, Event | None]] = (),
        contexts: Iterable[Context] = (),
        **options: bool,
    ) -> tuple[int, list[int], list[int]]:
        response = self.call(
            "PutExecution",
            execution=node_to_proto(execution),
            artifact_event_pairs=[
                _given(
                    artifact=None if artifact is None else node_to_proto(artifact),
                    event=None if event is None else event_to_proto(event),
                )
                for artifact, event in artifact_and_events
            ],
            contexts=[node_to_proto(each) for each in contexts],
            options=options,
        )
        return response.execution_id, list(response.artifact_ids), list(response.context_ids)

    def put_lineage_subgraph(
        self,
        executions: Iterable[Execution] = (),
        artifacts: Iterable[Artifact] = (),
        contexts: Iterable[Context] = (),
        event_edges: Iterable[EventEdge] = (),
        **options: bool,
    ) -> tuple[list[int], list[int], list[int]]:
        response = self.call(
            "PutLineageSubgraph",
            executions=[node_to_proto(each) for each in executions],
            artifacts=[node_to_proto(each) for each in artifacts],
            contexts=[node_to_proto(each) for each in contexts],
            event_edges=[
                _given(
                    execution_index=edge.execution_index,
                    artifact_index=edge.artifact_index,
                    event=None if edge.event is None else event_to_proto(edge.event),
                )
                for edge in event_edges
            ],
            options=options,
        )
        return list(response.execution_ids), list(response.artifact_ids), list(response.context_ids)

    def get_events_by_execution_ids(self, execution_ids: Iterable[int]) -> list[Event]:
        return self._events(self.call("GetEventsByExecutionIDs", execution_ids=list(execution_ids)).events)

    def get_events_by_artifact_ids(self, artifact_ids: Iterable[int]) -> list[Event]:
        return self._events(self.call("GetEventsByArtifactIDs", artifact_ids=list(artifact_ids)).events)

    def _events(self, protos: Iterable[Any]) -> list[Event]:
        return [event_from_proto(proto, self.clock.from_reference) for proto in protos]

    def get_contexts_by_artifact(self, artifact_id: int) -> list[Any]:
        return self._nodes(self.call("GetContextsByArtifact", artifact_id=artifact_id).contexts)

    def get_contexts_by_execution(self, execution_id: int) -> list[Any]:
        return self._nodes(self.call("GetContextsByExecution", execution_id=execution_id).contexts)

    def get_artifacts_by_context(self, context_id: int) -> list[Any]:
        return self._nodes(self.call("GetArtifactsByContext", context_id=context_id).artifacts)

    def get_executions_by_context(self, context_id: int) -> list[Any]:
        return self._nodes(self.call("GetExecutionsByContext", context_id=context_id).executions)

    def get_parent_contexts_by_context(self, context_id: int) -> list[Any]:
        return self._nodes(self.call("GetParentContextsByContext", context_id=context_id).contexts)

    def get_children_contexts_by_context(self, context_id: int) -> list[Any]:
        return self._nodes(self.call("GetChildrenContextsByContext", context_id=context_id).contexts)

    # --- lineage -----------------------------------------------------------------------------------------------------

    def get_lineage_subgraph(
        self,
        *,
        artifacts_where: str | None = None,
        executions_where: str | None = None,
        direction: Direction | None = None,
        max_hops: int | None = None,
        ending_artifacts: Ending | None = None,
        ending_executions: Ending | None = None,
    ) -> LineageGraph:
        """Return the graph with its nodes read in full; types, which the reference returns all of, are left out."""
        options = _given(
            starting_artifacts=None if artifacts_where is None else {"filter_query": artifacts_where},
            starting_executions=None if executions_where is None else {"filter_query": executions_where},
            direction=None if direction is None else direction.name,
            max_num_hops=max_hops,
            ending_artifacts=_ending(ending_artifacts),
            ending_executions=_ending(ending_executions),
        )
        found = self.call("GetLineageSubgraph", lineage_subgraph_query_options=options).lineage_subgraph
        return LineageGraph(
            artifacts=tuple(self.get_by_id("Artifact", [each.id for each in found.artifacts])),
            executions=tuple(self.get_by_id("Execution", [each.id for each in found.executions])),
            contexts=tuple(self.get_by_id("Context", [each.id for each in found.contexts])),
            events=tuple(self._events(found.events)),
            attributions=tuple(
                Attribution(artifact_id=each.artifact_id, context_id=each.context_id) for each in found.attributions
            ),
            associations=tuple(
                Association(execution_id=each.execution_id, context_id=each.context_id) for each in found.associations
            ),
        )


class ReferenceClient(Reference):
    """ml-metadata's own client of a server of ours, whose store goes by the same clock."""

    def __init__(self, clock: StepClock, port: int) -> None:
        self._port = port
        super().__init__(clock)

    def _config(self) -> Any:
        return metadata_store_pb2.MetadataStoreClientConfig(host="127.0.0.1", port=self._port)

    def _writing(self) -> AbstractContextManager[None]:
        return nullcontext()


_ORDER = {OrderBy.ID: "ID", OrderBy.CREATE_TIME: "CREATE_TIME", OrderBy.LAST_UPDATE_TIME: "LAST_UPDATE_TIME"}


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _ending(ending: Ending | None) -> dict[str, Any] | None:
    return None if ending is None else {"filter_query": ending.where, "include_ending_nodes": ending.include}
