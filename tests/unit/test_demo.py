"""`make demo`: the second run reuses what it can, and every question is answered with what the runs made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lineage

DEMO = Path(__file__).parents[2] / "examples" / "pipeline_demo.py"


def run_demo(*arguments: str, columns: int = 80, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEMO), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"},
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def output(workdir: Path) -> str:
    done = run_demo("--store", "memory:", "--workdir", str(workdir))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def answers(output: str) -> dict[str, str]:
    """The text under each call, by the start of the call."""
    answers: dict[str, str] = {}
    for block in re.split(r"^>>> ", output, flags=re.MULTILINE)[1:]:
        call, answer = block.split("\n\n", 1)
        answers[re.sub(r"\n\.\.\. +", "", call)] = answer
    return answers


def answer_to(answers: dict[str, str], call: str) -> str:
    [found] = [answer for known, answer in answers.items() if call in known]
    return found.split("\n\n")[0]


STATES = {
    "run-1": ["COMPLETE"] * 10,
    "run-2": ["CACHED"] * 5 + ["COMPLETE"] * 5,
}


def test_second_run_reuses_what_did_not_change(output: str) -> None:
    for run, states in STATES.items():
        table = re.split(rf"^tumours/{run}: .*\n", output, flags=re.MULTILINE)[1].split("\n\n")[0]
        rows = re.findall(r"^(\w+) \(\d+\) +(COMPLETE|CACHED) +\d+ ms", table, re.MULTILINE)
        assert [step for step, _ in rows] == [
            "Ingest", "Validate", "Split", "Train", "Train", "Train", "Evaluate", "Evaluate", "Evaluate", "Push",
        ]  # fmt: skip
        assert [state for _, state in rows] == states


def test_artifacts_of_a_type(answers: dict[str, str]) -> None:
    answer = answer_to(answers, 'store.list_artifacts(type="Model")')
    assert re.findall(r"model-[\d-]+", answer) == ["model-5-1", "model-50-3", "model-100-4", "model-100-6"]


def test_differences_are_the_parameter_and_the_model(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "store.diff(first, second)")
    assert [line.split()[0] for line in answer.splitlines() if re.match(r"properties|outputs", line)] == [
        "properties.max_depth",
        "outputs.result.0",
    ]


def test_graph_of_a_run_comes_in_order(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "store.get_context_graph(run)")
    lines = [line for line in answer.splitlines() if re.search(r"CACHED|COMPLETE", line)]
    assert [re.findall(r"CACHED|COMPLETE", line)[0] for line in lines] == STATES["run-2"]
    made = set(re.findall(r"(\S+\.\w+)(?: \(\d+\))?\s*$", answer, re.MULTILINE))
    assert {"raw.csv", "train.csv", "test.csv", "model-100-6.joblib", "v2.joblib"} <= made


def test_origin_of_the_pushed_model(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "store.upstream(pushed")
    for name in ("Ingest (1)", "raw.csv", "Split (3)", "Train (16)", "Push (20)", "model-100-6.joblib"):
        assert name in answer
    assert "Ingest (11)" not in answer, "a reused step is not part of how it came to be"
    assert "model-100-4.joblib" not in answer, "the model of before played no part"
    assert re.search(r"^0 +Artifact +v2.joblib", answer, re.MULTILINE)


def test_equal_metrics_of_two_runs_keep_their_own_provenance(workdir: Path) -> None:
    """The small model was measured twice, at the same: each Metrics came of its own step alone."""
    store_file = workdir / "provenance.db"
    assert run_demo("--store", str(store_file), "--workdir", str(workdir / "provenance")).returncode == 0
    with lineage.open_store(store_file, read_only=True) as store:
        first, second = store.list_artifacts("uri LIKE '%/metrics-model-5-1.json'", order_by="ID")
        assert first.custom_properties["digest"] == second.custom_properties["digest"]
        makers = [store.upstream(each, max_hops=1).executions for each in (first, second)]
        assert [len(each) for each in makers] == [1, 1]
        assert makers[0][0].id != makers[1][0].id


def test_everything_made_from_the_raw_data(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "store.downstream(raw)")
    for name in ("statistics.json", "model-5-1.joblib", "model-100-6.joblib", "v1.joblib", "v2.joblib"):
        assert name in re.sub(r"\s+", " ", answer)


def test_has_this_step_run_before(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "find_executions_by_inputs")
    found = dict(re.findall(r"^(\d) +(Train \(\d+\)|-)", answer, re.MULTILINE))
    assert found == {"4": "Train (6)", "5": "-", "6": "Train (16)"}


def test_contents_of_each_run(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "get_children_contexts_by_context")
    assert re.search(r"^tumours/run-1 +10 +0 +11", answer, re.MULTILINE)
    assert re.search(r"^tumours/run-2 +5 +5 +11", answer, re.MULTILINE)


def test_filters_over_properties_and_neighbours(answers: dict[str, str]) -> None:
    good = answer_to(answers, "properties.accuracy.double_value")
    assert "metrics-model-100-6.json" in good
    assert "metrics-model-5-1.json" not in good
    never_pushed = answer_to(answers, "NOT EXISTS(events_use.path[0].key = 'chosen')")
    assert "model-5-1.joblib" in never_pushed
    assert "model-100-6.joblib" not in never_pushed


@pytest.mark.parametrize("columns", [80, 120])
def test_lines_fit(columns: int, output: str) -> None:
    lines = (output if columns == 80 else run_demo("--store", "memory:", columns=columns).stdout).splitlines()
    tables = [line for line in lines if not line.startswith((">>> ", "... "))]
    assert max(map(len, tables)) <= columns
    assert not [line for line in tables if "…" in line], "nothing is cut off"


def test_models_are_in_the_work_folder(workdir: Path, output: str) -> None:
    assert output
    assert [file.name for file in sorted((workdir / "served").iterdir())] == ["v1.joblib", "v2.joblib"]


def test_the_record_lasts_and_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is the file lineage.db: a second demo finds the runs of the first, and adds its own."""
    monkeypatch.delenv("LINEAGE_STORE", raising=False)
    for _ in range(2):
        done = run_demo(folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith(f"All of it is in {tmp_path / 'lineage.db'}, and more with each run.\n")
    with lineage.open_store(tmp_path / "lineage.db", read_only=True) as store:
        assert [each.name for each in store.get_contexts_by_type("Run")] == [f"tumours/run-{n}" for n in (1, 2, 3, 4)]


def test_unknown_store_is_a_clear_error() -> None:
    done = run_demo("--store", "memry:")
    assert done.returncode == 2
    assert "did you mean 'memory'?" in done.stderr
    assert "Traceback" not in done.stderr
