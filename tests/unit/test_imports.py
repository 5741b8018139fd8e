"""``import lineage`` is fast, loads no backend and nothing that it can do without; what it exports is documented."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import lineage
from lineage import Store

MOST_OWN, MOST_OTHER = 81, 30
"""How many modules ``import lineage`` may load: of ours, and of others beyond those that one pydantic model takes.

``python -m benchmarks import`` measures the time, as these machines are busy and unlike each other.
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()


def test_import_loads_little() -> None:
    show = "import sys; print(*sys.modules)"
    model = set(run(f"from pydantic import BaseModel\nclass Model(BaseModel):\n    a: int\n{show}").split())
    beyond = set(run(f"from lineage import Store, open_store\n{show}").split()) - model
    own = {name for name in beyond if name.partition(".")[0] in ("lineage", "backends", "cypher")}
    assert len(own) <= MOST_OWN, sorted(own)
    assert len(beyond - own) <= MOST_OTHER, sorted(beyond - own)


def test_import_alone_loads_nothing_of_others_and_what_is_asked_for_later() -> None:
    loaded = run("import sys; before = {*sys.modules}; import lineage; print(*sorted({*sys.modules} - before))").split()
    others = {name for name in loaded if name.partition(".")[0] not in sys.stdlib_module_names}
    assert {name for name in others if not name.startswith("cypher")} == {
        "lineage", "lineage._siblings", "lineage.errors",
    }  # fmt: skip
    assert (
        run("import lineage; print(lineage.Artifact is lineage.Artifact, 'Artifact' in vars(lineage))") == "True True"
    )
    assert {*lineage.__all__} <= {*dir(lineage)}


@pytest.mark.parametrize("arguments", [["--help"], ["up", "--help"], ["--version"]])
def test_a_command_that_asks_no_store_starts_without_records_and_stores(arguments: list[str]) -> None:
    """That takes milliseconds: no pydantic, none of ours but the command line. The benchmark `import` measures it."""
    code = (
        f"import sys, contextlib\nsys.argv = ['lineage', *{arguments!r}]\nfrom lineage.cli import main\n"
        "with contextlib.redirect_stdout(sys.stderr), contextlib.suppress(SystemExit):\n    main()\n"
        "print(*sys.modules)"
    )
    loaded = set(run(code).split())
    assert {
        "pydantic",
        "networkx",
        "sqlalchemy",
        "lineage.model",
        "lineage.store",
        "lineage.recorder",
    } & loaded == set()


def test_import_loads_no_backend_and_no_heavy_package() -> None:
    loaded = run("import sys; from lineage import *; print(*sorted(sys.modules))").split()
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


@pytest.mark.parametrize("name", ["lineage", "lineage.errors", "lineage.model", "lineage.seam", "lineage.store"])
def test_modules_are_documented(name: str) -> None:
    assert inspect.getdoc(importlib.import_module(name))


def test_the_version_is_that_of_the_distribution() -> None:
    from importlib.metadata import version

    assert lineage.__version__ == version("lineage-graph")
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        lineage.nope  # noqa: B018  # to look it up is what fails
