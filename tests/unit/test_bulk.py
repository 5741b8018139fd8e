"""Bulk loads where the store fails, and what they show of their progress."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from backends.memory import MemoryBackend
from backends.memory.backend import MemoryTransaction
from lineage import Artifact, Event, Execution, Store
from lineage.api.units import BackendUnits
from lineage.errors import PermissionDeniedError, UnavailableError
from lineage.model import Node, NodeKind
from lineage.writing.loads.bulk import BulkLoad
from tests.conformance.world import World, contents


class _Failing(MemoryTransaction):
    """A transaction that loses its store once, in the middle of its third insertion of nodes."""

    inserted = 0

    def insert_nodes(self, kind: NodeKind, nodes: Sequence[Node]) -> list[int]:
        _Failing.inserted += 1
        if _Failing.inserted == 3:
            super().insert_nodes(kind, nodes[:1])
            raise UnavailableError("the store is gone; start it again")
        return super().insert_nodes(kind, nodes)


def _load(load: BulkLoad) -> None:
    load.put_artifacts(Artifact(type="DataSet", name=f"data-{number}") for number in range(9))
    load.put_executions([Execution(type="Trainer", name="t")])
    load.put_events((("DataSet", f"data-{number}"), ("Trainer", "t"), Event(type="INPUT")) for number in range(9))


def test_a_store_that_goes_away_is_named_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryBackend()
    monkeypatch.setattr(_Failing, "inserted", 0)
    backend.transaction_class = _Failing
    with (
        Store(BackendUnits(backend, clock=lambda: 1)) as store,
        Store(BackendUnits(MemoryBackend(), clock=lambda: 1)) as other,
    ):
        for each in (store, other):
            World(each)
        with (
            store.bulk(batch_size=3) as load,
            pytest.raises(
                UnavailableError, match=r"^artifacts\[6:9\]: the store is gone.* has 6 of this input: .*run the"
            ),
        ):
            _load(load)
        assert [each.name for each in store.list_artifacts()] == [f"data-{number}" for number in range(6)]
        for each in (store, other):
            with each.bulk(batch_size=3) as load:
                _load(load)
        assert contents(store) == contents(other)


class _Forbidden(MemoryTransaction):
    def insert_links(self, *_: Any, **__: Any) -> None:
        raise PermissionDeniedError("this is not allowed; ask for it")


def test_what_is_wrong_with_no_record_is_tried_once() -> None:
    backend = MemoryBackend()
    with Store(BackendUnits(backend)) as store:
        World(store)
        backend.transaction_class = _Forbidden
        with store.bulk() as load, pytest.raises(PermissionDeniedError, match=r"^events\[0:9\]: this is not allowed"):
            _load(load)


def test_a_bar_for_each_sort_of_record(capsys: pytest.CaptureFixture[str]) -> None:
    with Store(BackendUnits(MemoryBackend())) as store:
        World(store)
        with store.bulk(progress=True) as load:
            _load(load)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.split()[0] for line in shown.err.splitlines()] == ["artifacts", "executions", "events"]
    assert "9/?" in shown.err
    assert "1/1" in shown.err


def test_a_bar_without_rich_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['rich'] = None\n"
        "import lineage\n"
        "with lineage.open_store('memory:') as store, store.bulk(progress=True): pass"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (
        "a progress bar needs the package rich; install it with: pip install 'lineage-graph[progress]'" in done.stderr
    )
