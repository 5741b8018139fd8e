"""The two sides of a comparison; and what the differential tests ran, from which seed, in the summary of a run."""

from __future__ import annotations

import pytest

from lineage import Store, open_store
from tests.differential.reference import Reference, new_reference


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each value that a test recorded as a property of the name ``differential``, once."""
    lines = dict.fromkeys(
        str(value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for name, value in report.user_properties
        if name == "differential"
    )
    if lines:
        terminalreporter.section("differential: what ran")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture
def reference() -> Reference:
    return new_reference()


@pytest.fixture
def store() -> Store:
    return open_store("memory:")
