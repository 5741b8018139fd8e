"""The suite catches backends that are wrong, and says which test does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.backends import BACKENDS, GAPS, Case, Gap, chosen
from tests.conformance.broken import BROKEN
from tests.conftest import BACKEND_VARIABLE

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CAUGHT = sorted((broken.name, test) for broken in BROKEN.values() for test in broken.caught_by)
_NAMES = "|".join(sorted(BROKEN, key=len, reverse=True))
_OUTCOME = re.compile(rf"^(PASSED|FAILED|ERROR) \S*?/(test_\w+\.py::test_\w+)\[.*?broken:({_NAMES})[\]-]", re.MULTILINE)


def run(*arguments: str, backends: str = "") -> subprocess.CompletedProcess[str]:
    """Run a session of pytest of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", *arguments],
        cwd=ROOT,
        env={**os.environ, BACKEND_VARIABLE: backends},
        capture_output=True,
        text=True,
        check=False,
        timeout=1500,
    )


@pytest.fixture(scope="module")
def outcomes() -> dict[tuple[str, str], set[str]]:
    """How the tests that are to catch a broken backend ended on it, and on a sound one: all in one session."""
    tests = sorted({test for _, test in CAUGHT})
    wanted = ["broken:sound"]
    for broken in BROKEN.values():
        names = " or ".join(test.partition("::")[2] for test in broken.caught_by)
        wanted += [f"(broken:{broken.name} and ({names}))"] if names else []
    backends = [f"--backend=broken:{name}" for name in BROKEN]
    finished = run("-rA", "-k", " or ".join(wanted), *backends, *(str(HERE / test) for test in tests))
    ended: dict[tuple[str, str], set[str]] = {}
    for outcome, test, name in _OUTCOME.findall(finished.stdout):
        ended.setdefault((name, test), set()).add(outcome)
    missing = {*CAUGHT, *(("sound", test) for test in tests)} - ended.keys()
    assert not missing, f"did not run: {missing}\n{finished.stdout[-3000:]}{finished.stderr}"
    return ended


@pytest.mark.parametrize(("name", "test"), CAUGHT)
def test_a_broken_backend_is_caught(outcomes: dict[tuple[str, str], set[str]], name: str, test: str) -> None:
    assert outcomes[name, test] & {"FAILED", "ERROR"}, f"{test} passes on a backend with {name}"


def test_what_catches_them_passes_on_a_sound_backend(outcomes: dict[tuple[str, str], set[str]]) -> None:
    failed = [test for (name, test), ended in outcomes.items() if name == "sound" and ended != {"PASSED"}]
    assert failed == []


def test_there_are_at_least_ten_and_each_is_caught() -> None:
    assert len(BROKEN) > 10
    assert [broken.name for broken in BROKEN.values() if not broken.caught_by] == ["sound"]


def test_a_backend_that_cannot_be_reached_fails_and_never_skips() -> None:
    finished = run(str(HERE / "test_types.py"), backends="broken:unreachable")
    assert finished.returncode == 1
    assert re.search(r"^\d+ errors? in", finished.stdout, re.MULTILINE), finished.stdout[-2000:]
    assert "broken:unreachable / direct" in finished.stdout


def test_the_summary_says_what_ran() -> None:
    finished = run(str(HERE / "test_seam.py"), "--backend", "memory")
    assert finished.returncode == 0, finished.stdout
    assert re.search(r"^memory / the seam +\d+ passed$", finished.stdout, re.MULTILINE), finished.stdout


def test_an_unknown_backend_is_a_usage_error() -> None:
    with pytest.raises(pytest.UsageError, match="unknown backend 'neo5j'; known are memory"):
        chosen(["memory", "neo5j"], at_seam=False)
    assert run(str(HERE / "test_seam.py"), "--backend=neo5j").returncode == pytest.ExitCode.INTERRUPTED


def test_a_gap_is_for_one_test_and_where_it_says() -> None:
    [direct] = chosen(["memory"], ["direct"], at_seam=False)
    seam = Case(BACKENDS["memory"], None)
    gaps = [
        Gap("test_a", "no paths yet", path="direct"),
        Gap("test_b", "slow", backend="neo4j"),
        Gap("test_c", "new"),
        Gap("test_d", "large", parameters=frozenset({"big"})),
    ]
    assert direct.gap("test_a", gaps=gaps) == gaps[0]
    assert seam.gap("test_a", gaps=gaps) is None
    assert direct.gap("test_b", gaps=gaps) is None
    assert direct.gap("test_c", "any", gaps) == seam.gap("test_c", gaps=gaps) == gaps[2]
    assert direct.gap("test_d", "big", gaps) == gaps[3]
    assert direct.gap("test_d", "small", gaps) is None


def test_every_gap_is_of_a_test_that_there_is() -> None:
    sources = "".join(path.read_text() for path in HERE.glob("test_*.py"))
    tests = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    assert [gap.test for gap in GAPS if gap.test not in tests] == []


def test_an_unknown_path_is_a_usage_error() -> None:
    with pytest.raises(pytest.UsageError, match="unknown path 'gprc'; known are direct, grpc, mlmd, mlmd-grpc"):
        chosen(["memory"], ["gprc"], at_seam=False)
