"""ml_metadata at work on a server's database, in a process of its own: python -m tests.sql_servers.mlmd_program ..."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.sql.listing import listing
from tests.sql.mlmd_program import ROOT, put_step

__all__ = ["ask_mlmd", "config_of", "start_mlmd"]


def start_mlmd(command: str, url: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.sql_servers.mlmd_program", command, url, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ask_mlmd(command: str, url: str, *arguments: str) -> Any:
    """Run a command in a process of its own, and return what it prints."""
    process = start_mlmd(command, url, *arguments)
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return json.loads(said.splitlines()[-1])


def config_of(url: str, pb: Any, *, skip_db_creation: bool = True) -> Any:
    """The ConnectionConfig of a URL."""
    parts = urlsplit(url)
    config = pb.ConnectionConfig()
    if parts.scheme == "postgresql":
        config.postgresql.host = parts.hostname
        config.postgresql.port = str(parts.port or 5432)
        config.postgresql.dbname = parts.path[1:]
        config.postgresql.user = parts.username or ""
        config.postgresql.password = unquote(parts.password or "")
        config.postgresql.skip_db_creation = skip_db_creation
        return config
    config.mysql.host = parts.hostname
    config.mysql.port = parts.port or 3306
    config.mysql.database = parts.path[1:]
    config.mysql.user = parts.username or ""
    config.mysql.password = unquote(parts.password or "")
    config.mysql.skip_db_creation = skip_db_creation
    return config


def main(command: str, url: str, *arguments: str) -> Any:
    pb = import_module("ml_metadata.proto.metadata_store_pb2")
    store = import_module("ml_metadata.metadata_store.metadata_store").MetadataStore(config_of(url, pb))
    if command == "list":
        return listing(store)
    if command == "put":
        return [put_step(store, name, pb=pb) for name in arguments]
    assert command == "create"
    return None


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
