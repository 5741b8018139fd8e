"""Notebooks that record, run by a real kernel: a cell run twice, one that fails, a kernel that is restarted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import v4

import lineage
from lineage import ExecutionState, Store

_nbformat: Any = v4  # its functions are without types
BEGIN = 'import lineage\nrec = lineage.record("lineage.db", run="notebook")'
TRAIN = """
with rec.step("Train", params={"rate": 0.1}) as step:
    step.use("data.csv", type="DataSet")
    step.metric("accuracy", 0.97)
"""
FAIL = """
with rec.step("Train") as step:
    raise ValueError("the loss is not finite")
"""
INTERRUPTED = """
import _thread, time
with rec.step("Train") as step:
    _thread.interrupt_main()
    time.sleep(60)
"""
REUSED = """
from pathlib import Path
from typing import Annotated

@rec.step("Count", reuse=True)
def count(data: Annotated[Path, lineage.Input("DataSet")]) -> Annotated[Path, lineage.Output("Report")]:
    print("counting")
    Path("report").write_text(data.read_text())
    return Path("report")

count("data.csv").uri.rpartition("/")[2]
"""
GRAPH = "rec.store.upstream(rec.store.list_artifacts()[0])"
KILL = """
import os, signal
with rec.step("Train") as step:
    os.kill(os.getpid(), signal.SIGKILL)
"""


class Notebook:
    """A notebook whose cells are run in any order, as often as one likes."""

    def __init__(self, folder: Path) -> None:
        self._notebook = _nbformat.new_notebook()
        self.client = NotebookClient(
            self._notebook,
            timeout=300,
            startup_timeout=300,
            allow_errors=False,
            resources={"metadata": {"path": str(folder)}},
        )

    def run(self, code: str) -> Any:
        """Run a cell; return its outputs. Raises CellExecutionError."""
        cells = self._notebook.cells
        cell = next((each for each in cells if each.source == code), None)
        if cell is None:
            cell = _nbformat.new_code_cell(code)
            cells.append(cell)
        return self.client.execute_cell(cell, cells.index(cell)).outputs


@pytest.fixture
def notebook(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    paths = [str(Path(lineage.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv("IPYTHONDIR", str(folder / "ipython"))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = Notebook(folder)
    with notebook.client.setup_kernel():
        notebook.run(BEGIN)
        yield notebook


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with lineage.open_store("lineage.db") as opened:
        yield opened


def states(store: Store) -> list[ExecutionState | None]:
    return [each.last_known_state for each in store.list_executions(order_by="ID")]


def test_a_cell_that_is_run_twice_records_two_steps_on_one_input(store: Store, notebook: Notebook) -> None:
    for _ in range(2):
        notebook.run(TRAIN)
    notebook.run(BEGIN)  # and the run goes on
    notebook.run(TRAIN)
    assert states(store) == [ExecutionState.COMPLETE] * 3
    assert len(store.list_artifacts()) == 1
    [run] = store.list_contexts(type="Run")
    assert len(store.get_executions_by_context(run)) == 3


def test_an_exception_in_the_middle_is_recorded_and_the_next_cell_goes_on(store: Store, notebook: Notebook) -> None:
    with pytest.raises(CellExecutionError, match="the loss is not finite"):
        notebook.run(FAIL)
    notebook.run(TRAIN)
    assert states(store) == [ExecutionState.FAILED, ExecutionState.COMPLETE]
    failed = store.list_executions(order_by="ID")[0]
    assert failed.custom_properties["error_message"] == "the loss is not finite"


def test_an_interrupted_cell_is_canceled(store: Store, notebook: Notebook) -> None:
    with pytest.raises(CellExecutionError, match="KeyboardInterrupt"):
        notebook.run(INTERRUPTED)
    notebook.run(TRAIN)
    assert states(store) == [ExecutionState.CANCELED, ExecutionState.COMPLETE]


def test_a_kernel_that_is_restarted_goes_on_with_the_run(store: Store, notebook: Notebook) -> None:
    notebook.run(TRAIN)
    with pytest.raises(DeadKernelError):
        notebook.run(KILL)
    with Notebook(Path.cwd()).client.setup_kernel():
        pass  # another kernel that records nothing changes nothing
    restarted = Notebook(Path.cwd())
    with restarted.client.setup_kernel():
        restarted.run(BEGIN)
        restarted.run(TRAIN)
    assert states(store) == [ExecutionState.COMPLETE, ExecutionState.RUNNING, ExecutionState.COMPLETE]
    assert len(store.list_contexts(type="Run")) == 1
    assert len(store.list_artifacts()) == 1, "the same data"


def test_a_function_in_a_cell_that_is_run_again_is_reused(store: Store, notebook: Notebook) -> None:
    first, again = notebook.run(REUSED), notebook.run(REUSED)
    assert any("counting" in str(each) for each in first)
    assert "report" in str(again)
    assert states(store) == [ExecutionState.COMPLETE, ExecutionState.CACHED]


def test_a_graph_that_is_the_value_of_a_cell_draws_itself(notebook: Notebook) -> None:
    notebook.run(TRAIN)
    [shown] = notebook.run(GRAPH)
    assert "data:image/svg+xml" in shown["data"]["text/html"]
