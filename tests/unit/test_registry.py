"""From a URL to a backend: our own, and those that other distributions add by an entry point."""

from __future__ import annotations

import importlib.metadata
from importlib.metadata import EntryPoint, EntryPoints
from typing import Any

import pytest

from backends.memory import MemoryBackend
from lineage import ArtifactType, open_store
from lineage.errors import InvalidArgumentError
from lineage.registry import open_backend

GROUP = "lineage.backends"


def open_added(url: str, **options: Any) -> MemoryBackend:
    """What an added backend's entry point names."""
    backend = MemoryBackend()
    backend.opened_with = (url, options)  # type: ignore[attr-defined]  # for the test to look at
    return backend


@pytest.fixture
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another distribution adds ``added:``, and tries to take over ``memory:``."""
    target = f"{__name__}:open_added"
    points = EntryPoints([EntryPoint("added", target, GROUP), EntryPoint("memory", "nowhere:at_all", GROUP)])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda *, group: points.select(group=group))
    monkeypatch.setattr(EntryPoint, "load", lambda self: open_added)


def test_memory_is_a_new_store_each_time() -> None:
    first, second = open_store("memory:"), open_store("MEMORY:")
    first.put_artifact_type(ArtifactType(name="T"))
    assert second.get_artifact_types() == []
    assert repr(first) == "Store('memory:')"
    assert first.url == "memory:"
    first.close()
    assert repr(first) == "Store('memory:', closed)"


@pytest.mark.usefixtures("_added")
def test_an_entry_point_adds_a_scheme_and_gets_url_and_options() -> None:
    backend: Any = open_backend("added://place?x=1", size=3)
    assert backend.opened_with == ("added://place?x=1", {"size": 3})
    assert open_store("added:").put_artifact_type(ArtifactType(name="T")) == 10


@pytest.mark.usefixtures("_added")
def test_an_entry_point_cannot_replace_our_own() -> None:
    assert not hasattr(open_backend("memory:"), "opened_with")


@pytest.mark.usefixtures("_added")
def test_an_unknown_scheme_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"unknown scheme 'adedd' .*did you mean 'added'\?; known are added, "
    ):
        open_store("adedd:x")


def test_options_that_a_backend_does_not_have_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="a memory store has no option 'size'"):
        open_store("memory:", size=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # that is what is tested
    with pytest.raises(InvalidArgumentError, match="names a place, but a memory store has none"):
        open_store("memory:///tmp/x")
