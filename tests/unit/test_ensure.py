"""`make servers`: what is missing is installed where that is possible, else all of it is listed with one command.

The programs that it calls are scripts of these tests, in the only folder of the PATH.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.ensure import Need, ensure
from tests.servers.jars import NotInstalledError, ServerMissingError


def need(program: str) -> Need:
    def check() -> None:
        if shutil.which(program) is None:
            raise NotInstalledError(f"{program}, to be tested")

    return Need(check, f"{program}-package")


NEEDS = (need("one"), need("two"))


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Makes a program, of a line for the shell. The PATH has these and `env`."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(name: str, line: str) -> Path:
        path = tmp_path / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)
        return path

    make("env", 'exec /usr/bin/env "$@"')
    return make


def apt(tmp_path: Path) -> str:
    """Make the program of each package that apt is asked for; it does not have that of `two`."""
    return f"""echo "$@" >> {tmp_path}/asked
        case "$*" in
            *two-package) echo no such package; exit 100;;
            *-package) p=${{*##* }}; echo > {tmp_path}/${{p%-package}}; /bin/chmod +x {tmp_path}/${{p%-package}};;
        esac"""


def as_user(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: number)


def test_nothing_is_installed_where_nothing_is_missing(script: Callable[[str, str], Path]) -> None:
    script("one", "")
    script("apt-get", "exit 1")
    ensure(NEEDS[:1])


@pytest.mark.parametrize("ci", ["true", None])
def test_root_installs(
    script: Callable[[str, str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ci: str | None,
) -> None:
    if ci is None:
        monkeypatch.delenv("CI", raising=False)
    else:
        monkeypatch.setenv("CI", ci)
    as_user(monkeypatch, 0)
    script("apt-get", apt(tmp_path))
    ensure(NEEDS[:1])
    assert capsys.readouterr().out.splitlines() == [
        "==> apt-get update",
        "==> apt-get satisfy --yes --no-install-recommends one-package",
    ]


def test_what_apt_does_not_have_is_said_and_keeps_nothing_else_away(
    script: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, 0)
    script("apt-get", apt(tmp_path))
    with pytest.raises(ServerMissingError, match="two, to be tested") as caught:
        ensure((NEEDS[1], NEEDS[0]))
    assert shutil.which("one")
    assert "no such package" in str(caught.value)
    assert "one-package" not in str(caught.value)


def test_sudo_without_a_password_installs(
    script: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(monkeypatch, 1000)
    script("apt-get", apt(tmp_path))
    script("sudo", 'shift; "$@"')
    ensure(NEEDS[:1])
    assert "satisfy" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize("sudo", [None, "exit 1"])
def test_elsewhere_all_that_is_missing_is_listed_with_one_command(
    script: Callable[[str, str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sudo: str | None
) -> None:
    as_user(monkeypatch, 1000)
    script("apt-get", apt(tmp_path))
    if sudo:
        script("sudo", sudo)
    with pytest.raises(ServerMissingError) as caught:
        ensure(NEEDS)
    assert not (tmp_path / "asked").exists()
    as_root = "sudo sh -c" if sudo else "su -c"
    assert str(caught.value).splitlines() == [
        "the server tests need what is not here:",
        "  - one, to be tested",
        "  - two, to be tested",
        "On Debian and Ubuntu this installs all of it:",
        f"  {as_root} 'apt-get update && apt-get satisfy --yes --no-install-recommends \"one-package, two-package\"'",
    ]
