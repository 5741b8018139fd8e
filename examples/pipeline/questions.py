"""The questions that a record of lineage answers, each with the call that answers it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from examples.pipeline import tables
from lineage import Artifact, Context, Ending, Execution, Store

Answer = TypeVar("Answer")
Node = TypeVar("Node", Artifact, Execution, Context)


def ask(question: str, call: Callable[[], Answer], show: Callable[[Answer], None]) -> None:
    """Print a question, the call that answers it, and the answer."""
    tables.show_question(question, source_of(call))
    show(call())


def source_of(call: Callable[[], object]) -> str:
    """Return the text of a lambda's body: what is shown is what runs. Every lambda stands on a line of its own."""
    code = call.__code__
    source = Path(code.co_filename).read_text(encoding="utf-8")
    [body] = [
        node.body
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno
    ]
    return inspect.cleandoc(ast.get_source_segment(source, body) or "")


def ask_all(store: Store, pipeline_name: str, before: Context, run: Context) -> None:
    """Ask everything about two runs of a pipeline. What the calls need is looked up first."""
    pipeline = known(store.get_context_by_type_and_name("Pipeline", pipeline_name))
    in_run = f"contexts_run.name = '{run.name}'"
    raw, train = (file(store, f"{name}.csv", in_run) for name in ("raw", "train"))
    [pushed] = store.list_artifacts(f"type = 'PushedModel' AND {in_run}")
    first, second = (
        store.list_executions(f"properties.trees.int_value = 100 AND contexts_run.name = '{each.name}'", type="Train")[
            0
        ]
        for each in (before, run)
    )

    ask(
        "Which models are there?",
        lambda: store.list_artifacts(type="Model"),
        tables.show_artifacts,
    )
    ask(
        "What differs between two trainings?",
        lambda: store.diff(first, second),
        tables.show_differences,
    )
    ask(
        f"What is in {run.name}, and how does it hang together?",
        lambda: store.get_context_graph(run),
        tables.show_graph,
    )
    ask(
        "How did the pushed model come to be, back to the raw data? (through what ran, not through reuse)",
        lambda: store.upstream(pushed, ending_executions=Ending("last_known_state = CACHED", include=False)),
        tables.show_by_hops,
    )
    ask(
        "What was made from the raw data?",
        lambda: store.downstream(raw),
        tables.show_by_type,
    )
    ask(
        "Has this step run before, on exactly these inputs and parameters?",
        lambda: {
            depth: store.find_executions_by_inputs("Train", [train], properties={"trees": 100, "max_depth": depth})
            for depth in (4, 5, 6)
        },
        tables.show_found,
    )
    ask(
        "What does each run of the pipeline contain?",
        lambda: {each.name: store.get_context_graph(each) for each in store.get_children_contexts_by_context(pipeline)},
        tables.show_contents,
    )
    ask(
        f"Which metrics of {run.name} are good?",
        lambda: store.list_artifacts(f"properties.accuracy.double_value > 0.93 AND {in_run}", type="Metrics"),
        tables.show_artifacts,
    )
    ask(
        "Which models were never pushed?",
        lambda: store.list_artifacts("type = 'Model' AND NOT EXISTS(events_use.path[0].key = 'chosen')"),
        tables.show_artifacts,
    )


def file(store: Store, name: str, condition: str) -> Artifact:
    """Return the artifact whose file has this name."""
    return known(next(iter(store.list_artifacts(f"uri LIKE '%/{name}' AND {condition}")), None))


def known(node: Node | None) -> Node:
    """Return a node that must be there."""
    if node is None:
        raise LookupError("the record is incomplete")
    return node
