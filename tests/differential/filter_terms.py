"""The leaves of random filters: names that a graph has, literals, and what the reference cannot be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from lineage.model import ArtifactState, EventType, ExecutionState, NodeKind
from tests.differential.filter_pieces import Piece, Sort
from tests.differential.graph_plan import (
    BOOL_KEY,
    DOUBLE_KEY,
    DOUBLES,
    INT_KEY,
    INTEGERS,
    KEYS,
    MIXED_KEY,
    NAMES,
    STRING_KEY,
    TEXTS,
    URIS,
    GraphPlan,
)

_FIELDS = {Sort.INT: "int_value", Sort.DOUBLE: "double_value", Sort.STRING: "string_value", Sort.BOOL: "bool_value"}
_KEY_OF = {Sort.INT: INT_KEY, Sort.DOUBLE: DOUBLE_KEY, Sort.STRING: STRING_KEY, Sort.BOOL: BOOL_KEY}
ALIASES = ("a", "b", "0", "X_1")

# --- what the reference cannot be asked (design section 6, mlmd-facts section 6): rules with names ---

NAMEABLE = {
    "state": [member.name for member in ArtifactState if member.name not in ("ABANDONED", "REFERENCE")],
    "last_known_state": [member.name for member in ExecutionState],
    "type": [member.name for member in EventType if member.name not in ("UNKNOWN", "PENDING_OUTPUT")],
}
"""Rule `nameable`: the reference knows no other names of states and event types."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Which of the rules hold, and which of our own forms are made."""

    is_reference: bool = True
    """Keep to what the reference understands."""
    exists: float = 0.0
    """How often a condition is EXISTS(...)."""

    def names(self, attribute: str) -> Sequence[str]:
        if self.is_reference:
            return NAMEABLE[attribute]
        members = {"state": ArtifactState, "last_known_state": ExecutionState, "type": EventType}[attribute]
        return [member.name for member in members]


REFERENCE = Dialect()
OURS = Dialect(is_reference=False, exists=0.12)


@dataclass(slots=True)
class Used:
    """What a filter says already: some rules forbid to say it twice."""

    enum_values: set[tuple[str, str]] = field(default_factory=set)
    """Rule `enum once`: the reference refuses the same enum predicate value twice in a filter."""
    quoted: dict[str, bool] = field(default_factory=dict)
    """Rule `one spelling`: the reference refuses a key that is written both bare and back-quoted."""


class TermMaker:
    """Makes names and literals for one kind of node."""

    def __init__(
        self, random: Random, plan: GraphPlan, kind: NodeKind, *, dialect: Dialect = REFERENCE,
        times_ms: Sequence[int] = (), mistakes: float = 0.0,
    ) -> None:  # fmt: skip
        self._random = random
        self._plan = plan
        self._kind = kind
        self._dialect = dialect
        self._times_ms = times_ms or (0, 1000)
        self._mistakes = mistakes
        self._used = Used()
        self._is_inside_exists = False
        self._aliases: Sequence[str] = ALIASES

    # --- names

    def _property(self, sort: Sort) -> Piece:
        random = self._random
        family = random.choice(("properties", "custom_properties"))
        key = random.choice((_KEY_OF[sort], _KEY_OF[sort], MIXED_KEY, *KEYS))
        is_bare = key.replace("_", "").isalnum() and key.isascii()
        quoted = self._used.quoted.setdefault(key, not is_bare or random.random() < 0.2)
        return Piece(sort, (f"{family}.`{key}`.{_FIELDS[sort]}" if quoted else f"{family}.{key}.{_FIELDS[sort]}",))

    def _alias(self, *neighbours: str) -> tuple[str, str]:
        neighbour = self._random.choice(neighbours)
        return neighbour, f"{neighbour}_{self._random.choice(self._aliases)}"

    def _neighbours(self) -> tuple[str, ...]:
        if self._kind is NodeKind.CONTEXT:
            return ("parent_contexts", "child_contexts", "artifacts", "executions")
        return ("contexts", "events")

    def _column(self, sort: Sort) -> Piece:
        """An attribute or property of the node, or a neighbour's attribute."""
        if sort in (Sort.INT, Sort.STRING) and self._random.random() < 0.25:
            return self._neighbour_column(sort)
        return self._own_column(sort)

    def _own_column(self, sort: Sort) -> Piece:
        random = self._random
        roll = random.random()
        if roll < 0.53 or sort in (Sort.DOUBLE, Sort.BOOL):
            return self._property(sort)
        if roll < 0.93 or sort is Sort.STRING or self._kind is NodeKind.CONTEXT:
            names = ["id", "id", "type_id", "create_time_since_epoch", "last_update_time_since_epoch"]
            if sort is Sort.STRING:
                names = ["type", "name", "name", "external_id", *["uri"] * (self._kind is NodeKind.ARTIFACT)]
            name = random.choice(names)
            return Piece(sort, (name.upper() if random.random() < 0.1 else name,))
        # Rule `no bare enum beside a number`: only in parentheses is it a number everywhere for the reference.
        return Piece(sort, ("(state)" if self._kind is NodeKind.ARTIFACT else "(last_known_state)",))

    def _neighbour_column(self, sort: Sort) -> Piece:
        neighbour, alias = self._alias(*self._neighbours())
        if neighbour == "events":
            if sort is Sort.STRING:
                if not self._dialect.is_reference:
                    return Piece(sort, (f"{alias}.path[{self._random.randrange(3)}].key",))
                neighbour, alias = self._alias("contexts")
            else:
                other = "execution_id" if self._kind is NodeKind.ARTIFACT else "artifact_id"
                fields = [other, other, "milliseconds_since_epoch"]
                if not self._dialect.is_reference:
                    fields.append(f"path[{self._random.randrange(3)}].index")
                return Piece(sort, (f"{alias}.{self._random.choice(fields)}",))
        names: list[str] = ["id"] if sort is Sort.INT else ["name", "name", "type"]
        if sort is Sort.INT and not (self._dialect.is_reference and neighbour in ("parent_contexts", "child_contexts")):
            # Rule `no times of parents`: the reference lacks the columns in its own SQL.
            names += ["create_time_since_epoch", "last_update_time_since_epoch"]
        if sort is Sort.STRING and neighbour == "artifacts":
            names.append("uri")
        if sort is Sort.STRING and not self._dialect.is_reference:
            names.append("external_id")  # Rule `no external_id of neighbours`, for the same reason.
        return Piece(sort, (f"{alias}.{self._random.choice(names)}",))

    # --- literals

    def _int_literal(self) -> Piece:
        random = self._random
        size = len(self._plan.nodes(self._kind))
        value = random.choice((
            random.randint(0, 5), random.randint(1, size + 1), random.choice(INTEGERS), random.choice(self._times_ms),
            random.randint(10, 19), 1000, 2**63 - 1,
        ))  # fmt: skip
        if value >= 0 and random.random() < 0.1:
            return Piece(Sort.INT, (random.choice((hex(value), hex(value).upper().replace("X", "x"), f"+{value}")),))
        return Piece(Sort.INT, (str(value),))

    def _double_literal(self) -> Piece:
        value = self._random.choice((*DOUBLES, 1e-3, 2e10, 4.75))
        texts = [repr(value)]
        if value >= 0:
            texts += [f"{value:e}", f"{value:.3f}", f"{value:.2f}".lstrip("0"), f"{int(value)}."]
        return Piece(Sort.DOUBLE, (self._random.choice(texts),))

    def _string_literal(self) -> Piece:
        # Rule `no column names, no escapes, no enum-like text`: no text of the pools is one; the reference reads such
        # literals as columns, does not undo escapes, and rewrites text that looks like `state = X`.
        types = [name for kind in NodeKind for name in self._plan.type_names(kind)]
        value = self._random.choice((
            self._random.choice(TEXTS), self._random.choice(TEXTS), self._random.choice(NAMES),
            self._random.choice(URIS), self._random.choice(types), f"Run {self._random.randint(1, 9)}",
            f"ext-{self._random.randint(1, 30)}",
        ))  # fmt: skip
        return Piece(Sort.STRING, (quoted(self._random, value),))

    def _pattern(self) -> Piece:
        value = self._random.choice((*TEXTS, *NAMES, *URIS, "aData", "Run 1"))
        cut = self._random.randint(0, len(value))
        pattern = self._random.choice((
            f"{value[:cut]}%", f"%{value[cut:]}", f"%{value[cut:][:2]}%", value, f"{value[:cut]}_{value[cut + 1 :]}",
            "%", "_%", value.lower(), f"{value[:1]}%{value[-1:]}",
        ))  # fmt: skip
        return Piece(Sort.STRING, (quoted(self._random, pattern),))

    def _literal(self, sort: Sort) -> Piece:
        if self._mistakes and self._random.random() < self._mistakes:
            sort = self._random.choice(list(Sort))
        match sort:
            case Sort.INT:
                return self._int_literal()
            case Sort.DOUBLE:
                return self._double_literal()
            case Sort.STRING:
                return self._string_literal()
            case Sort.BOOL:
                return Piece(sort, (self._random.choice(("TRUE", "FALSE")),))


def quoted(random: Random, value: str) -> str:
    """A string literal."""
    return random.choice((f"'{value}'", f"'{value}'", f'"{value}"', f"r'{value}'", f"'''{value}'''", f'"""{value}"""'))
