"""A mistake of the caller shows one line of ours; what failed beneath it shows all."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

import lineage
from lineage import Artifact, LineageError, Store
from lineage.api.tracebacks import FULL_TRACEBACKS
from tests.conformance.world import World

OURS = Path(lineage.__file__).parent
MISTAKES: dict[str, Callable[[Store], object]] = {
    "an unknown type": lambda store: store.get_artifacts_by_type("Modle"),
    "an unknown id": lambda store: store.get_artifacts_by_id([10_000]),
    "a filter": lambda store: store.list_artifacts("accuracy > 0.9"),
    "an argument": lambda store: store.get_artifacts_by_id("1"),  # type: ignore[arg-type]  # the mistake
    "a new node of no type": lambda store: store.put_artifacts([Artifact(name="a")]),
    "a selection": lambda store: store.select("type:"),
}


def frames_of_ours(error: BaseException) -> list[traceback.FrameSummary]:
    """The frames of an error's traceback that are in the package."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(OURS)]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_shows_one_line_of_ours(world: World, mistake: str) -> None:
    with pytest.raises(LineageError) as refused:
        MISTAKES[mistake](world.store)
    assert len(frames_of_ours(refused.value)) == 1


def test_all_lines_are_shown_where_they_are_asked_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FULL_TRACEBACKS, "1")
    with pytest.raises(LineageError) as refused:
        world.store.get_artifacts_by_type("Modle")
    assert len(frames_of_ours(refused.value)) > 3
