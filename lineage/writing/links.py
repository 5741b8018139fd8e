"""The rules of writing links.

Source of the rules: MLMD's behaviour, sections 2 and 4 of its facts. An ``id`` means update, none means insert.
Everything is checked in the order in which it was given, so the first thing wrong is the one reported, and sent to the
store in as few calls as that order allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from lineage.errors import InvalidArgumentError
from lineage.model import (
    Association,
    Attribution,
    Event,
    Link,
    LinkKind,
    ParentContext,
)
from lineage.seam import LinkQuery
from lineage.writing.unit import WriterCore

__all__ = ["LinkWriter"]


class LinkWriter(WriterCore):
    """Inserts links between nodes."""

    def put_events(self, events: Sequence[Event], *, reuse: bool = False) -> None:
        """Insert events. Raises AlreadyExistsError on one that is there, unless ``reuse`` lets it stay as it is."""

        def complete(event: Event) -> Event:
            if event.artifact_id is None:
                raise InvalidArgumentError("no artifact id is specified; give every event an artifact_id")
            if event.execution_id is None:
                raise InvalidArgumentError("no execution id is specified; give every event an execution_id")
            return self._timed(event)

        self._insert_links(LinkKind.EVENT, events, complete, existing="ignore" if reuse else "error")

    def _timed(self, event: Event, **ids: int | None) -> Event:
        if not event.type:
            raise InvalidArgumentError("no event type is specified; give every event a type, e.g. INPUT or OUTPUT")
        if event.time_ms is None:
            return event.replace_trusted(time_ms=self._now_ms, **ids)
        return event.replace_trusted(**ids) if ids else event

    def put_attributions_and_associations(
        self, attributions: Sequence[Attribution], associations: Sequence[Association], *, reuse: bool = True
    ) -> None:
        """Link contexts with artifacts and executions; links that are there stay, or raise AlreadyExistsError."""
        existing: Literal["error", "ignore"] = "ignore" if reuse else "error"
        if attributions:
            self._tx.insert_links(LinkKind.ATTRIBUTION, attributions, existing=existing)
        if associations:
            self._tx.insert_links(LinkKind.ASSOCIATION, associations, existing=existing)

    def put_parent_contexts(self, links: Sequence[ParentContext], *, reuse: bool) -> None:
        """Insert parent links. Raises InvalidArgumentError on a cycle, AlreadyExistsError on a link that is there."""
        parents = self._ancestors([link.parent_id for link in links])

        def checked(link: ParentContext) -> ParentContext:
            if link.child_id == link.parent_id:
                raise InvalidArgumentError(
                    f"given parent / child id {link.child_id} cannot be found: a context is no parent of itself"
                )
            if _reaches(parents, link.parent_id, link.child_id):
                raise InvalidArgumentError(
                    f"there is a cycle detected of the given relationship: context {link.child_id} is an ancestor "
                    f"of {link.parent_id}"
                )
            parents.setdefault(link.child_id, set()).add(link.parent_id)
            return link

        self._insert_links(LinkKind.PARENT, links, checked, existing="ignore" if reuse else "error")

    def _ancestors(self, context_ids: Iterable[int]) -> dict[int, set[int]]:
        parents: dict[int, set[int]] = {}
        frontier = set(context_ids)
        while frontier:
            for context_id in frontier:
                parents.setdefault(context_id, set())
            for link in self._tx.find_links(LinkQuery(LinkKind.PARENT, "child_id", sorted(frontier))):
                assert isinstance(link, ParentContext)
                parents[link.child_id].add(link.parent_id)
            frontier = {parent for context_id in frontier for parent in parents[context_id]} - parents.keys()
        return parents

    def _insert_links(
        self,
        kind: LinkKind,
        links: Sequence[Any],
        complete: Callable[[Any], Link],
        *,
        existing: Literal["error", "ignore"] = "error",
    ) -> None:
        completed: list[Link] = []
        try:
            completed.extend(complete(link) for link in links)
        except InvalidArgumentError:
            self._tx.insert_links(kind, completed, existing=existing)  # as in put_nodes
            raise
        if completed:
            self._tx.insert_links(kind, completed, existing=existing)


def _reaches(parents: Mapping[int, set[int]], start: int, goal: int) -> bool:
    seen: set[int] = set()
    stack = [start]
    while stack:
        context_id = stack.pop()
        if context_id == goal:
            return True
        if context_id not in seen:
            seen.add(context_id)
            stack.extend(parents[context_id])
    return False
