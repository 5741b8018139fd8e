"""What a selection selected."""

from __future__ import annotations

from dataclasses import dataclass

from lineage.errors import counted
from lineage.model import Artifact, Context, Execution, Node
from lineage.reading.graph import LineageGraph

__all__ = ["Selection", "SelectionPart"]


@dataclass(frozen=True, slots=True)
class SelectionPart:
    """What one part of a selection found: its text, its meaning in words, and how many nodes of each kind.

    ``depth`` is how deep it lies in the whole, which has 0. With ``is_rest`` it selects all but so many. With
    ``is_within`` it was asked only which it selects of the nodes that the parts beside it leave.
    """

    depth: int
    text: str
    meaning: str
    artifacts: int = 0
    executions: int = 0
    contexts: int = 0
    is_rest: bool = False
    is_within: bool = False

    def __str__(self) -> str:
        counts = (
            (self.artifacts, "artifact"), (self.executions, "execution"), (self.contexts, "context"),
        )  # fmt: skip
        found = ", ".join(counted(count, what) for count, what in counts if count)
        if self.is_rest:
            found = f"all but {found}" if found else "all there is"
        return (
            f"{'  ' * self.depth}{self.text}: {self.meaning}: "
            f"{found or 'nothing'}{' of what the rest leaves' if self.is_within else ''}"
        )


@dataclass(frozen=True, slots=True, repr=False)
class Selection:
    """The nodes that a selection selects. ``str()`` is the selection itself, in its canonical form.

    ``graph`` has the artifacts and executions with the events between them, the contexts that hold them, and no hops;
    ``contexts`` are those that the selection selects themselves. ``parts`` say what each part of it found.
    """

    text: str
    graph: LineageGraph
    contexts: tuple[Context, ...]
    parts: tuple[SelectionPart, ...]

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        """The artifacts that are selected, by id."""
        return self.graph.artifacts

    @property
    def executions(self) -> tuple[Execution, ...]:
        """The executions that are selected, by id."""
        return self.graph.executions

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes that are selected: artifacts, executions, contexts."""
        return (*self.artifacts, *self.executions, *self.contexts)

    def explain(self) -> str:
        """Return what each part means, in words, and what it found: a line each, below the one that it is part of."""
        return "\n".join(map(str, self.parts))

    def __len__(self) -> int:
        return len(self.artifacts) + len(self.executions) + len(self.contexts)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        parts = {"artifact": self.artifacts, "execution": self.executions, "context": self.contexts}
        return f"Selection({self.text!r}: {', '.join(counted(len(each), what) for what, each in parts.items())})"
