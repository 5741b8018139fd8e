"""The house: no circles of imports, no file too long to read in one sitting.

The direction of imports between rooms is a contract of import-linter, in pyproject.toml.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import grimp
import networkx as nx
import pytest

ROOMS = ("lineage", "backends", "cypher")
BESIDE = Path(__file__).resolve().parents[2]
FOLDERS = {
    **{room: Path(str(importlib.import_module(room).__file__)).parent for room in ROOMS},
    **{name: BESIDE / name for name in ("tests", "benchmarks", "browser", "examples")},
}
TOO_MANY_LINES = 500


def test_no_circle_of_imports() -> None:
    # What is imported late, or for type checkers only, counts too.
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    imports = nx.DiGraph(
        (importer, imported)
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
    )
    circles = [sorted(each) for each in nx.strongly_connected_components(imports) if len(each) > 1]
    assert circles == []


def test_the_search_for_circles_finds_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "a_room_of_two"
    room.mkdir()
    (room / "__init__.py").touch()
    (room / "one.py").write_text("import a_room_of_two.two\n")
    (room / "two.py").write_text("def later():\n    import a_room_of_two.one\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    graph = grimp.build_graph("a_room_of_two", cache_dir=None)
    assert graph.find_modules_directly_imported_by("a_room_of_two.two") == {"a_room_of_two.one"}
    assert graph.find_modules_directly_imported_by("a_room_of_two.one") == {"a_room_of_two.two"}


AS_MLMD_HAS_THEM = {"lineage.mlmd.errors", "lineage.mlmd.metadata_store.mlmd_types"}
"""MLMD's modules of that name have no ``__all__``: what a star takes from them is what it takes there."""


def test_every_module_says_what_it_has_for_others() -> None:
    assert {name for name, tree in _modules().items() if _is_silent(tree.body)} == AS_MLMD_HAS_THEM


def test_what_a_module_says_it_has_is_what_others_take() -> None:
    modules = _modules()
    said = {name: _said(tree) for name, tree in modules.items() if name not in AS_MLMD_HAS_THEM}
    unsaid = {
        f"{taken}, by {name}"
        for name, tree in modules.items()
        for taken in _taken(tree, set(modules))
        for module, _, part in [taken.rpartition(".")]
        if module in said and part not in said[module]
    }
    assert unsaid == set()


def _modules() -> dict[str, ast.Module]:
    """The modules that were written by hand, by name."""
    found: dict[str, ast.Module] = {}
    for room in ROOMS:
        for path in FOLDERS[room].rglob("*.py"):
            if not _is_generated(path):
                parts = path.relative_to(FOLDERS[room].parent).with_suffix("").parts
                name = ".".join(parts).removesuffix(".__init__")
                found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def _said(tree: ast.Module) -> set[str]:
    """The names in ``__all__``."""
    return {
        name
        for each in tree.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "__all__"
        for name in ast.literal_eval(each.value)
    }


def _taken(tree: ast.Module, modules: set[str]) -> set[str]:
    """What a module takes from others: names by ``from``, and attributes of modules; modules themselves apart."""
    taken: set[str] = set()
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for each in node.names:
                full = f"{node.module}.{each.name}"
                if full in modules or each.name.endswith(("_pb2", "_pb2_grpc")):
                    known[each.asname or each.name] = full
                else:
                    taken.add(full)
    taken |= {
        f"{known[node.value.id]}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known
    }
    return taken - modules


def _is_silent(body: list[ast.stmt]) -> bool:
    """Whether a module has public functions or classes, and no ``__all__``."""
    has = any(isinstance(each, (ast.FunctionDef, ast.ClassDef)) and each.name[0] != "_" for each in body)
    return has and not any(isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "__all__" for each in body)


def test_imports_by_name_are_known() -> None:
    # They are arrows that import-linter cannot see, so that each has its reason.
    found = {
        (str(path.relative_to(FOLDERS["lineage"])), ast.unparse(call.args[0]))
        for path in FOLDERS["lineage"].rglob("*.py")
        if not _is_generated(path)
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("import_module")
    }
    assert found == {
        ("__init__.py", "_LATE[name]"),  # public functions that few need
        ("api/types_file.py", "'lineage.mlmd.textproto'"),  # upward: MLMD's text format
        ("cli/main.py", "module"),  # a command's own file
        ("cli/main.py", "COMMANDS[arguments.command][0]"),
        ("mlmd/_install.py", "_OURS + name"),  # what stands in for ml_metadata
        ("mlmd/_install.py", "_OURS + spec.name.removeprefix(_THEIRS)"),
        ("mlmd/metadata_store/_core.py", "'attr'"),  # if it is there
        ("model/printed.py", "'lineage.viewing.answers'"),  # upward: what is printed
        ("reading/comparison.py", "'lineage.exports.frames'"),  # upward: rows of pandas
        ("reading/graph.py", "f'lineage.exports.{module}'"),  # upward: other tools' formats
        ("reading/graph.py", "f'lineage.viewing.{module}'"),  # upward: pictures
        ("reading/lists.py", "'lineage.exports.frames'"),  # upward: rows of pandas
        ("registry.py", "module"),  # upward: a backend
        ("remote/__init__.py", "'lineage.mlmd.remote.store'"),  # upward: the store that speaks MLMD's protocol
        ("retention.py", "name"),  # TOML, which Python reads from 3.11 on
        ("store.py", "'lineage.remote'"),  # upward: the stores of servers
    }


def _is_generated(path: Path) -> bool:
    return "_pb2" in path.name


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_can_be_read_in_one_sitting(folder: str) -> None:
    lengths = {
        str(path.relative_to(FOLDERS[folder])): len(path.read_text(encoding="utf-8").splitlines())
        for path in FOLDERS[folder].rglob("*.py")
        if not _is_generated(path)
    }
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines >= TOO_MANY_LINES} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_it_is_for(room: str) -> None:
    silent = [
        str(path.relative_to(FOLDERS[room]))
        for path in FOLDERS[room].rglob("__init__.py")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []
