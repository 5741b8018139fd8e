"""What a removal will do: looked at before anything is done, and held against the store while it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from lineage.errors import FailedPreconditionError, InvalidArgumentError, counted, short_repr
from lineage.model import NodeKind
from lineage.model.printed import Printed

__all__ = [
    "CONTRACTED",
    "DELETING",
    "MAX_LINKS",
    "Contents",
    "Contraction",
    "CutNode",
    "How",
    "NodeKey",
    "Outputs",
    "PlannedNode",
    "RemovalPlan",
    "RemovalResult",
    "Users",
    "as_how",
    "checked",
    "refusal_of",
]

NodeKey: TypeAlias = tuple[NodeKind, int]
How: TypeAlias = Literal["retire", "forget", "contract", "delete"]
Outputs: TypeAlias = Literal["keep", "remove"]
Users: TypeAlias = Literal["refuse", "remove"]
Contents: TypeAlias = Literal["keep", "remove"]
DELETING = frozenset({"contract", "delete"})
"""The ways after which nodes are gone."""
CONTRACTED = "lineage.Contracted"
"""The type of what stands for the ways through what was contracted."""
MAX_LINKS = 5000
"""How many links one unit of work removes. A node with more loses them over several."""
_CHOICES = {
    "how": ("retire", "forget", "contract", "delete"),
    "outputs": ("keep", "remove"),
    "users": ("refuse", "remove"),
    "contents": ("keep", "remove"),
}


def checked(name: str, value: object) -> str:
    """Return the value of an option of a removal. Raises InvalidArgumentError for what is none."""
    choices = _CHOICES[name]
    if not isinstance(value, str) or value not in choices:
        raise InvalidArgumentError(f"{name} is one of {', '.join(choices)}, not {short_repr(value)}")
    return value


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node that goes, and why it is in the plan.

    ``digest`` is that of the node as it was planned. ``links`` are so many of its links, and ``links_digest`` is that
    of them: those with nodes that stay, and with nodes that go after it.
    """

    kind: NodeKind
    id: int
    type: str | None
    name: str | None
    why: str
    digest: str
    links: int
    links_digest: str

    @property
    def address(self) -> str:
        """The node as everything prints it: ``artifact/17``."""
        return f"{self.kind.value.lower()}/{self.id}"


@dataclass(frozen=True, slots=True)
class CutNode:
    """A node that stays although something that it came from goes: ``lost`` are the first few of ``count`` such."""

    kind: NodeKind
    id: int
    type: str | None
    name: str | None
    lost: tuple[str, ...]
    count: int

    @property
    def address(self) -> str:
        """The node as everything prints it: ``artifact/17``."""
        return f"{self.kind.value.lower()}/{self.id}"


@dataclass(frozen=True, slots=True)
class Contraction:
    """An execution to be, which stands for the ways through nodes that go, from ``inputs`` to ``outputs`` that stay.

    ``count`` of the nodes that go came of the inputs; ``context_ids`` are the contexts that stay and held any of them.
    """

    inputs: tuple[NodeKey, ...]
    outputs: tuple[NodeKey, ...]
    count: int
    context_ids: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name that it gets: the same for the same ends."""
        ends = "->".join(
            " ".join(f"{kind.value.lower()}/{node_id}" for kind, node_id in side)
            for side in (self.inputs, self.outputs)
        )
        return f"contracted-{hashlib.sha256(ends.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True, repr=False)
class RemovalPlan(Printed):
    """What :meth:`~lineage.Store.apply` will do, to look at before: ``print(plan)``.

    ``nodes`` go, in this order. Of those that stay, ``cut`` are cut from something that they came from, and
    ``downstream`` more came of these; ``unheld`` memberships in contexts go though the member stays. ``done`` of the
    nodes are left out, because they are retired or forgotten already. ``may_cut`` says that cutting was allowed.
    ``contractions`` are put before the nodes go.
    """

    selection: str
    how: How
    nodes: tuple[PlannedNode, ...]
    cut: tuple[CutNode, ...] = ()
    downstream: int = 0
    unheld: int = 0
    done: int = 0
    may_cut: bool = False
    contractions: tuple[Contraction, ...] = ()

    @property
    def links(self) -> int:
        """How many links go."""
        return sum(node.links for node in self.nodes) if self.how in DELETING else 0

    @property
    def refusal(self) -> str | None:
        """Why the plan cannot be applied; None if it can."""
        return refusal_of(self)

    def check(self) -> None:
        """Raise FailedPreconditionError if the plan cannot be applied."""
        checked("how", self.how)
        if self.refusal is not None:
            raise FailedPreconditionError(self.refusal)

    def positions(self) -> dict[NodeKey, int]:
        """Return the place of each node in the order in which they go."""
        return {(node.kind, node.id): place for place, node in enumerate(self.nodes)}

    def __len__(self) -> int:
        return len(self.nodes)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"RemovalPlan({self.how} {counted(len(self.nodes), 'node')}, {len(self.cut)} cut)"


def _keyword(name: str, value: object) -> str:
    return f"{name}={value!r}"


def refusal_of(plan: RemovalPlan, spelled: Callable[[str, object], str] = _keyword) -> str | None:
    """Return why a plan cannot be applied, with the options that help ``spelled`` as its reader gives them."""
    if not plan.cut or plan.may_cut:
        return None
    first = plan.cut[0]
    stay, they, these, them = ("stays", "it", "it", "it") if len(plan.cut) == 1 else ("stay", "they", "these", "them")
    return (
        f"{counted(len(plan.cut), 'node')} that {stay} would be cut from what {they} came from, and "
        f"{plan.downstream:,} more came of {these}: {first.address} came from {first.lost[0]}; select {them} too, "
        f"pass {spelled('outputs', 'remove')} or {spelled('users', 'remove')}, allow it with {spelled('cut', True)}, "
        f"or keep the way through what goes with {spelled('how', 'forget')}"
    )


@dataclass(frozen=True, slots=True)
class RemovalResult:
    """What was done: ``removed`` nodes now, ``done`` before, where a removal that was broken off went on."""

    how: How
    removed: int
    done: int


def as_how(value: object) -> How:
    """Return the value of ``how``."""
    return cast("How", checked("how", value))
