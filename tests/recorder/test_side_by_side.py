"""docs/side_by_side.md: the grid in three tools. Our part runs with the code of all documents (tests/unit)."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "side_by_side.md").read_text(encoding="utf-8")
MLFLOW = ROOT / ".side-by-side" / "bin" / "python"
SETUP, *OURS, _ = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def blocks(tool: str) -> list[str]:
    return re.findall(rf"^```py {tool}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def lines(block: str) -> int:
    return len(block.splitlines())


def test_the_table_counts_the_lines() -> None:
    counted = [[lines(block) for block in tool] for tool in (OURS, blocks("mlflow"), blocks("wandb"))]
    for row, words in enumerate(("to record", "to ask the four questions")):
        assert f"| {words} | {' | '.join(str(tool[row]) for tool in counted)} |" in PAGE


def test_no_more_lines_than_wandb_to_record_and_than_mlflow_to_ask() -> None:
    assert lines(OURS[0]) <= lines(blocks("wandb")[0])
    assert lines(OURS[1]) <= lines(blocks("mlflow")[1])


@pytest.mark.parametrize("tool", ["mlflow", "wandb"])
def test_the_others_are_python_of_lines_as_long_as_ours(tool: str) -> None:
    longest = max(len(line) for block in OURS for line in block.splitlines())
    for block in blocks(tool):
        ast.parse(block)
        assert max(map(len, block.splitlines())) <= max(longest, 120)


@pytest.mark.skipif(not MLFLOW.exists(), reason="MLflow is not installed: make side-by-side")
def test_mlflow_gives_the_same_answers(tmp_path: Path) -> None:
    setup = SETUP.replace("import lineage\n", "import mlflow, pandas as pd\n")
    program = "\n".join([setup, "mlflow.set_tracking_uri('sqlite:///mlflow.db')", *blocks("mlflow")])
    done = subprocess.run(
        [str(MLFLOW), "-W", "ignore", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:3] == ["{'accuracy': 1.0} {'rate': '0.1', 'depth': '2'}", "['v2.csv']", "8"]
    assert re.findall(r"(\d\.\d+) +0\.1 +2$", done.stdout, re.MULTILINE) == ["0.96", "1.00"]
