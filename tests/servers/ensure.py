"""See that what the server tests need is here, and fetch Neo4j's jars: `make servers`.

What is missing is named with the command that installs it. Only on CI (CI=true, as root, on Debian) is it installed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.servers.chromium import chromium
from tests.servers.jars import ServerMissingError, jars, java
from tests.servers.mariadb import PACKAGES as MARIADB_PACKAGES
from tests.servers.mariadb import programs as mariadb
from tests.servers.neo4j import docker_runs


@dataclass(frozen=True)
class Need:
    check: Callable[[], object]
    """Raises `ServerMissingError` with what to do."""
    packages: tuple[str, ...]
    """Debian's."""


def neo4j() -> None:
    if not os.environ.get("LINEAGE_TEST_NEO4J_URL") and not docker_runs():
        java()
        jars()


NEEDS = (
    Need(neo4j, ("openjdk-17-jre-headless", "maven")),
    Need(mariadb, MARIADB_PACKAGES),
    Need(chromium, ("chromium",)),
)


def main() -> str | None:
    """Return what is missing, as `sys.exit` takes it."""
    return "\n".join(filter(None, map(missing, NEEDS))) or None


def missing(need: Need) -> str | None:
    try:
        try:
            need.check()
        except ServerMissingError:
            if not may_install():
                raise
            install(need.packages)
            need.check()
    except ServerMissingError as error:
        return f"error: {error}"
    return None


def may_install() -> bool:
    return os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: tuple[str, ...]) -> None:
    print("==> apt-get install", *packages, flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(
            ["apt-get", "-qq", "-o", "Acquire::Retries=3", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ServerMissingError(f"apt-get {' '.join(command)} failed:\n{(done.stdout + done.stderr)[-4000:]}")


if __name__ == "__main__":
    sys.exit(main())
