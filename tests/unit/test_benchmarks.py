"""The benchmarks run. How fast anything is, they say themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import million
from benchmarks.__main__ import main
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


def test_million_on_one_pipeline() -> None:
    graph = million.Graph(2 * million.STEPS_IN_PIPELINE)
    with open_store() as full, open_store() as empty:
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
