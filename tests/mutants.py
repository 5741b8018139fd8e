"""Change a module in small ways, one at a time, and say which changes no test notices. `make mutants` runs it.

mutmut makes the changes (mutants): another operator, another number, None for an argument, another text. A mutant of a
function is tried on the tests that run the function, so the tests are run once beforehand to see which those are.
mutmut changes copies in .mutants: this checkout's files stay as they are.

A survivor is a rule that no test holds, or a change that makes no difference. Texts of errors and documentation make
many of the second kind; read the diffs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.environments import ROOT, install

FOLDER = ROOT / ".mutants"
PACKAGES, WORK = FOLDER / "packages", FOLDER / "work"
MUTATED = ("lineage", "backends", "cypher")
TESTS = ("tests/unit", "tests/conformance")
_OF_THE_CHECKOUT = ("benchmarks", "demo", "documents", "ignores", "imports", "rooms")
"""Unit tests of files and of commands in other folders, which are not what they were once there are mutants in them."""
OPTIONS = (
    *("-n", "0", "-p", "no:cacheprovider", "--backend", "memory", "--path", "direct"),
    *("-m", "not slow and not differential and not neo4j"),
    *(f"--ignore=tests/unit/test_{name}.py" for name in _OF_THE_CHECKOUT),
)


def main() -> int:
    """Run mutmut over some modules, and print the survivors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="+", help="files to change, e.g. lineage/catalog.py or 'lineage/writing/*'")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="what to run (default: unit and conformance)")
    parser.add_argument("--minutes", type=float, default=30, help="after how long to stop (default: 30)")
    given = parser.parse_args()
    if not PACKAGES.exists():
        _install()
    _copy(given.modules, given.tests)
    log = FOLDER / "log"
    with log.open("w") as file:
        try:
            run = subprocess.run(
                _mutmut("run"),
                cwd=WORK,
                env=_environment(),
                stdout=file,
                stderr=file,
                timeout=60 * given.minutes,
                check=False,
            )
        except subprocess.TimeoutExpired:
            print(f"stopped after {given.minutes:g} minutes: what follows is what was found by then")
        else:
            if run.returncode != 0:
                print(f"error: mutmut failed; the end of {log}:\n{log.read_text()[-3000:]}")
                return 1
    _report()
    return 0


def _install() -> None:
    print("==> installing mutmut in .mutants/packages", flush=True)
    locked = ROOT / "requirements" / "mutants.txt"
    install(Path(sys.executable), "--target", str(PACKAGES), "--no-deps", "--require-hashes", "-r", str(locked))


def _copy(modules: list[str], tests: list[str]) -> None:
    """Copy the checkout but for its hidden files, with a configuration that names what is to be changed."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    copied = [path.name for path in sorted(ROOT.iterdir()) if not path.name.startswith(".")]
    for name in copied:
        source, target = ROOT / name, WORK / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    settings = {
        "source_paths": list(MUTATED),
        "only_mutate": modules,
        "also_copy": [name for name in copied if name not in (*MUTATED, "tests", "pyproject.toml")],
        "pytest_add_cli_args": list(OPTIONS),
        "pytest_add_cli_args_test_selection": list(tests),
    }
    lines = [f"{name} = {value!r}" for name, value in settings.items()]
    with (WORK / "pyproject.toml").open("a") as file:
        file.write("\n".join(["", "[tool.mutmut]", *lines, ""]))


def _mutmut(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mutmut", *arguments]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PACKAGES)}


def _asked(*arguments: str) -> str:
    result = subprocess.run(
        _mutmut(*arguments), cwd=WORK, env=_environment(), capture_output=True, text=True, check=False
    )
    return result.stdout


def _report() -> None:
    verdicts: dict[str, list[str]] = {}
    for line in _asked("results", "--all", "true").splitlines():
        name, _, verdict = line.strip().partition(": ")
        if verdict:
            verdicts.setdefault(verdict, []).append(name)
    for name in (*verdicts.get("survived", []), *verdicts.get("no tests", [])):
        print(_asked("show", name))
    print(", ".join(f"{len(names)} {verdict}" for verdict, names in sorted(verdicts.items())))


if __name__ == "__main__":
    sys.exit(main())
