"""The options of MLMD's server, and the commands, on a PostgreSQL database."""

from __future__ import annotations

import argparse
from urllib.parse import urlsplit

import pytest

import lineage
from lineage import ArtifactType
from lineage.cli import main
from lineage.cli.mlmd_flags import add_arguments, connection_of
from lineage.mlmd.connection import open_database

pytestmark = pytest.mark.postgres


def test_the_options_of_mlmds_server_open_it(url: str) -> None:
    parts = urlsplit(url)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args(
        [
            "--metadata-source-config-type=postgresql",
            f"--postgres-config-hostaddr={parts.hostname}",
            f"--postgres-config-port={parts.port or 5432}",
            f"--postgres-config-user={parts.username}",
            f"--postgres-config-password={parts.password or ''}",
            f"--postgres-config-dbname={parts.path[1:]}",
            "--postgres-config-sslmode=prefer",
        ]
    )
    with open_database(connection_of(arguments)) as store:
        store.put_artifact_type(ArtifactType(name="A"))
    with lineage.open_store(url) as store:
        assert [each.name for each in store.get_artifact_types()] == ["A"]


def test_commands(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    lineage.open_store(url).close()
    assert main(["check", url]) == 0
    assert main(["db", "status", url]) == 0
    assert "10" in capsys.readouterr().out
    assert main(["copy", url, "memory:", "--dry-run"]) == 0
