"""Answers as tables that fit into 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import networkx as nx
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from lineage import Artifact, Context, Execution, ExecutionState, LineageGraph, RunDiff, Store

console = Console(highlight=False)


def show(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table."""
    table = Table(
        *columns, box=SIMPLE_HEAD, show_edge=False, pad_edge=False, collapse_padding=True, header_style="bold"
    )
    for row in rows:
        table.add_row(*(Text(text_of(value)) for value in row))
    console.print(table)


def text_of(value: Any) -> str:
    """Return what a value looks like in a table."""
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.4g}"
        case Artifact():
            return f"{Path(value.uri).name} ({value.id})"
        case Execution():
            return f"{value.type} ({value.id})"
        case Context():
            return str(value.name)
        case list():
            return "\n".join(map(text_of, value)) or "-"
        case _:
            return str(value)


def show_question(question: str, call: str) -> None:
    console.print(Text(f"\n{question}", "bold"))
    console.print(Text(f">>> {call}".replace("\n", "\n... "), "cyan"), soft_wrap=True)
    console.print()


def show_run(store: Store, run: Context, note: str) -> None:
    """Print what happened to each step of a run."""
    console.print(Text(f"\n{run.name}: {note}"))
    rows: list[tuple[object, ...]] = []
    for step in store.get_executions_by_context(run):
        values = {key: value for key, value in step.properties.items() if key not in ("folder", "destination")}
        milliseconds = f"{1e3 * float(str(step.custom_properties['duration_s'])):4.0f} ms"
        rows.append(
            (
                step,
                step.last_known_state,
                milliseconds,
                ", ".join(f"{k}={text_of(v)}" for k, v in sorted(values.items())),
            )
        )
    show(("step", "state", "time", "parameters and metrics"), rows)


def show_artifacts(artifacts: Iterable[Artifact]) -> None:
    """Print artifacts of one type with their properties."""
    artifacts = list(artifacts)
    keys = sorted(artifacts[0].properties) if artifacts else []
    show(("file", *keys), [(each, *(each.properties.get(key) for key in keys)) for each in artifacts])


def show_differences(diff: RunDiff) -> None:
    show(
        ("", text_of(diff.steps[0].left), text_of(diff.steps[0].right)),
        [(each.field, each.left, each.right) for each in diff.steps[0].changes if "custom" not in each.field],
    )


def show_graph(graph: LineageGraph) -> None:
    """Print a graph step by step, each after those whose outputs it reads."""
    flow = graph.to_networkx()
    show(
        ("reads", "step", "state", "makes"),
        [
            (
                [flow.nodes[source]["record"] for source in flow.predecessors(node) if source[0] == "Artifact"],
                flow.nodes[node]["record"],
                flow.nodes[node]["record"].last_known_state,
                [flow.nodes[target]["record"] for target in flow.successors(node)],
            )
            for node in nx.topological_sort(flow)
            if node[0] == "Execution"
        ],
    )


def show_by_hops(graph: LineageGraph) -> None:
    """Print a graph from the farthest nodes to the starting artifact."""
    nodes: list[Artifact | Execution] = [*graph.artifacts, *graph.executions]
    nodes.sort(key=graph.hops_to, reverse=True)
    show(
        ("hops", "kind", "names"),
        [
            (hops, group[0].kind, ", ".join(map(text_of, group)))
            for hops, group in ((hops, list(group)) for hops, group in groupby(nodes, key=graph.hops_to))
        ],
    )


def show_by_type(graph: LineageGraph) -> None:
    nodes = sorted(graph.artifacts, key=lambda artifact: (graph.hops_to(artifact), artifact.type))
    by_type: dict[str | None, list[str]] = {}
    for artifact in nodes:
        by_type.setdefault(artifact.type, []).append(text_of(artifact))
    show(("type", "artifacts"), [(type_name, ", ".join(names)) for type_name, names in by_type.items()])


def show_found(found: Mapping[int, list[Execution]]) -> None:
    show(("max_depth", "executions, newest first"), list(found.items()))


def show_contents(graphs: Mapping[str | None, LineageGraph]) -> None:
    def count(graph: LineageGraph, state: ExecutionState) -> int:
        return sum(execution.last_known_state is state for execution in graph.executions)

    show(
        ("run", "steps that ran", "steps reused", "artifacts"),
        [
            (
                name,
                count(graph, ExecutionState.COMPLETE),
                count(graph, ExecutionState.CACHED),
                len(graph.artifacts),
            )
            for name, graph in graphs.items()
        ],
    )
