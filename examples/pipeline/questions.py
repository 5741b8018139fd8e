"""The questions that a record of lineage answers, each with the call that answers it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar, cast

from examples.pipeline import tables
from lineage import Artifact, Context, Execution, Store

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


def ask_all(store: Store, pipeline_name: str, first: str, second: str) -> None:
    """Ask everything about two runs of a pipeline. What the calls need is looked up first."""
    pipeline = known(store.get_context_by_type_and_name("Pipeline", pipeline_name))
    run = known(store.get_context_by_type_and_name("Run", second))
    before = known(store.get_execution_by_type_and_name("Train", f"{first}/train-large"))
    after = known(store.get_execution_by_type_and_name("Train", f"{second}/train-large"))
    # An artifact is named after the run that made it first, which may be an earlier one.
    raw, train, pushed = (
        ending_with(name, store.get_artifacts_by_context(id_of(run))) for name in ("/raw", "/train", "/pushed")
    )

    ask(
        "Which models are there?",
        lambda: store.get_artifacts_by_type("Model"),
        tables.show_artifacts,
    )
    ask(
        "What differs between two trainings?",
        lambda: store.compare_executions(before, after),
        tables.show_comparison,
    )
    ask(
        f"What is in {second}, and how does it hang together?",
        lambda: store.get_context_graph(run),
        tables.show_graph,
    )
    ask(
        "How did the pushed model come to be, back to the raw data? (through what ran, not through reuse)",
        lambda: store.upstream(pushed, ending_executions="last_known_state = CACHED"),
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
            depth: store.find_executions_by_inputs(
                "Train", [id_of(train)], properties={"trees": 100, "max_depth": depth, "seed": 1}
            )
            for depth in (4, 5, 6)
        },
        tables.show_found,
    )
    ask(
        "What does each run of the pipeline contain?",
        lambda: {
            each.name: store.get_context_graph(each) for each in store.get_children_contexts_by_context(id_of(pipeline))
        },
        tables.show_contents,
    )
    ask(
        f"Which metrics of {second} are good, and are not known from {first} already?",
        lambda: store.list_artifacts(
            "properties.accuracy.double_value > 0.93"
            f" AND contexts_run.type = 'Run' AND contexts_run.name = '{second}'"
            f" AND NOT EXISTS(contexts_other.name = '{first}')",
            type="Metrics",
        ),
        tables.show_artifacts,
    )
    ask(
        "Which models were never pushed?",
        lambda: store.list_artifacts("type = 'Model' AND NOT EXISTS(events_use.path[0].key = 'chosen')"),
        tables.show_artifacts,
    )


def known(node: Node | None) -> Node:
    """Return a node that must be there."""
    if node is None:
        raise LookupError("the record is incomplete")
    return node


def ending_with(name: str, artifacts: Iterable[Artifact]) -> Artifact:
    """Return the artifact whose name ends so."""
    return known(next((artifact for artifact in artifacts if (artifact.name or "").endswith(name)), None))


def id_of(node: Artifact | Context) -> int:
    """Return the id, which every node that was read from a store has."""
    return cast(int, node.id)
