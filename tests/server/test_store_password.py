"""``lineage serve --store-password-file``: what the file may hold, what is refused, and that nothing shows it.

That a server logs in with it: tests/neo4j/test_deployed.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lineage.cli import secret_files

SECRET = "correct horse 9"


def said_by(*arguments: str, **environment: str) -> str:
    """What the command says when it refuses to start."""
    done = subprocess.run(
        [sys.executable, "-m", "lineage", "serve", "--port=0", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    return path


def test_the_store_is_given_the_password_by_option_and_by_environment(file: Path) -> None:
    refused = "a memory store has no option 'password'"  # so it was asked for one
    assert refused in said_by(f"--store-password-file={file}", LINEAGE_STORE="memory:")
    assert refused in said_by(LINEAGE_STORE="memory:", LINEAGE_STORE_PASSWORD_FILE=str(file))


@pytest.mark.parametrize("text", ["{}", "{}\n", "{}\r\n"])
def test_the_password_is_the_one_line_of_the_file(file: Path, text: str) -> None:
    file.write_bytes(text.format(SECRET).encode())
    assert secret_files.password_for("bolt://lineage@host:7687", str(file)) == SECRET


@pytest.mark.parametrize("content", [b"", b"\n", f"{SECRET}\nmore\n".encode(), b"\xff"])
def test_a_file_that_is_no_password_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    said = said_by("--store=bolt://lineage@localhost", f"--store-password-file={file}")
    assert "one line, the store's password" in said or "cannot read the store's password" in said


def test_a_password_twice_or_of_nothing_is_refused(file: Path) -> None:
    option = f"--store-password-file={file}"
    assert "keep one of them" in said_by(f"--store=bolt://lineage:{SECRET[:5]}@localhost", option)
    mysql = ("--mysql_config_host=h", "--mysql_config_port=1", "--mysql_config_database=d")
    assert "goes with --store" in said_by(option, *mysql)
    assert "cannot read the store's password" in said_by("--store=bolt://localhost", "--store-password-file=none")


def test_secrets_of_a_container_engine_bring_no_hint_that_nobody_could_follow(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file.chmod(0o644)
    secret_files.warn_if_open(str(file))
    assert "other users of this machine" in caplog.text
    caplog.clear()
    monkeypatch.setattr(secret_files, "CONTAINER_SECRETS", file.parent)
    secret_files.warn_if_open(str(file))
    assert caplog.text == ""
