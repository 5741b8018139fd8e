"""`make demo`: the second run reuses what it can, and every question is answered with what the runs made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "examples" / "pipeline_demo.py"


def run_demo(*arguments: str, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEMO), *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"},
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def output(workdir: Path) -> str:
    done = run_demo("--workdir", str(workdir))
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


REUSED = ("ingest", "validate", "split", "train-small", "evaluate-small", "train-medium", "evaluate-medium")
RAN_TWICE = ("train-large", "evaluate-large", "choose", "push")


def test_second_run_reuses_what_did_not_change(output: str) -> None:
    steps = {
        match[1]: (match[2], match[3])
        for match in re.finditer(r"^([a-z-]+) +(ran|reused) +\d+ ms +(ran|reused) +\d+ ms", output, re.MULTILINE)
    }
    assert steps == {
        **dict.fromkeys(REUSED, ("ran", "reused")),
        **dict.fromkeys(RAN_TWICE, ("ran", "ran")),
    }


def test_artifacts_of_a_type(answers: dict[str, str]) -> None:
    answer = answer_to(answers, 'get_artifacts_by_type("Model")')
    assert re.findall(r"run-\d/[a-z-]+", answer) == [
        "run-1/model-small",
        "run-1/model-medium",
        "run-1/model-large",
        "run-2/model-large",
    ]


def test_comparison_shows_the_parameter_and_the_model(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "compare_executions")
    differing = [line.split()[0] for line in answer.splitlines() if line.rstrip().endswith("<- differs")]
    assert differing == ["properties.max_depth", "outputs.model.0"]


def test_graph_of_a_run_comes_in_order(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "store.get_context_graph(run)")
    lines = [line for line in answer.splitlines() if re.search(r"CACHED|COMPLETE", line)]
    states = dict(re.findall(r"run-2/([a-z-]+) +(CACHED|COMPLETE)", answer))
    assert states == {**dict.fromkeys(REUSED, "CACHED"), **dict.fromkeys(RAN_TWICE, "COMPLETE")}
    made: set[str] = {"-"}
    for line in lines:
        columns = line.split()
        assert columns[0] in made, f"{line} reads what no step above it made"
        made.add(columns[3])
        made |= {"run-1/test"} if "/split" in line else set()


def test_origin_of_the_pushed_model(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "store.upstream(pushed")
    for name in ("run-1/ingest", "run-1/raw", "run-1/split", "run-2/train-large", "run-2/push", "run-2/pushed"):
        assert name in answer
    assert "run-2/ingest" not in answer, "a reused step is not part of how it came to be"
    assert "run-1/model-large" not in answer, "the model of before played no part"
    assert re.search(r"^0 +Artifact +run-2/pushed", answer, re.MULTILINE)


def test_everything_made_from_the_raw_data(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "store.downstream(raw)")
    for name in ("run-1/statistics", "run-1/model-small", "run-2/model-large", "run-1/pushed", "run-2/pushed"):
        assert name in answer


def test_has_this_step_run_before(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "find_executions_by_inputs")
    found = dict(re.findall(r"^(\d) +(\S+)", answer, re.MULTILINE))
    assert found == {"4": "run-1/train-large", "5": "-", "6": "run-2/train-large"}


def test_contents_of_each_run(answers: dict[str, str]) -> None:
    answer = answer_to(answers, "get_children_contexts_by_context")
    assert re.search(r"^run-1 .* 11 +0 +12", answer, re.MULTILINE)
    assert re.search(r"^run-2 .* 4 +7 +12", answer, re.MULTILINE)


def test_filters_over_properties_and_neighbours(answers: dict[str, str]) -> None:
    assert re.findall(r"run-\d/\S+", answer_to(answers, "properties.accuracy.double_value")) == ["run-2/metrics-large"]
    never_pushed = answer_to(answers, "NOT EXISTS(events_use.path[0].key = 'chosen')")
    assert "run-1/model-small" in never_pushed
    assert "run-2/model-large" not in never_pushed


@pytest.mark.parametrize("columns", [80, 120])
def test_lines_fit(columns: int, output: str) -> None:
    lines = (output if columns == 80 else run_demo(columns=columns).stdout).splitlines()
    tables = [line for line in lines if not line.startswith((">>> ", "... "))]
    assert max(map(len, tables)) <= columns
    assert not [line for line in tables if "…" in line], "nothing is cut off"


def test_models_are_in_the_work_folder(workdir: Path, output: str) -> None:
    assert output
    assert [file.name for file in sorted((workdir / "served").iterdir())] == ["v1.joblib", "v2.joblib"]


def test_unknown_store_is_a_clear_error() -> None:
    done = run_demo("--store", "memry:")
    assert done.returncode == 2
    assert "did you mean 'memory'?" in done.stderr
    assert "Traceback" not in done.stderr
