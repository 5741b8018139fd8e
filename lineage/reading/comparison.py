"""Two executions side by side: parameters, inputs, outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from lineage.errors import InvalidArgumentError, NotFoundError, counted, short_repr
from lineage.model import Artifact, Event, Execution, LinkKind, NodeKind
from lineage.model.printed import Printed, text_of
from lineage.model.values import same_value
from lineage.seam import LinkQuery, NodeQuery, Reads

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Comparison", "Difference", "compare_executions", "fields_of"]


class Difference(NamedTuple):
    """One row of a comparison. A side that has no such thing is None."""

    field: str
    left: Any
    right: Any

    @property
    def delta(self) -> int | float | None:
        """By how much a number grew from left to right; None where the two are not both numbers."""
        if any(isinstance(each, bool) or not isinstance(each, (int, float)) for each in (self.left, self.right)):
            return None
        grown: int | float = self.right - self.left
        return grown


@dataclass(frozen=True, slots=True)
class Comparison(Printed):
    """Two executions of one type, side by side; it prints as a table, with a star where they differ.

    Fields are named as in ``properties.KEY``, ``custom_properties.KEY``, ``inputs.PATH``, ``outputs.PATH``. An input or
    output is shown as the artifact itself.
    """

    left: Execution
    right: Execution
    rows: tuple[Difference, ...]
    """Everything that either has, in the order of the field's name within each group."""

    @property
    def differences(self) -> tuple[Difference, ...]:
        """The rows in which the two differ."""
        return tuple(row for row in self.rows if not _same(row.left, row.right))

    def __repr__(self) -> str:
        return f"Comparison({counted(len(self.rows), 'field')}, {len(self.differences)} differ)"

    def _repr_html_(self) -> str:
        return text_of(self, "html_of")

    def to_pandas(self) -> pd.DataFrame:
        """Return a row for each field: ``field``, ``left``, ``right``, ``differs``.

        Raises MissingPackageError without pandas.
        """
        return cast("pd.DataFrame", import_module("lineage.exports.frames").comparison_frame(self))


def compare_executions(tx: Reads, left_id: int, right_id: int) -> Comparison:
    """Compare two executions.

    Raises NotFoundError if one does not exist, InvalidArgumentError if their types differ.
    """
    found = {
        node.id: cast(Execution, node) for node in tx.find_nodes(NodeQuery(NodeKind.EXECUTION, ids=[left_id, right_id]))
    }
    for execution_id in (left_id, right_id):
        if execution_id not in found:
            raise NotFoundError(
                f"there is no execution with id {short_repr(execution_id)}; look for it with list_executions"
            )
    left, right = found[left_id], found[right_id]
    if left.type_id != right.type_id:
        raise InvalidArgumentError(
            f"executions {left_id} of type {left.type!r} and {right_id} of type {right.type!r} cannot be compared; "
            "compare two of one type"
        )
    events = cast("list[Event]", list(tx.find_links(LinkQuery(LinkKind.EVENT, "execution_id", [left_id, right_id]))))
    artifact_ids = sorted({cast(int, event.artifact_id) for event in events})
    nodes = tx.find_nodes(NodeQuery(NodeKind.ARTIFACT, ids=artifact_ids)) if artifact_ids else ()
    artifacts = {node.id: cast(Artifact, node) for node in nodes}
    sides = [
        dict(fields_of(execution, [event for event in events if event.execution_id == execution.id], artifacts))
        for execution in (left, right)
    ]
    names = dict.fromkeys([*sides[0], *sides[1]])
    groups = ("last_known_state", "properties", "custom_properties", "inputs", "outputs")
    ordered = sorted(names, key=lambda name: (groups.index(name.partition(".")[0]), name))
    return Comparison(left, right, tuple(Difference(name, sides[0].get(name), sides[1].get(name)) for name in ordered))


def fields_of(
    execution: Execution, events: Sequence[Event], artifacts: Mapping[int | None, Artifact]
) -> Iterator[tuple[str, Any]]:
    """Yield what is compared of an execution: a name, as in ``inputs.examples.0``, and what is there."""
    yield "last_known_state", execution.last_known_state
    for family in ("properties", "custom_properties"):
        for key, value in getattr(execution, family).items():
            yield f"{family}.{key}", value
    counts: dict[str, int] = {}
    for event in events:
        assert event.type is not None
        side = "inputs" if event.type.is_input else "outputs"
        place = ".".join([side, *(str(step) for step in event.path)]) if event.path else f"{side}.{event.type.name}"
        counts[place] = counts.get(place, 0) + 1
        yield place if counts[place] == 1 else f"{place}#{counts[place]}", artifacts[event.artifact_id]


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Artifact) and isinstance(right, Artifact):
        return left.id == right.id
    return same_value(left, right)
