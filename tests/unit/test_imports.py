"""``import lineage`` is fast, loads no backend and nothing that it can do without; what it exports is documented."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import lineage
from lineage import Store

LIMIT_S = 0.150
"""What the design promises on a quiet machine."""
SLACK = 3
"""A busy machine with cold caches may take this much longer."""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def _seconds(code: str) -> float:
    """CPU seconds of a whole interpreter that runs ``code``, the best of five: others use this machine too."""
    measure = "import resource; used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime + used.ru_stime)"
    return min(float(run(f"{code}\n{measure}")) for _ in range(5))


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module is of Unix")
def test_import_is_fast() -> None:
    taken = _seconds("import lineage") - _seconds("pass")
    assert taken < LIMIT_S * SLACK, f"import lineage took {taken:.3f} s"


def test_import_loads_no_backend_and_no_heavy_package() -> None:
    loaded = run("import sys, lineage; print(*sorted(sys.modules))").split()
    unwanted = {"networkx", "numpy", "neo4j", "sqlalchemy", "grpc", "google.protobuf", "sortedcontainers", "sqlglot"}
    assert unwanted.isdisjoint(loaded)
    assert [name for name in loaded if name.startswith("backends.")] == []


def test_a_backend_is_loaded_when_a_store_is_opened() -> None:
    loaded = run("import sys, lineage; lineage.open_store('memory:'); print(*sys.modules)").split()
    assert {"backends.memory", "networkx"} <= set(loaded)


def test_the_public_names_are_sorted_and_exist() -> None:
    assert list(lineage.__all__) == sorted(lineage.__all__)
    assert [name for name in lineage.__all__ if not hasattr(lineage, name)] == []
    star: dict[str, object] = {}
    exec("from lineage import *", star)
    assert set(lineage.__all__) <= star.keys()


@pytest.mark.parametrize("name", [name for name in lineage.__all__ if inspect.isclass(getattr(lineage, name))])
def test_every_public_class_is_documented(name: str) -> None:
    public = getattr(lineage, name)
    assert public.__dict__.get("__doc__"), f"{name} has no docstring of its own"
    for member_name, member in vars(public).items():
        if not member_name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            assert inspect.getdoc(member), f"{name}.{member_name} has no docstring"


@pytest.mark.parametrize("name", [name for name in dir(Store) if not name.startswith("_")])
def test_every_public_method_is_documented(name: str) -> None:
    assert inspect.getdoc(getattr(Store, name))


@pytest.mark.parametrize("name", ["lineage", "lineage.errors", "lineage.model", "lineage.backend", "lineage.store"])
def test_modules_are_documented(name: str) -> None:
    assert inspect.getdoc(importlib.import_module(name))


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert lineage.__version__ == version("lineage-graph")
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        lineage.nope  # noqa: B018
