"""`import lineage` refuses a foreign package named `backends` or `cypher`, and names both paths."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SIBLINGS = ["backends", "cypher"]


def _lineage_folder() -> Path:
    spec = find_spec("lineage")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).resolve().parent


LINEAGE = _lineage_folder()


def run(code: str, *, cwd: Path, isolated: bool = False) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter, with our packages last on sys.path, or with no packages at all."""
    prelude = "import sys\n" if isolated else f"import sys\nsys.path.append({str(LINEAGE.parent)!r})\n"
    flags = ["-I", "-S"] if isolated else ["-I"]
    return subprocess.run(
        [sys.executable, *flags, "-c", prelude + code],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def import_behind(decoy: Path, *, first: str = "") -> subprocess.CompletedProcess[str]:
    return run(f"sys.path.insert(0, {str(decoy)!r})\n{first}\nimport lineage\nprint('imported')", cwd=decoy)


def assert_refused(done: subprocess.CompletedProcess[str], *, name: str, found: Path) -> None:
    assert done.returncode == 1
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError: ")
    assert repr(name) in message
    assert repr(str(found.resolve())) in message
    assert repr(str(LINEAGE.parent / name)) in message
    assert "Rename, move or uninstall" in message


def test_the_installed_packages_are_accepted(tmp_path: Path) -> None:
    done = import_behind(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "imported"), done.stderr


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_foreign_package_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("raise SystemExit('the foreign package was imported')\n")
    done = import_behind(tmp_path)
    assert_refused(done, name=name, found=folder)
    assert "comes first on sys.path" in done.stderr


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_foreign_module_is_refused(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.py"
    file.write_text("raise SystemExit('the foreign module was imported')\n")
    assert_refused(import_behind(tmp_path), name=name, found=file)


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_foreign_package_imported_before_ours_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").touch()
    done = import_behind(tmp_path, first=f"import {name}")
    assert_refused(done, name=name, found=folder)
    assert "is already imported" in done.stderr


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_module_made_by_hand_is_refused(tmp_path: Path, name: str) -> None:
    done = import_behind(tmp_path, first=f"import types; sys.modules[{name!r}] = types.ModuleType({name!r})")
    assert done.returncode == 1
    assert f"<{name} in sys.modules>" in done.stderr
    assert str(LINEAGE.parent / name) in done.stderr


@pytest.mark.parametrize("name", SIBLINGS)
def test_a_folder_without_init_does_not_hide_ours(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    done = import_behind(tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "imported"), done.stderr


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    code = f"import runpy\nrunpy.run_path({str(LINEAGE / '_siblings.py')!r})['check_layout']()"
    done = run(code, cwd=tmp_path, isolated=True)
    assert done.returncode == 1
    assert "ImportError: package 'backends', a part of lineage-graph, was not found" in done.stderr
    assert str(LINEAGE.parent / "backends") in done.stderr


def test_the_check_imports_neither_package(tmp_path: Path) -> None:
    code = (
        f"import runpy\nsys.path.insert(0, {str(LINEAGE.parent)!r})\n"
        f"runpy.run_path({str(LINEAGE / '_siblings.py')!r})['check_layout']()\n"
        "print(sorted({'lineage', 'backends', 'cypher'} & set(sys.modules)))"
    )
    done = run(code, cwd=tmp_path, isolated=True)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
