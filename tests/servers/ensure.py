"""See that what the server tests need is here, and fetch Neo4j's jars once: `make servers`.

What is missing is installed, by root or by sudo without a password, on a system with apt. Elsewhere all of it is
listed, with one command that installs it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.servers.chromium import chromium
from tests.servers.graphviz import dot
from tests.servers.jars import NotInstalledError, ServerMissingError, jars, jars_are_here, java, maven
from tests.servers.mariadb import programs as mariadb
from tests.servers.neo4j import docker_runs
from tests.servers.postgres import programs as postgres
from tests.servers.shells import shells

APT = ("apt-get", "-qq", "-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300")


@dataclass(frozen=True)
class Need:
    check: Callable[[], object]
    """Raises NotInstalledError where it is not here."""
    packages: str
    """Those of Debian and Ubuntu, as `apt-get satisfy` takes them: `a, b | c` is a, and b or c."""

    def missing(self) -> str | None:
        try:
            self.check()
        except NotInstalledError as error:
            return error.what
        return None


NEEDS = (
    Need(lambda: docker_runs() or java(), "openjdk-21-jre-headless | openjdk-17-jre-headless"),
    Need(lambda: docker_runs() or jars_are_here() or maven(), "maven"),
    Need(mariadb, "mariadb-server-core, mariadb-client-core"),  # the programs alone: nothing that starts by itself
    Need(postgres, "postgresql"),  # where services start by themselves, this one does too: the tests let it be
    Need(chromium, "chromium"),
    Need(dot, "graphviz"),
    Need(shells, "zsh, fish"),
)


def ensure(needs: Sequence[Need]) -> None:
    """Raise ServerMissingError with a list of all that is still missing."""
    missing = [need for need in needs if need.missing()]
    said = ""
    if missing and (prefix := root_prefix()) is not None:
        said = install(missing, prefix)
    still = {need: what for need in missing if (what := need.missing())}
    if still:
        raise ServerMissingError("\n".join((*listing(still), *filter(None, [said]))))


def root_prefix() -> tuple[str, ...] | None:
    """What a command is to begin with so that it may install packages; None where none can."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ()
    sudo = ("sudo", "-n")  # which fails where it would have to ask for a password
    if shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0:
        return sudo
    return None


def install(needs: Sequence[Need], prefix: Sequence[str]) -> str:
    """Install each by itself, so that one that apt does not have keeps none of the others away; return what failed."""
    failures: list[str] = []
    for arguments in (("update",), *(satisfy(need.packages) for need in needs)):
        print("==>", *prefix, "apt-get", shlex.join(arguments), flush=True)
        command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", *APT, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            failures.append(f"apt-get {shlex.join(arguments)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return "\n".join(failures)


def satisfy(packages: str) -> tuple[str, ...]:
    return ("satisfy", "--yes", "--no-install-recommends", packages)


def listing(missing: dict[Need, str]) -> list[str]:
    packages = ", ".join(need.packages for need in missing)
    quoted = f'"{packages}"'
    command = f"apt-get update && apt-get {' '.join(satisfy(quoted))}"
    as_root = "sudo sh -c" if shutil.which("sudo") else "su -c"
    return [
        "the server tests need what is not here:",
        *(f"  - {what}" for what in missing.values()),
        "On Debian and Ubuntu this installs all of it:",
        f"  {as_root} {shlex.quote(command)}",
    ]


if __name__ == "__main__":
    try:
        ensure(NEEDS)
        if not docker_runs():
            jars()
    except ServerMissingError as error:
        sys.exit(f"error: {error}")
