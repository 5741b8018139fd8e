"""Answers about several nodes as text: ways, what came of something, where it begins and ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import islice
from shutil import get_terminal_size
from typing import Any

from lineage.errors import counted
from lineage.model import INPUT_EVENTS, OUTPUT_EVENTS, Artifact, Direction, Execution, Node, NodeKind
from lineage.reading.comparison import Comparison
from lineage.reading.differences import RunDiff, StepDiff
from lineage.reading.graph import LineageGraph, event_ends
from lineage.reading.impact import Impact, ImpactGroup, is_live
from lineage.reading.lists import Page
from lineage.reading.reached import Reached
from lineage.reading.ways import Path, Paths
from lineage.viewing.text import (
    NODE_COLUMNS,
    address,
    details,
    label,
    link_text,
    moment,
    node_row,
    plain,
    side_text,
    state_of,
    table,
    tree,
    value_text,
)
from lineage.writing.removal.plan import RemovalPlan

__all__ = ["html_of", "impact_tables", "impact_tree", "path_lines", "removal_lines", "text_of"]

_MOST = 20
"""How many rows of a table are shown; more are counted."""
_MOST_LINES = 60
"""How many lines of a graph are shown."""


def text_of(answer: object) -> str:
    """Return what ``print(answer)`` shows."""
    match answer:
        case Node():
            return "\n".join(details(answer, [], lambda event: None, []))
        case Page():
            return _some_rows(*_page(answer), of=len(answer), more=answer.next_page_token is not None)
        case Comparison():
            return _some_rows(*_comparison(answer), of=len(answer.rows))
        case LineageGraph():
            return "\n".join(_graph(answer))
        case Path():
            return "\n".join(path_lines(answer))
        case Paths():
            return "\n".join(_paths(answer))
        case Reached():
            return _reached(answer)
        case Impact():
            return "\n".join(impact_tables(answer))
        case RunDiff():
            return "\n".join(_run_diff(answer))
        case StepDiff():
            return "\n".join(_step_diff(answer))
        case RemovalPlan():
            return "\n".join(removal_lines(answer))
        case ImpactGroup():
            return f"{plain(answer.name)}: {counted(len(answer.nodes), 'node')}, {counted(len(answer.ends), 'end')}"
        case _:
            raise TypeError(f"an answer of type {type(answer).__name__} has no text")


def html_of(answer: Page[Any] | Comparison) -> str:
    """Return the table of :func:`text_of` as HTML, for notebooks."""
    columns, rows = _page(answer) if isinstance(answer, Page) else _comparison(answer)
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows[:_MOST])
    more = f"<p>and {len(rows) - _MOST:,} more</p>" if len(rows) > _MOST else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _some_rows(columns: Sequence[str], rows: Sequence[Sequence[str]], *, of: int, more: bool = False) -> str:
    if not of:
        return "nothing"
    lines = [table(columns, rows[:_MOST], get_terminal_size((120, 24)).columns)]
    if of > _MOST:
        lines.append(f"and {of - _MOST:,} more")
    if more:
        lines.append("the list goes on: pass next_page_token as page_token")
    return "\n".join(lines)


def _page(page: Page[Any]) -> tuple[Sequence[str], list[list[str]]]:
    return NODE_COLUMNS, [node_row(node) for node in page.nodes]


def _comparison(comparison: Comparison) -> tuple[Sequence[str], list[list[str]]]:
    different = comparison.differences
    rows = [
        ["*" if row in different else "", row.field, side_text(row.left), side_text(row.right)]
        for row in comparison.rows
    ]
    return ("", "FIELD", address(comparison.left), address(comparison.right)), rows


def _graph(graph: LineageGraph) -> Iterator[str]:
    """Yield what is in a graph, and trees from what nothing in it made."""
    kinds = {"artifact": graph.artifacts, "execution": graph.executions, "context": graph.contexts}
    counts = [counted(len(nodes), what) for what, nodes in {**kinds, "event": graph.events}.items()]
    if graph.hidden_events:
        counts.append(counted(len(graph.hidden_events), "hidden event"))
    yield ", ".join(counts) + (" (cut by a limit)" if graph.is_cut else "")
    made = {(NodeKind.ARTIFACT, event.artifact_id) for event in graph.events if event.type in OUTPUT_EVENTS}
    fed = {(NodeKind.EXECUTION, event.execution_id) for event in graph.events if event.type in INPUT_EVENTS}
    after = made | fed | {target for targets in graph.through.values() for target in targets}
    nodes: list[Artifact | Execution] = [*graph.artifacts, *graph.executions]
    roots = [node for node in nodes if (node.kind, node.id) not in after] or nodes[:1]
    lines = tree(graph, roots, Direction.DOWNSTREAM)
    yield from islice(lines, _MOST_LINES)
    if next(lines, None) is not None:
        yield f"and more than these {_MOST_LINES} lines; to_html() draws it"


# --- ways -------------------------------------------------------------------------------------------------------------


def path_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a way: each node below the one that it came of, with the events between them."""
    yield label(path.nodes[0])
    for _, events, node in path.steps:
        hidden = len(set(map(event_ends, events))) - 1
        if hidden:
            yield f"-> [{counted(hidden, 'node')} hidden] {label(node)}"
            continue
        word = "used by" if isinstance(node, Execution) else "made"
        links = ", ".join(link_text(event) for event in events)
        yield f"-> {word} {label(node)}  [{links}]"


def _paths(paths: Paths) -> Iterator[str]:
    if not paths.paths:
        yield f"no way leads from {address(paths.start)} downstream to {address(paths.end)}"
        return
    of_events = f" of {counted(paths[0].hops, 'event')}" if paths.shortest else ""
    if paths.total is None:
        yield f"{counted(len(paths), 'way')}; there are more"
    elif paths.is_cut:
        yield f"{len(paths)} of {counted(paths.total, 'way')}{of_events}"
    else:
        yield f"{counted(len(paths), 'way')}{of_events}"
    for path in paths:
        yield ""
        yield from path_lines(path)


# --- nodes ------------------------------------------------------------------------------------------------------------


def _reached(reached: Reached) -> str:
    if not reached.nodes:
        return "none"
    rows = [[str(reached.hops_to(node)), *_cells(node)] for node in reached.nodes]
    return table(("HOPS", *_COLUMNS), rows)


_COLUMNS = ("ADDRESS", "TYPE", "NAME", "STATE", "CREATED", "URI")


def _cells(node: Artifact | Execution) -> list[str]:
    uri = node.uri or "" if isinstance(node, Artifact) else ""
    return [address(node), node.type or "", node.name or "", state_of(node), moment(node.create_time_ms), uri]


# --- differences ------------------------------------------------------------------------------------------------------


def _run_diff(diff: RunDiff) -> Iterator[str]:
    both = f"{label(diff.left)} and {label(diff.right)}"
    if diff.is_same:
        yield f"{both} are the same: {counted(len(diff.steps), 'step')}"
        return
    different = [step for step in diff.steps if step.status != "same"]
    yield f"{both} differ: {len(different)} of {counted(len(diff.steps), 'step')}"
    for step in different:
        yield ""
        yield from _step_diff(step)


def _step_diff(step: StepDiff) -> Iterator[str]:
    here = "  here they part" if step.is_first else ""
    left, right = step.left, step.right
    if left is None or right is None:
        only = left or right
        yield f"{step.status:7}  {'' if only is None else label(only)}{here}"
        return
    if left.id == right.id:
        yield f"{step.status:7}  {label(left)}{here}"
    else:
        yield f"{step.status:7}  {label(left)}"
        yield f"     ->  {label(right)}{here}"
    longest = max((len(plain(change.field)) for change in step.changes), default=0)
    for change in step.changes:
        delta = "" if change.delta is None else f"  ({change.delta:+.6g})"
        yield f"  {plain(change.field):{longest}}  {_side(change.left)} -> {_side(change.right)}{delta}"


def _side(value: object) -> str:
    if value is None:
        return "-"
    return label(value) if isinstance(value, Artifact) else value_text(value)


# --- impact -----------------------------------------------------------------------------------------------------------


def impact_tables(impact: Impact, width: int | None = None) -> Iterator[str]:
    """Yield what came of something as tables: the ends, by type, by context, by distance."""
    of = ", ".join(label(node) for node in impact.starts[:3])
    more = f" and {len(impact.starts) - 3} more" if len(impact.starts) > 3 else ""
    if not len(impact):
        yield f"nothing came of {of}{more}"
        return
    artifacts = sum(len(group.nodes) for group in impact.by_type if isinstance(group.nodes[0], Artifact))
    live = impact.live_ends
    yield (
        f"{counted(artifacts, 'artifact')} and {counted(len(impact) - artifacts, 'execution')} came of {of}{more}; "
        f"{counted(len(live), 'live end')}{' (cut by a limit)' if impact.is_cut else ''}"
    )
    ends = impact.ends
    rows = [[str(impact.graph.hops_to(node)), "yes" if is_live(node) else "no", *_cells(node)] for node in ends[:_MOST]]
    yield ""
    yield table(("HOPS", "LIVE", *_COLUMNS), rows, width)
    if len(ends) > _MOST:
        yield f"and {counted(len(ends) - _MOST, 'end')} more"
    for title, groups in (("TYPE", impact.by_type), ("CONTEXT", impact.by_context), ("DISTANCE", impact.by_distance)):
        if groups:
            yield ""
            yield table((title, "NODES", "ENDS", "HOPS", "FIRST", "LAST"), [*map(_row, groups[:_MOST])], width)
        if len(groups) > _MOST:
            yield f"and {counted(len(groups) - _MOST, title.lower())} more"


def _row(group: ImpactGroup) -> list[str]:
    hops = str(group.nearest) if group.nearest == group.farthest else f"{group.nearest} to {group.farthest}"
    ends = str(len(group.ends)) if group.ends else "-"
    return [group.name, str(len(group.nodes)), ends, hops, moment(group.first_ms), moment(group.last_ms)]


def impact_tree(impact: Impact) -> str:
    """Return what came of something, each node below what it came of."""
    starts: Sequence[Artifact | Execution] = impact.starts
    return "\n".join(tree(impact.graph, starts, Direction.DOWNSTREAM))


def removal_lines(plan: RemovalPlan, most: int | None = _MOST, *, refusal: str | None = None) -> Iterator[str]:
    """Yield a plan: what goes and why, what is cut, what that costs; at most so many rows of each, None for all.

    ``refusal`` says why it cannot be applied, in other words than Python's.
    """
    width = get_terminal_size((120, 24)).columns if most is not None else None
    kinds = [
        counted(count, kind.value.lower())
        for kind in NodeKind
        if (count := sum(node.kind is kind for node in plan.nodes))
    ]
    links = f" with {counted(plan.links, 'link')}" if plan.links else ""
    yield f"{plan.how} {counted(len(plan.nodes), 'node')}{links}{': ' if kinds else ''}{', '.join(kinds)}"
    if plan.done:
        yield f"{counted(plan.done, 'node')} more {'are' if plan.done > 1 else 'is'} so already"
    if plan.nodes:
        rows = [[node.address, node.type or "", node.name or "", node.why] for node in plan.nodes[:most]]
        yield ""
        yield table(["GOES", "TYPE", "NAME", "WHY"], rows, width)
        if most is not None and len(plan.nodes) > most:
            yield f"and {len(plan.nodes) - most:,} more"
    if plan.cut:
        yield ""
        yield (
            f"{counted(len(plan.cut), 'node')} would stay without all of what "
            f"{'it' if len(plan.cut) == 1 else 'they'} came from, and so would "
            f"{counted(plan.downstream, 'node')} further downstream"
        )
        rows = [
            [node.address, node.type or "", node.name or "", _some(node.lost, node.count)] for node in plan.cut[:most]
        ]
        yield table(["STAYS", "TYPE", "NAME", "CAME FROM"], rows, width)
        if most is not None and len(plan.cut) > most:
            yield f"and {len(plan.cut) - most:,} more"
    if plan.contractions:
        count = len(plan.contractions)
        yield ""
        stands = "stands" if count == 1 else "stand"
        yield f"{counted(count, 'lineage.Contracted execution')} {stands} for the ways through what goes"
    if plan.unheld:
        yield ""
        yield f"{counted(plan.unheld, 'membership')} in contexts that go end; the members stay"
    refusal = refusal or plan.refusal
    if refusal is not None:
        yield ""
        yield f"this cannot be applied: {refusal}"


def _some(names: Sequence[str], count: int) -> str:
    return ", ".join(names) + (f" and {count - len(names):,} more" if count > len(names) else "")
