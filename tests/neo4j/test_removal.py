"""A removal whose process is killed, and goes on; two at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import removing


@pytest.mark.slow
@pytest.mark.parametrize("phase", removing.PHASES)
def test_a_removal_whose_process_is_killed_goes_on(url: str, tmp_path: Path, phase: str) -> None:
    removing.kill_and_go_on(
        url, tmp_path, steps=700, phase=phase, transaction="backends.neo4j.transaction.Neo4jTransaction"
    )


@pytest.mark.slow
@pytest.mark.parametrize("other", [removing.ALL, "type:Train", "{properties.n.int_value < 150}"])
def test_two_removals_at_once(url: str, other: str) -> None:
    removing.remove_at_once(url, steps=300, other=other)
