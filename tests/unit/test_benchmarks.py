"""The benchmarks run. How fast anything is, they say themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import million
from benchmarks.__main__ import DOCUMENT, RUNS, main
from benchmarks.report import recorded
from benchmarks.sides import NEO4J_GOALS, SIDES
from benchmarks.workloads import WORKLOADS
from lineage import open_store


def test_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.md"
    assert main(["scale", "--quick", "--only", "filter-name", "--only", "put-exec*", "--markdown", str(report)]) == 0
    assert "put-execution" in capsys.readouterr().out
    assert "| filter-name | 1 |" in report.read_text(encoding="utf-8")


@pytest.mark.differential
@pytest.mark.filterwarnings("ignore")  # ml-metadata's own
def test_compare(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--only", "record-step", "--only", "lineage-2"]) == 0
    out = capsys.readouterr().out
    assert "record-step" in out
    assert "10+9" in out


@pytest.mark.differential
@pytest.mark.mariadb
@pytest.mark.neo4j
@pytest.mark.filterwarnings("ignore")  # ml-metadata's own
def test_neo4j_and_mariadb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["neo4j", "--quick", "--only", "record-step"]) == 0
    assert "put_execution" in capsys.readouterr().out


def test_goals_on_neo4j_are_of_workloads() -> None:
    goals = {workload.name: SIDES["neo4j"].goal(workload) for workload in WORKLOADS}
    assert goals.items() >= NEO4J_GOALS.items()
    assert goals["by-uri"] == 1


def test_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--alone", "--check", "--only", "create-1"]) == 0
    assert "ok" not in capsys.readouterr().out.split()


def test_recorder(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recorder", "--quick"]) == 0
    assert "SQLite" in capsys.readouterr().out


def test_layout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "--quick"]) == 0
    assert "crossings" in capsys.readouterr().out


def test_questions(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["questions", "--quick"]) == 0
    assert "2^60 ways counted" in capsys.readouterr().out


def test_import(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--quick"]) == 0
    printed = capsys.readouterr().out
    assert "a store" in printed
    assert "lineage --help" in printed


def test_grpc(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grpc", "--quick", "--only", "memory-1"]) == 0
    assert "ms a call" in capsys.readouterr().out


@pytest.mark.slow
def test_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts", "--quick"]) == 0
    assert "iter_upstream, grpc" in capsys.readouterr().out


def test_a_run_is_recorded_in_its_place() -> None:
    document = "before\n<!-- run: a -->\nold\n<!-- end -->\nbetween\n<!-- run: b -->\nb\n<!-- end -->\nafter\n"
    assert recorded(document, "a", "new\n") == document.replace("old", "new")
    with pytest.raises(ValueError, match="no place for a run of 'c'"):
        recorded(document, "c", "new\n")


def test_every_run_has_its_place() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    for what in (*SIDES, *RUNS):
        assert recorded(document, what, "new\n") != document


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 2), (51, 3), (99, 4), (100, 4)])
def test_percentile(percent: float, value: float) -> None:
    from benchmarks.grpc_load import percentile  # needs protobuf, as the call above does

    assert percentile([4, 2, 3, 1], percent) == value


def test_million_on_one_pipeline() -> None:
    graph = million.Graph(2 * million.STEPS_IN_PIPELINE)
    with open_store("memory:") as full, open_store("memory:") as empty:
        tables, _ = million.measure(full, empty, graph, rounds=1, seconds=0.002)
    text = "".join(table.markdown() for table in tables)
    assert "| artifacts | 6,668 |" in text
    assert "| events | 13,334 |" in text
    assert "| all downstream | 10,000 |" in text
    assert "| put a step |" in text


def test_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--profile", "create-1"]) == 0
    assert "tottime" in capsys.readouterr().out


def test_unknown_workload() -> None:
    with pytest.raises(SystemExit, match="no workload is called 'nonsense'"):
        main(["--only", "nonsense"])
