"""``lineage completion``: the shells themselves complete what they are asked."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from lineage.cli import main
from lineage.cli.main import COMMANDS

ASKED = [
    ("lineage ru", "runs"),
    ("lineage comple", "completion"),
    ("lineage ls --orde", "--order-by"),
    ("lineage --store x.db runs --colum", "--columns"),
    ("lineage ls -o jsonl --typ", "--type"),
    ("lineage ls -o cs", "csv"),
    ("lineage ls --order-by crea", "create_time"),
    ("lineage completion fi", "fish"),
]
BASH = r"""
source ./script
COMP_WORDS=($LINE); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
_lineage
printf '%s\n' "${COMPREPLY[@]}"
"""
ZSH = r"""fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D
_show() { zle complete-word; print -r -- "<<$BUFFER>>" }; zle -N _show; bindkey '^I' _show; echo REA''DY
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a shell works: no file in it begins as a command does."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


def needs(shell: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@needs("bash")
@pytest.mark.parametrize(("line", "expected"), ASKED)
def test_bash_completes(folder: Path, capsys: pytest.CaptureFixture[str], line: str, expected: str) -> None:
    (folder / "script").write_text(script("bash", capsys))
    done = subprocess.run(
        ["bash", "--norc", "-c", BASH],
        env={**os.environ, "LINE": line}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout.split(), done.stderr) == ([expected], "")


@needs("fish")
@pytest.mark.parametrize(("line", "expected"), ASKED)
def test_fish_completes(folder: Path, capsys: pytest.CaptureFixture[str], line: str, expected: str) -> None:
    (folder / "script").write_text(script("fish", capsys))
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source script; complete -C {line!r}"],
        env={**os.environ, "HOME": str(folder)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert [each.partition("\t")[0] for each in done.stdout.splitlines()] == [expected]
    assert done.stderr == ""


@needs("zsh")
@pytest.mark.parametrize(("line", "expected"), ASKED)
def test_zsh_completes(folder: Path, capsys: pytest.CaptureFixture[str], line: str, expected: str) -> None:
    """At a terminal, as nothing else completes there."""
    (folder / "_lineage").write_text(script("zsh", capsys))
    pty = pytest.importorskip("pty")
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "PS1": "", "TERM": "dumb", "HOME": str(folder)})
    try:
        os.write(terminal, ZSH.encode())
        read_until(terminal, "READY")
        os.write(terminal, f"{line}\t".encode())
        shown = read_until(terminal, ">>")
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)
    assert re.findall(r"<<(.*)>>", shown) == [f"{line.rpartition(' ')[0]} {expected} "]


def read_until(terminal: int, end: str) -> str:
    shown, deadline = "", time.monotonic() + 60
    while end not in shown and time.monotonic() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 65536).decode(errors="replace")
    return shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_command_is_in_the_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    written = script(shell, capsys)
    assert [name for name in COMMANDS if not re.search(rf"\b{name}\b", written)] == []
    assert "lineage completion" in written.splitlines()[0] + written.splitlines()[1]
