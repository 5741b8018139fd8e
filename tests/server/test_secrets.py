"""No password and no token is shown: in no repr, public attribute, error, log, trace or output, on any way in."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage.errors import shown_url
from lineage.mlmd import MetadataStore
from lineage.mlmd.proto import metadata_store_pb2
from lineage.remote import connect
from lineage.server import Server, TokenFile

pb: Any = metadata_store_pb2
MARKER = "hunter2xyzzy"
PASSWORDS = (MARKER, f"{MARKER}/x", f"x/{MARKER}", f"{MARKER}?x", f"x?{MARKER}", f"x#{MARKER}", f"{MARKER}@{MARKER}",
             f"x:{MARKER}", f"{MARKER}]", f"x?a={MARKER}", f"x%{MARKER}", f" {MARKER} ", f"12/{MARKER}")  # fmt: skip
SHAPES = (
    "{scheme}://user:{password}@127.0.0.1:1",
    "{scheme}://user:{password}@127.0.0.1:1/database?unknown={password}",
    "{scheme}://user:{password}",
    "{scheme}://:{password}@127.0.0.1:x",
    "{scheme}://{password}@127.0.0.1:1",
    "{scheme}://user:{password}@[::1",
    "{scheme}:user:{password}@127.0.0.1",
    "{scheme}:/user:{password}@127.0.0.1",
    "{scheme}://127.0.0.1:1/?password={password}&token={password}",
    "{scheme}://127.0.0.1:1/?token={password}",
    "{scheme}://user:{password}@127.0.0.1:99999",
)
SCHEMES = ("bolt", "neo4j", "neo4j+s", "grpc", "grpcs", "memory", "mysql", "postgresql", "sqlite", "nosuch")
WITHOUT_HOST = "{scheme}://user:{password}"  # what comes after an @ would be its host, and user:12 a host with a port
URLS = [
    shape.format(scheme=scheme, password=password)
    for scheme in SCHEMES
    for shape in SHAPES
    for password in PASSWORDS
    if shape != WITHOUT_HOST or not ("@" in password or password.startswith("12/"))
]


def shown_of(error: BaseException) -> str:
    return f"{error!r} {error} {''.join(traceback.format_exception_only(error))} {chained(error)}"


def chained(error: BaseException | None) -> str:
    """The messages of what is printed with an error: not the lines of source, for these are the caller's own."""
    texts = []
    while error is not None:
        texts.append(f"{type(error)} {error}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return " ".join(texts)


def public(value: object) -> Iterator[object]:
    yield repr(value)
    yield str(value)
    for name in dir(value):
        if not name.startswith("_") and not callable(member := getattr(value, name)):
            yield member


def expect_nothing_shown(opening: Callable[[], Any], log: pytest.LogCaptureFixture) -> None:
    seen: list[object] = []
    try:
        with opening() as opened:
            seen += public(opened)
    except Exception as error:  # noqa: BLE001  # whatever it is
        seen.append(shown_of(error))
    assert MARKER not in f"{seen} {log.text}"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_urls(scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for url in URLS:
        if url.partition(":")[0] != scheme:
            continue
        assert MARKER not in shown_url(url)
        expect_nothing_shown(partial(lineage.open_store, url, timeout_s=0.2), caplog)
        expect_nothing_shown(partial(MetadataStore, f"{url}&timeout_s=0.2" if "?" in url else url), caplog)


def test_options(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.DEBUG)
    every: tuple[dict[str, Any], ...] = (
        {"password": MARKER},
        {"user": "u", "password": MARKER},
        {"passwort": MARKER},
        {"token": MARKER},
    )
    for options in every:
        for url in ("bolt://127.0.0.1:1", "memory:", "grpc://127.0.0.1:1", "grpc://example.invalid:1"):
            expect_nothing_shown(partial(lineage.open_store, url, **options), caplog)
    for token in (MARKER, f"{MARKER}\n", f"{MARKER}é"):
        monkeypatch.setenv("LINEAGE_TOKEN", token)
        for url in ("grpc://127.0.0.1:1", "grpc://example.invalid:1"):
            expect_nothing_shown(partial(connect, url, timeout_s=0.2), caplog)
    monkeypatch.setenv("LINEAGE_NEO4J_PASSWORD", MARKER)
    expect_nothing_shown(lambda: lineage.open_store("bolt://127.0.0.1:1", timeout_s=0.2), caplog)


def test_messages_of_mlmd(caplog: pytest.LogCaptureFixture) -> None:
    configs = [
        pb.ConnectionConfig(mysql={"host": "h", "user": "u", "password": MARKER, "database": "d"}),
        pb.ConnectionConfig(postgresql={"host": "h", "user": "u", "password": MARKER, "dbname": "d"}),
        pb.ConnectionConfig(neo4j={"uri": "bolt://127.0.0.1:1", "user": "u", "password": MARKER}),
        pb.ConnectionConfig(neo4j={"uri": f"u:{MARKER}@127.0.0.1:1"}),
        pb.MySQLDatabaseConfig(password=MARKER),  # not what is to be passed
    ]
    for config in configs:
        expect_nothing_shown(partial(MetadataStore, config), caplog)


MYSQL = ("--mysql_config_host=h", "--mysql_config_port=1", "--mysql_config_database=d")


@pytest.mark.parametrize(
    "arguments",
    [
        [f"--store=bolt://u:{MARKER}@127.0.0.1:1"],
        [f"--store=bolt://u:{MARKER}/x@127.0.0.1:1"],
        [f"--store=nosuch://u:{MARKER}@127.0.0.1:1"],
        [f"--store-password={MARKER}"],
        ["--store-password", MARKER],
        [*MYSQL, f"--mysql_config_password={MARKER}"],
        [f"--mysql_config_passwd={MARKER}"],
    ],
)  # fmt: skip
def test_the_command(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "lineage", "serve", "--port=0", "--metadata-store-connection-retries=1"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert MARKER not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "content",
    [
        f'connection_config {{ mysql {{ password: "{MARKER}" host: h }} }}',
        f"connection_config {{ mysql {{ password: {MARKER} }} }}",
        f'connection_config {{ mysql {{ passwort: "{MARKER}" }} }}',
        f'connection_config {{ mysql {{ "{MARKER}" }} }}',
        f'connection_config {{ mysql {{ password: "{MARKER}" }} }}',
    ],
)
def test_a_config_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    command = [sys.executable, "-m", "lineage", "serve", "--port=0", f"--metadata_store_server_config_file={path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ})
    assert done.returncode == 1
    assert "cannot read" in done.stderr or "no backend" in done.stderr or "names no database" in done.stderr
    assert MARKER not in done.stdout + done.stderr


def test_a_store_of_a_server_with_a_token(
    serve: Callable[..., Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "tokens"
    path.write_text(f"read-only {MARKER}-and-more\n")
    tokens = TokenFile(str(path))
    url = f"grpc://localhost:{serve(tokens=tokens).port}"
    assert MARKER not in f"{tokens!r} {vars(tokens)}"
    expect_nothing_shown(lambda: connect(url, token=f"{MARKER}-and-more"), caplog)
    expect_nothing_shown(lambda: connect(f"{url}?token={MARKER}-and-more"), caplog)
    expect_nothing_shown(lambda: connect(f"{url}?token={MARKER}-which-is-not-known"), caplog)
