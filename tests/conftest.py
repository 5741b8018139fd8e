"""Options of the whole suite, and the summary of which backends and access paths ran."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from tests import oracle
from tests.servers.fixtures import empty_neo4j, neo4j_server

__all__ = ["empty_neo4j", "neo4j_server"]

# How long an example takes says something of the machine alone. On CI, the same examples each time.
settings.register_profile(
    "lineage", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("lineage")

BACKEND_VARIABLE = "LINEAGE_TEST_BACKENDS"
RAN_ON = "conformance"
"""The property of a test report that says which backend and path it ran on."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        action="append",
        metavar="NAME",
        help="run the conformance suite on this backend; may be given several times (default: the names in "
        f"{BACKEND_VARIABLE}, separated by commas, else all)",
    )
    parser.addoption(
        "--path",
        action="append",
        metavar="NAME",
        help="reach the stores of the conformance suite by this path; may be given several times (default: all)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "neo4j_server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.neo4j)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs the reference implementation where it is not installed; on CI, let it fail."""
    if item.get_closest_marker("differential") and not oracle.is_here():
        if oracle.is_demanded():
            pytest.fail(oracle.ABSENT, pytrace=False)
        pytest.skip(oracle.ABSENT)


def backends_asked_for(config: pytest.Config) -> list[str]:
    """Return the names given on the command line, else in the environment; none if neither names any."""
    given: list[str] | None = config.getoption("--backend")
    names = given or os.environ.get(BACKEND_VARIABLE, "").split(",")
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def paths_asked_for(config: pytest.Config) -> list[str]:
    """Return the names given on the command line; none if there are none."""
    given: list[str] = config.getoption("--path") or []
    return list(dict.fromkeys(given))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    ran: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "error", "xfailed", "xpassed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == RAN_ON:
                    ran.setdefault(str(value), Counter())[outcome] += 1
    if ran:
        terminalreporter.section("conformance: what ran")
        for case in sorted(ran):
            counts = ", ".join(f"{count} {outcome}" for outcome, count in ran[case].items())
            terminalreporter.line(f"{case:<24} {counts}")


@pytest.fixture(autouse=True)
def _no_store_in_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what names no store, commands in processes of their own too, use one in memory and not write lineage.db."""
    monkeypatch.setenv("LINEAGE_STORE", "memory:")
