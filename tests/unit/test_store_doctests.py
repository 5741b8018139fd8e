"""Every example in a docstring runs and prints what it says, in the checkout and in the installed wheel."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import backends
import cypher
import lineage
from lineage import Store, open_store
from tests.conformance.sample import namespace, sample_store

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def _examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for package in (lineage, cypher, backends):
        names = [package.__name__]
        names += [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
        for name in names:
            yield from (example for example in finder.find(importlib.import_module(name)) if example.examples)


EXAMPLES = {example.name: example for example in _examples()}
METHODS = [name for name, member in inspect.getmembers(Store) if callable(member) and not name.startswith("_")]


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_example_prints_what_it_says(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example = EXAMPLES[name]
    example.globs = {**example.globs, **namespace(tmp_path)}
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    result = runner.run(example, out=report.append, clear_globs=False)
    assert result.failed == 0, "".join(report)
    assert result.attempted > 0


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_the_store_has_an_example(method: str) -> None:
    defined_in = next(base for base in Store.__mro__ if method in vars(base))
    assert f"{defined_in.__module__}.{defined_in.__qualname__}.{method}" in EXAMPLES


def test_opening_has_examples_too() -> None:
    assert "lineage.store.open_store" in EXAMPLES
    assert "lineage" in EXAMPLES


def test_the_sample_is_what_the_store_describes() -> None:
    with sample_store() as store:
        assert [(each.id, each.name, each.uri) for each in store.list_artifacts()] == [
            (1, "iris", "data/iris.csv"),
            (2, "iris-model", "models/1"),
        ]
        assert [(each.id, each.name) for each in store.list_executions()] == [(1, "train-1")]
        assert [(each.artifact_id, each.path) for each in store.get_events_by_execution_ids([1])] == [
            (1, ("examples", 0)),
            (2, ("model", 0)),
        ]
        types = (*store.get_artifact_types(), *store.get_execution_types(), *store.get_context_types())
        assert [(each.id, each.name) for each in types] == [
            (10, "DataSet"),
            (11, "Model"),
            (12, "Trainer"),
            (13, "Run"),
        ]
        graph = store.get_context_graph(1)
        assert [each.name for each in (*graph.contexts, *graph.executions, *graph.artifacts)] == [
            "run-1",
            "train-1",
            "iris-model",
        ]


def test_each_example_has_a_store_of_its_own() -> None:
    first, second = sample_store(), sample_store()
    first.close()
    assert len(second.list_artifacts()) == 2
    assert open_store("memory:") is not open_store("memory:")
