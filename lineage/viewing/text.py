"""Records and graphs as text for a terminal: addresses, tables, trees.

What a user stored is shown with control characters escaped: a name cannot move the cursor, nor break a line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from enum import Enum

from lineage.errors import InvalidArgumentError
from lineage.model import Artifact, Context, Direction, Event, Execution, Node, NodeKind
from lineage.reading.graph import LineageGraph

__all__ = [
    "NODE_COLUMNS",
    "address",
    "columns_of",
    "details",
    "label",
    "link_text",
    "moment",
    "node_row",
    "plain",
    "side_text",
    "state_of",
    "table",
    "tree",
    "value_text",
]

_MOST_OF_A_VALUE = 60
"""Characters of a value where it is one of several in a line."""

_Key = tuple[NodeKind, int]


def address(node: Node) -> str:
    """Return how a node is named everywhere: ``artifact/17``."""
    return f"{node.kind.value.lower()}/{node.id}"


def label(node: Node) -> str:
    """Return a node in a line: its type, name and address, and what tells it from others."""
    what = [part for part in (node.type, node.name) if part]
    tail = [plain(node.uri)] if isinstance(node, Artifact) and node.uri and node.uri != node.name else []
    state = state_of(node)
    where = f"new {node.kind.value.lower()}" if node.id is None else address(node)
    return "  ".join([f"{plain(' '.join(what))} ({where})".lstrip(), *([state] if state else []), *tail])


def state_of(node: Node) -> str:
    """Return the name of a node's state, "" if it has none."""
    state = getattr(node, "state", None) or getattr(node, "last_known_state", None)
    return str(state or "")


def moment(time_ms: int | None) -> str:
    """Return a time, in milliseconds since the epoch, as people of this machine's time zone write it."""
    if time_ms is None:
        return ""
    try:
        when = datetime.fromtimestamp(time_ms / 1000, tz=timezone.utc).astimezone()
    except (OverflowError, ValueError, OSError):  # a year that no calendar here has
        return f"{time_ms} ms"
    return when.strftime("%Y-%m-%d %H:%M:%S")


def plain(text: str) -> str:
    r"""Return a text with what a terminal would obey, or show as nothing, escaped.

    >>> plain("a\x1b[2Jb\nc")
    'a\\x1b[2Jb\\nc'
    """
    return text if text.isprintable() else "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def value_text(value: object, most: int = _MOST_OF_A_VALUE) -> str:
    """Return a property's value in a line, shortened to ``most`` characters."""
    text = value.name if isinstance(value, Enum) else value if isinstance(value, str) else repr(value)
    return plain(text if len(text) <= most else f"{text[: most - 1]}…")


def link_text(event: Event) -> str:
    """Return what an event says of its link: the type, and the path, as in ``OUTPUT model.0``."""
    assert event.type is not None
    return " ".join([event.type.name, plain(".".join(str(step) for step in event.path))]).rstrip()


def columns_of(text: str) -> int:
    """Return how many columns a terminal gives a text."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    return 0 if unicodedata.combining(character) else 1 + (unicodedata.east_asian_width(character) in "WF")


def _fitted(text: str, width: int) -> str:
    """Return a text in so many columns: filled up, or cut, which a dot at the end shows."""
    missing = width - columns_of(text)
    if missing >= 0:
        return text + " " * missing
    end = filled = 0
    for end, character in enumerate(text):  # noqa: B007  # where it ends is what is sought
        if filled + _columns(character) > width - 1:
            break
        filled += _columns(character)
    return text[:end] + "…" + " " * (width - 1 - filled)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int | None = None) -> str:
    """Return rows under their columns, a line each; columns without any text are left out.

    ``width`` is the terminal's: then the longest cells are cut until a line fits.

    >>> print(table(["ID", "NAME", "URI"], [["1", "iris", ""], ["12", "model", ""]]))
    ID  NAME
    1   iris
    12  model
    """
    shown = [index for index in range(len(columns)) if any(row[index] for row in rows)] or [0]
    cells = [[columns[index] for index in shown], *([plain(row[index]) for index in shown] for row in rows)]
    widths = [max(columns_of(row[column]) for row in cells) for column in range(len(shown))]
    if width is not None:
        widths = [min(each, width) for each in widths]
        for _ in range(sum(widths)):
            if sum(widths) + 2 * (len(widths) - 1) <= width:
                break
            longest = widths.index(max(widths))
            if widths[longest] <= len("TYPE"):
                break
            widths[longest] -= 1
    return "\n".join("  ".join(map(_fitted, row, widths)).rstrip() for row in cells)


NODE_COLUMNS = ("ADDRESS", "TYPE", "NAME", "STATE", "CREATED", "URI", "PROPERTIES")
"""The columns of :func:`node_row`."""


def node_row(node: Node) -> list[str]:
    """Return a node as a row of a table."""
    properties = {**node.custom_properties, **node.properties}
    return [
        address(node),
        node.type or "",
        node.name or "",
        state_of(node),
        moment(node.create_time_ms),
        getattr(node, "uri", ""),
        " ".join(f"{name}={value_text(value, 24)}" for name, value in properties.items()),
    ]


def side_text(value: object) -> str:
    """Return one side of a comparison's row."""
    if value is None:
        return "-"
    return label(value) if isinstance(value, Artifact) else value_text(value)


def tree(graph: LineageGraph, starts: Iterable[Artifact | Execution], direction: Direction) -> Iterator[str]:
    """Yield the lines of a graph as trees from its starting nodes: what each was made by, or was used for.

    A node that was shown with all below it is not shown so again, and says so. Raises InvalidArgumentError for a
    direction that has no tree.
    """
    if direction is Direction.BIDIRECTIONAL:
        raise InvalidArgumentError("a tree goes upstream or downstream, not both ways")
    nodes: dict[_Key, Node] = {
        (node.kind, node.id): node for node in (*graph.artifacts, *graph.executions) if node.id is not None
    }
    below = _steps(graph, upstream=direction is Direction.UPSTREAM)
    shown: set[_Key] = set()
    for start in starts:
        assert start.id is not None
        if (start.kind, start.id) not in nodes:  # a limit left it out
            continue
        # What is still to be shown: a node, the text before it, and before what is below it.
        waiting: list[tuple[_Key, str, str]] = [((start.kind, start.id), "", "")]
        while waiting:
            key, before, below_before = waiting.pop()
            children = [each for each in below.get(key, ()) if each[0] in nodes]
            again = key in shown and bool(children)
            yield before + label(nodes[key]) + ("  (shown above)" if again else "")
            shown.add(key)
            if again:
                continue
            last = len(children) - 1
            branches = [
                (
                    child,
                    f"{below_before}{'└' if index == last else '├'}─ {verb} ",
                    f"{below_before}{' ' if index == last else '│'}  ",
                )
                for index, (child, verb) in enumerate(children)
            ]
            waiting += reversed(branches)


def _steps(graph: LineageGraph, *, upstream: bool) -> dict[_Key, list[tuple[_Key, str]]]:
    """Return the next nodes of each node on the way from the starts, with the word for the step."""
    below: dict[_Key, dict[tuple[_Key, str], None]] = {}
    for event in graph.events:
        assert event.type is not None
        assert event.artifact_id is not None
        assert event.execution_id is not None
        artifact, execution = (NodeKind.ARTIFACT, event.artifact_id), (NodeKind.EXECUTION, event.execution_id)
        made = event.type.is_output
        if not (made or event.type.is_input):
            continue
        from_artifact = made is upstream
        word = ("made by" if made else "used by") if from_artifact else ("made" if made else "from")
        ends = (artifact, execution) if from_artifact else (execution, artifact)
        below.setdefault(ends[0], {})[ends[1], word] = None
    for source, targets in graph.through.items():
        for target in targets:
            one, other = (target, source) if upstream else (source, target)
            below.setdefault(one, {})[other, "[hidden]"] = None
    return {key: list(steps) for key, steps in below.items()}


_Part = tuple[str, str]


def details(
    node: Node,
    events: Sequence[Event],
    ends: Callable[[Event], Node | None],
    contexts: Sequence[Context],
    most: int = 20,
) -> Iterator[str]:
    """Yield the lines that show a node: its fields, its properties, what it is linked with (``most`` of a kind)."""
    yield label(node)
    fields: list[_Part] = [
        ("external id", node.external_id or ""),
        ("created", moment(node.create_time_ms)),
        ("updated", moment(node.last_update_time_ms) if node.last_update_time_ms != node.create_time_ms else ""),
    ]
    yield from _parts([each for each in fields if each[1]])
    for title, properties in (("properties", node.properties), ("custom properties", node.custom_properties)):
        if properties:
            yield f"  {title}"
            parts = [(plain(name), value_text(value, 200)) for name, value in properties.items()]
            yield from (f"  {line}" for line in _parts(parts))
    made = [event for event in events if event.type is not None and event.type.is_output]
    used = [event for event in events if event.type is None or not event.type.is_output]
    titles = (("inputs", used), ("outputs", made))
    if not isinstance(node, Execution):
        titles = (("made by", made), ("used by", used))
    for title, links in titles:
        yield from _some(title, [_end(ends(event), event) for event in links], most)
    yield from _some("contexts", [label(context) for context in contexts], most)


def _end(node: Node | None, event: Event) -> str:
    return f"{label(node) if node is not None else '?'}  [{link_text(event)}]"


def _parts(parts: Sequence[_Part]) -> Iterator[str]:
    longest = max((columns_of(name) for name, _ in parts), default=0)
    for name, text in parts:
        yield f"  {_fitted(name, longest)}  {plain(text)}"


def _some(title: str, lines: Sequence[str], most: int) -> Iterator[str]:
    if not lines:
        return
    yield f"  {title}"
    for line in lines[:most]:
        yield f"    {line}"
    if len(lines) > most:
        yield f"    and {len(lines) - most} more"
