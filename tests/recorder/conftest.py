"""A store of each kind to record into, and a folder to work in."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

import lineage
from lineage import Store
from lineage.recorder import Recorder
from tests.conformance.paths import over_grpc, through_mlmd

STORES = ("memory", "sqlite", "grpc", "mlmd")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Store]:
    with ExitStack() as stack:
        url = tmp_path / "lineage.db" if request.param == "sqlite" else "memory:"
        opened = stack.enter_context(lineage.open_store(url))
        if request.param == "grpc":
            opened = stack.enter_context(over_grpc(opened))
        if request.param == "mlmd":
            opened = stack.enter_context(through_mlmd(opened))
        yield opened


@pytest.fixture
def memory() -> Generator[Store]:
    with lineage.open_store("memory:") as opened:
        yield opened


@pytest.fixture
def rec(memory: Store) -> Recorder:
    return lineage.record(memory)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test, with a data set in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text("1,2\n")
    return tmp_path
