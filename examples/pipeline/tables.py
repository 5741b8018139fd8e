"""Answers as tables that fit into 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

import networkx as nx
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from examples.pipeline.tracking import Run
from lineage import Artifact, Comparison, Context, Execution, ExecutionState, LineageGraph

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
        case ExecutionState():
            return value.name
        case Artifact() | Execution() | Context():
            return value.name or f"{value.type} {value.id}"
        case list():
            return "\n".join(map(text_of, value)) or "-"
        case _:
            return str(value)


def show_question(question: str, call: str) -> None:
    console.print(Text(f"\n{question}", "bold"))
    console.print(Text(f">>> {call}".replace("\n", "\n... "), "cyan"), soft_wrap=True)
    console.print()


def show_runs(runs: Sequence[Run]) -> None:
    """Print what happened to each step of each run."""
    for run in runs:
        console.print(Text(f"{run.name}: {run.note}"))
    console.print()
    show(("step", *(run.name for run in runs)), [(step, *(run.done[step] for run in runs)) for step in runs[0].done])


def show_artifacts(artifacts: Iterable[Artifact]) -> None:
    """Print artifacts of one type with their properties."""
    artifacts = list(artifacts)
    keys = sorted(artifacts[0].properties) if artifacts else []
    show(("id", "name", *keys), [(each.id, each, *(each.properties.get(key) for key in keys)) for each in artifacts])


def show_comparison(comparison: Comparison) -> None:
    different = {row.field for row in comparison.differences}
    show(
        ("", text_of(comparison.left), text_of(comparison.right), ""),
        [(row.field, row.left, row.right, "<- differs" if row.field in different else "") for row in comparison.rows],
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
        ("run", "note", "steps that ran", "steps reused", "artifacts"),
        [
            (
                name,
                next(each.properties["note"] for each in graph.contexts if each.type == "Run" and each.name == name),
                count(graph, ExecutionState.COMPLETE),
                count(graph, ExecutionState.CACHED),
                len(graph.artifacts),
            )
            for name, graph in graphs.items()
        ],
    )
