"""Names for ``pytest --doctest-modules lineage cypher backends``; the suite itself needs none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conformance.sample import namespace


@pytest.fixture(autouse=True)
def _names_of_examples(request: pytest.FixtureRequest) -> None:
    """Give every doctest a fresh sample store and the names of ``lineage``."""
    if isinstance(request.node, pytest.DoctestItem):
        names: dict[str, Any] = request.getfixturevalue("doctest_namespace")
        folder: Path = request.getfixturevalue("tmp_path")
        names.update(namespace(folder))
