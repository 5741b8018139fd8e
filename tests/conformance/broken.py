"""Backends that are wrong on purpose: a suite that one of them passes proves nothing.

Each is the memory backend with one thing broken. ``caught_by`` names conformance tests that fail on it;
``test_suite_can_fail.py`` checks that they do. Any of them can be looked at with ``pytest --backend broken:NAME``.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

from backends.memory import MemoryBackend
from backends.memory.backend import MemoryTransaction
from backends.memory.links import edge_of
from backends.memory.types import TypeTable
from cypher import ast
from lineage.errors import UnavailableError
from lineage.model import Link, LinkKind, Node, NodeKind, NodeType
from lineage.seam import Backend, Cursor, LinkQuery, NodeQuery, OrderBy
from tests.conformance import broken_deletes as deletes

__all__ = ["BROKEN", "Broken"]


@dataclass(frozen=True)
class Broken:
    """A broken backend and the tests that must fail on it, as ``file::test``."""

    name: str
    transaction: type[MemoryTransaction] | None
    """None: the backend cannot be opened at all."""
    caught_by: Sequence[str]

    def fresh(self) -> AbstractContextManager[Backend]:
        """Open a new one."""
        return _opened(self.transaction)


@contextmanager
def _opened(transaction: type[MemoryTransaction] | None) -> Generator[Backend]:
    if transaction is None:
        raise UnavailableError("nobody answers at this address; start the server")
    backend = _BrokenBackend(transaction)
    yield backend
    backend.close()


class _BrokenBackend(MemoryBackend):
    def __init__(self, transaction: type[MemoryTransaction]) -> None:
        super().__init__()
        self.transaction_class = transaction


class Sound(MemoryTransaction):
    """Nothing is broken: what catches the others must pass here."""


class NoRollback(MemoryTransaction):
    def undo(self) -> None:
        """Nothing is undone."""


class RollbackOnlyOnErrors(MemoryTransaction):
    """An interrupt from the keyboard is no ``Exception``."""

    def undo(self) -> None:
        if isinstance(sys.exc_info()[1], Exception):
            super().undo()


class CursorSkipsTies(MemoryTransaction):
    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        if query.after is not None and query.order_by is not OrderBy.ID:
            query = replace(query, after=Cursor(query.after.value, -(2**62) if query.descending else 2**62))
        return super().find_nodes(query)


class CursorRepeatsTies(MemoryTransaction):
    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        if query.after is not None and query.order_by is not OrderBy.ID:
            query = replace(query, after=Cursor(query.after.value, 2**62 if query.descending else -(2**62)))
        return super().find_nodes(query)


class OrderIgnoresDirection(MemoryTransaction):
    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        return super().find_nodes(replace(query, descending=False, after=None if query.descending else query.after))


class LimitOffByOne(MemoryTransaction):
    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        return super().find_nodes(query if query.limit is None else replace(query, limit=query.limit - 1))


class FilterStopsAtFirstAnd(MemoryTransaction):
    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        if query.filter is not None and isinstance(query.filter.where, ast.And):
            query = replace(query, filter=replace(query.filter, where=query.filter.where.operands[0]))
        return super().find_nodes(query)


class FilterAppliedAfterLimit(MemoryTransaction):
    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        if query.filter is None or query.limit is None:
            return super().find_nodes(query)
        page = super().find_nodes(replace(query, filter=None))
        kept = {node.id for node in super().find_nodes(replace(query, limit=None))}
        return [node for node in page if node.id in kept]


class NodesRepeated(MemoryTransaction):
    """An id that is asked for twice comes back twice."""

    def find_nodes(self, query: NodeQuery) -> Sequence[Node]:
        found = super().find_nodes(query)
        if query.ids is None or query.filter is not None:
            return found
        by_id = {node.id: node for node in found}
        return [by_id[node_id] for node_id in query.ids if node_id in by_id]


class SharedIds(MemoryTransaction):
    """One sequence of ids for all kinds of node."""

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        tables = self._backend.nodes
        tables[kind].next_id = max(table.next_id for table in tables.values())
        return super().insert_nodes(kind, nodes)


class NamesNotUnique(MemoryTransaction):
    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        self._backend.nodes[kind].by_name.clear()
        return super().insert_nodes(kind, nodes)


class NamesUniqueOnlyOnInsert(MemoryTransaction):
    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        self._backend.nodes[kind].by_name.clear()
        super().update_nodes(kind, nodes, expected_update_times_ms=expected_update_times_ms)


class ExternalIdsNotUnique(MemoryTransaction):
    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        self._backend.nodes[kind].by_external_id.clear()
        return super().insert_nodes(kind, nodes)


class LostUpdate(MemoryTransaction):
    """The comparison of compare-and-set is left out."""

    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        super().update_nodes(kind, nodes)


class UpdateMergesProperties(MemoryTransaction):
    def update_nodes(
        self, kind: NodeKind, nodes: Sequence[Node], *, expected_update_times_ms: Mapping[int, int] | None = None
    ) -> None:
        stored = self._backend.nodes[kind].nodes
        merged = [
            node.replace_trusted(properties={**stored[node.id].properties, **node.properties})
            for node in nodes
            if node.id is not None
        ]
        super().update_nodes(kind, merged, expected_update_times_ms=expected_update_times_ms)


class MutableRecords(MemoryTransaction):
    """What a caller does to a record that it read happens to the store."""

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        return super().insert_nodes(kind, [node.replace_trusted(properties=dict(node.properties)) for node in nodes])


class RoundedDoubles(MemoryTransaction):
    """Six decimals, as in the reference."""

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        def rounded(value: Any) -> Any:
            return round(value, 6) if isinstance(value, float) else value

        return super().insert_nodes(
            kind,
            [
                node.replace_trusted(properties={key: rounded(value) for key, value in node.properties.items()})
                for node in nodes
            ],
        )


class DuplicateLinksIgnored(MemoryTransaction):
    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        super().insert_links(kind, links, existing="ignore")


class DuplicateLinksRefused(MemoryTransaction):
    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        super().insert_links(kind, links, existing="error")


class DuplicateLinksKept(MemoryTransaction):
    """A link that is put twice is found twice."""

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        found = super().find_links(query)
        return found if query.kind is LinkKind.EVENT else [*found, *found]


class DanglingLinks(MemoryTransaction):
    """Links between nodes that do not exist."""

    def insert_links(self, kind: LinkKind, links: Sequence[Link], *, existing: Literal["error", "ignore"]) -> None:
        table = self._backend.links[kind]
        for link in links:
            if not table.has(edge_of(link)):
                table.insert(edge_of(link), link)


class EventsReversed(MemoryTransaction):
    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        return super().find_links(query)[::-1]


class FrontierCapped(MemoryTransaction):
    """No more than 100 ids at a time, silently, as in the reference."""

    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        return super().find_links(replace(query, ids=query.ids[:100]))


class EventTypesIgnored(MemoryTransaction):
    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        return super().find_links(replace(query, event_types=None))


class EventTimesIgnored(MemoryTransaction):
    def find_links(self, query: LinkQuery) -> Sequence[Link]:
        return super().find_links(replace(query, since_ms=None, before_ms=None))


class TypesCopied(MemoryTransaction):
    """A new list of types at every call, which the engine would have to index anew."""

    def find_types(self, kind: NodeKind) -> Sequence[NodeType]:
        return list(super().find_types(kind))


class TypesCached(MemoryTransaction):
    """Types change and the old list is handed out."""

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        """Nothing is updated."""


def _forgetful(types: TypeTable) -> TypeTable:
    """Make the table check nothing."""
    types._check_unique = lambda *_: None  # type: ignore[method-assign]  # pyright: ignore[reportPrivateUsage]  # what is broken
    return types


class TypeNamesNotUnique(MemoryTransaction):
    def insert_types(self, kind: NodeKind, types: Sequence[NodeType]) -> list[int]:
        self._backend.types = _forgetful(self._backend.types)
        return super().insert_types(kind, types)

    def update_types(self, kind: NodeKind, types: Sequence[NodeType]) -> None:
        self._backend.types = _forgetful(self._backend.types)
        super().update_types(kind, types)


_LISTS, _SEAM, _LINKS = "test_lists.py", "test_seam.py", "test_seam_links.py"
_DELETES = "test_seam_deletes.py"
BROKEN: Mapping[str, Broken] = {
    broken.name: broken
    for broken in (
        Broken("sound", Sound, []),
        Broken("unreachable", None, ["test_types.py::test_first_user_type_gets_id_10", f"{_SEAM}::test_prepare_twice"]),
        Broken(
            "no-rollback",
            NoRollback,
            [
                f"{_SEAM}::test_an_error_undoes_the_whole_unit_of_work",
                "test_nodes.py::test_a_list_with_a_bad_node_leaves_nothing",
                "test_put_execution.py::test_a_bad_context_leaves_nothing_of_the_step",
            ],
        ),
        Broken(
            "rollback-only-on-errors",
            RollbackOnlyOnErrors,
            [f"{_SEAM}::test_an_interrupt_undoes_the_whole_unit_of_work"],
        ),
        Broken(
            "cursor-skips-ties",
            CursorSkipsTies,
            [
                f"{_LISTS}::test_paging_by_update_time_ends_when_thousands_share_a_millisecond",
                f"{_SEAM}::test_a_cursor_goes_on_within_equal_times",
            ],
        ),
        Broken(
            "cursor-repeats-ties",
            CursorRepeatsTies,
            [
                f"{_LISTS}::test_paging_by_update_time_ends_when_thousands_share_a_millisecond",
                f"{_SEAM}::test_a_cursor_goes_on_within_equal_times",
            ],
        ),
        Broken(
            "order-ignores-direction",
            OrderIgnoresDirection,
            [f"{_LISTS}::test_descending_reverses_ids_too_where_times_are_equal"],
        ),
        Broken(
            "limit-off-by-one",
            LimitOffByOne,
            [f"{_LISTS}::test_pages_have_the_size_asked_for", f"{_SEAM}::test_a_limit_is_exact"],
        ),
        Broken(
            "filter-stops-at-first-and",
            FilterStopsAtFirstAnd,
            ["test_filters.py::test_filter", f"{_SEAM}::test_every_condition_of_a_query_counts"],
        ),
        Broken(
            "filter-applied-after-limit",
            FilterAppliedAfterLimit,
            [f"{_LISTS}::test_a_filter_is_applied_before_the_limit"],
        ),
        Broken(
            "nodes-repeated",
            NodesRepeated,
            [f"{_SEAM}::test_a_node_comes_once"],
        ),
        Broken("shared-ids", SharedIds, ["test_nodes.py::test_ids_count_from_1_for_each_kind"]),
        Broken(
            "names-not-unique",
            NamesNotUnique,
            ["test_nodes.py::test_a_name_is_unique_within_its_type", f"{_SEAM}::test_unique_keys_of_nodes"],
        ),
        Broken(
            "names-unique-only-on-insert",
            NamesUniqueOnlyOnInsert,
            ["test_updates.py::test_a_context_cannot_take_the_name_of_another"],
        ),
        Broken(
            "external-ids-not-unique",
            ExternalIdsNotUnique,
            [
                "test_nodes.py::test_an_external_id_is_unique_within_its_kind_across_types",
                f"{_SEAM}::test_unique_keys_of_nodes",
            ],
        ),
        Broken("lost-update", LostUpdate, [f"{_SEAM}::test_compare_and_set"]),
        Broken(
            "update-merges-properties",
            UpdateMergesProperties,
            ["test_updates.py::test_an_update_without_a_mask_replaces_everything"],
        ),
        Broken("mutable-records", MutableRecords, ["test_nodes.py::test_what_was_read_cannot_change_the_store"]),
        Broken("rounded-doubles", RoundedDoubles, ["test_values.py::test_a_value_is_read_back_exactly"]),
        Broken(
            "duplicate-links-ignored",
            DuplicateLinksIgnored,
            [
                "test_events.py::test_a_second_event_of_the_same_type_is_refused",
                "test_parent_contexts.py::test_a_second_parent_link_is_refused",
                f"{_LINKS}::test_duplicate_links",
            ],
        ),
        Broken(
            "duplicate-links-refused",
            DuplicateLinksRefused,
            ["test_links.py::test_a_link_that_exists_stays_as_it_is", f"{_LINKS}::test_duplicate_links"],
        ),
        Broken(
            "duplicate-links-kept",
            DuplicateLinksKept,
            [f"{_LINKS}::test_duplicate_links"],
        ),
        Broken(
            "dangling-links",
            DanglingLinks,
            [
                "test_events.py::test_an_event_needs_nodes_that_exist",
                "test_links.py::test_links_need_nodes_that_exist",
                f"{_LINKS}::test_links_to_nodes_that_do_not_exist",
            ],
        ),
        Broken(
            "events-reversed",
            EventsReversed,
            ["test_events.py::test_events_come_in_the_order_in_which_they_were_put", f"{_LINKS}::test_order_of_links"],
        ),
        Broken(
            "frontier-capped",
            FrontierCapped,
            ["test_lineage.py::test_every_starting_node_counts", f"{_LINKS}::test_a_frontier_of_thousands"],
        ),
        Broken(
            "event-types-ignored",
            EventTypesIgnored,
            ["test_lineage.py::test_upstream", f"{_LINKS}::test_events_narrowed_to_types"],
        ),
        Broken(
            "event-times-ignored",
            EventTimesIgnored,
            [
                "test_traversal_options.py::test_a_window_of_time",
                f"{_LINKS}::test_events_narrowed_to_a_window_of_time",
            ],
        ),
        Broken("types-copied", TypesCopied, [f"{_SEAM}::test_types_are_the_same_object_until_they_change"]),
        Broken(
            "types-cached",
            TypesCached,
            [
                "test_types.py::test_can_add_fields_adds_properties",
                f"{_SEAM}::test_types_are_the_same_object_until_they_change",
            ],
        ),
        Broken(
            "deletions-only-hide",
            deletes.DeletionsOnlyHide,
            [f"{_DELETES}::test_names_and_external_ids_are_free_again_and_ids_never"],
        ),
        Broken(
            "deleted-ids-reused",
            deletes.DeletedIdsReused,
            [
                f"{_DELETES}::test_names_and_external_ids_are_free_again_and_ids_never",
                f"{_DELETES}::test_nodes_are_deleted_in_the_unit_of_work_that_put_them",
            ],
        ),
        Broken("deletes-linked-nodes", deletes.DeletesLinkedNodes, [f"{_DELETES}::test_a_linked_node_is_not_deleted"]),
        Broken("deletions-not-undone", deletes.DeletionsNotUndone, [f"{_DELETES}::test_deletions_are_undone"]),
        Broken(
            "deletes-events-of-every-type",
            deletes.DeletesEventsOfEveryType,
            [f"{_DELETES}::test_one_link_is_deleted_and_the_others_stay"],
        ),
        Broken(
            "deletes-types-in-use",
            deletes.DeletesTypesInUse,
            [f"{_DELETES}::test_a_type_of_which_there_are_nodes_is_not_deleted"],
        ),
        Broken(
            "type-names-not-unique",
            TypeNamesNotUnique,
            [
                f"{_SEAM}::test_unique_keys_of_types",
                "test_types.py::test_an_external_id_is_unique_among_types_of_all_kinds",
            ],
        ),
    )
}
