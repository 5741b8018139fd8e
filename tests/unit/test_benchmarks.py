"""The benchmarks run. How fast anything is, they say themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import main


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


@pytest.mark.neo4j
@pytest.mark.slow
def test_million(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.md"
    assert main(["million", "--quick", "--heap", "512m", "--markdown", str(report)]) == 0
    assert "3 hops upstream" in capsys.readouterr().out
    text = report.read_text(encoding="utf-8")
    assert "| events | 7,998 |" in text
    assert "| put a step |" in text


def test_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--quick", "--profile", "create-1"]) == 0
    assert "tottime" in capsys.readouterr().out


def test_unknown_workload() -> None:
    with pytest.raises(SystemExit, match="no workload is called 'nonsense'"):
        main(["--only", "nonsense"])
