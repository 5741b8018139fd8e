"""What is recorded of each step without being asked."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
import sys
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Store
from lineage.recorder import Recorder, surroundings

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(*arguments: str) -> str:
    identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
    done = subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, and a script in it that runs."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    script = folder / "train.py"
    script.write_text("print('training')\n")
    git("init", "--quiet", "--initial-branch", "work")
    git("add", "train.py")
    git("commit", "--quiet", "--message", "begin")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return folder


@needs_git
def test_the_commit_of_the_script_is_recorded(repository: Path) -> None:
    assert surroundings.code_origin() == {
        "script": str(repository / "train.py"),
        "git_commit": git("rev-parse", "HEAD"),
        "git_branch": "work",
        "git_dirty": False,
    }
    Path("train.py").write_text("print('training otherwise')\n")
    assert surroundings.code_origin()["git_dirty"] is True


@needs_git
def test_a_commit_without_a_branch_has_none(repository: Path) -> None:
    git("checkout", "--quiet", "--detach")
    assert "git_branch" not in surroundings.code_origin()


@needs_git
@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://example.org/team/code.git", "https://example.org/team/code.git"),
        ("https://someone:secret@example.org/team/code.git", "https://example.org/team/code.git"),
        ("https://secret@example.org/team/code.git", "https://example.org/team/code.git"),
        ("https://example.org/team/code.git?token=secret", "https://example.org/team/code.git"),
        ("git@example.org:team/code.git", "git@example.org:team/code.git"),
        ("odd:secret@example.org:code", "odd:..."),
        ("/srv/git/code.git", "/srv/git/code.git"),
    ],
)
def test_the_remote_is_recorded_without_credentials(repository: Path, remote: str, shown: str) -> None:
    git("remote", "add", "origin", remote)
    assert surroundings.code_origin()["git_remote"] == shown


def test_without_git_or_a_repository_nothing_of_it_is_recorded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(folder / "train.py"), raising=False)
    assert not any(name.startswith("git") for name in surroundings.code_origin())
    monkeypatch.setenv("PATH", str(folder))
    assert not any(name.startswith("git") for name in surroundings.code_origin())


def test_a_notebook_is_recorded_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "train.ipynb")
    assert surroundings.code_origin()["script"] == str(folder / "train.ipynb")


def test_process_times_and_packages_are_recorded(store: Store) -> None:
    with lineage.record(store).step("Train"):
        pass
    [execution] = store.list_executions()
    facts: Mapping[str, Any] = execution.custom_properties
    assert facts["host"] == socket.gethostname()
    assert (facts["pid"], facts["python"]) == (os.getpid(), platform.python_version())
    assert facts["user"]
    assert facts["start_ms"] <= facts["end_ms"]
    assert 0 <= facts["duration_s"] < 60
    assert facts["packages"]["pytest"] == pytest.__version__
    assert not {"os", "lineage.recorder"} & facts["packages"].keys()


def test_of_the_environment_only_what_is_named_is_recorded(memory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOWN", "seen")
    monkeypatch.setenv("SECRET", "hidden-value")
    with lineage.record(memory, environment=["SHOWN", "ABSENT"]).step("Train") as step:
        pass
    assert step.execution.custom_properties["environment"] == {"SHOWN": "seen"}
    assert "hidden-value" not in repr(step.execution)
    with lineage.record(memory).step("Train") as step:
        pass
    assert "environment" not in step.execution.custom_properties


def test_no_package_is_asked_to_import_anything_or_to_warn(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> object:
        raise AssertionError(name)

    lazy = types.ModuleType("a_lazy_package")
    lazy.__getattr__ = fail  # type: ignore[method-assign]  # as PEP 562 has it
    monkeypatch.setitem(sys.modules, "a_lazy_package", lazy)
    assert "a_lazy_package" not in surroundings.packages()


def test_a_long_error_keeps_its_beginning_and_the_end_of_its_trace(rec: Recorder) -> None:
    with pytest.raises(ValueError, match="xxx"), rec.step("Train") as step:
        raise ValueError("x" * 100_000)
    facts: Mapping[str, Any] = step.execution.custom_properties
    assert (len(facts["error_message"]), len(facts["error_trace"])) == (2_000, 8_000)


@needs_git
def test_git_is_asked_twice_at_most_and_at_once(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.which("git")
    asked = repository / "asked"
    wrapper = repository / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\necho "$3" >> {asked}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    assert "git_commit" in surroundings.code_origin()
    assert sorted(asked.read_text().split()) == ["config", "status"]


@needs_git
def test_a_repository_without_a_commit_has_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "--quiet")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(folder / "train.py"), raising=False)
    assert not any(name.startswith("git") for name in surroundings.code_origin())
