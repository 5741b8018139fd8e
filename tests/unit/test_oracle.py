"""Where the reference implementation is not installed: what needs it is skipped, fails on CI, and is counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import oracle

ROOT = Path(__file__).parents[2]
ONE = "tests/unit/cypher/test_scalar.py::test_the_reference_agrees"


@pytest.mark.parametrize(
    ("ci", "outcome", "last_line"), [("", "SKIPPED [1]", "1 skipped"), ("true", "ERROR", "1 error")]
)
def test_what_needs_it_is_skipped_and_on_ci_it_fails(tmp_path: Path, ci: str, outcome: str, last_line: str) -> None:
    (tmp_path / "without.py").write_text("import tests.oracle\ntests.oracle.is_here = lambda: False\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "without", "-p", "no:cacheprovider", ONE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in result.stdout
    assert oracle.ABSENT in result.stdout
    assert result.stdout.splitlines()[-1].startswith(last_line)


def test_the_last_lines_say_what_was_not_compared_and_how_to_have_it() -> None:
    counts = {"tests/mlmd/test_a.py": "2", "tests/mlmd/test_b.py": "3", "tests/unit/cypher/test_c.py": "984"}
    first, second = oracle.explain(counts).splitlines()
    assert first == "not compared with the reference: 989 tests did not run (5 of tests/mlmd, 984 of tests/unit)."
    assert second == f"{oracle.ABSENT}. There: make clean, then make test PYTHON=python3.11"
    assert second.startswith(
        "ml-metadata 1.17.1, the reference implementation, is not installed; it has wheels for CPython"
    )
