"""Java, and Neo4j's jars from Maven Central, kept in a cache folder outside the checkout."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

NEO4J_VERSION = "5.26.31"
"""5.26 has long-term support, and is the last line that runs on Java 17."""
BROWSER_VERSION = "5.24.0"
INSTALL_COMMAND = "apt-get install openjdk-17-jre-headless maven"

_JAVA_VERSIONS = (17, 21)  # what Neo4j 5.26 runs on
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
_PAUSES_S = (0, 5, 15, 30, 60)  # a burst of requests may be answered 429
_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>lineage.tests</groupId>
  <artifactId>neo4j-server</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.neo4j</groupId>
      <artifactId>neo4j</artifactId>
      <version>{NEO4J_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.neo4j.client</groupId>
      <artifactId>neo4j-browser</artifactId>
      <version>{BROWSER_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


class ServerMissingError(Exception):
    """A server that the tests need is not here; the message says how to get it."""


def cache_folder() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lineage-graph"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def java() -> Path:
    """The Java to run Neo4j with: of JAVA_HOME, of PATH, or where Debian installs it."""
    found: dict[Path, int] = {}
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    candidates = [Path(home, "bin", "java")] if home else []
    candidates += [Path(on_path)] if on_path else []
    for candidate in (*candidates, *sorted(Path("/usr/lib/jvm").glob("*/bin/java"))):
        if candidate.exists():
            said = subprocess.run([candidate, "-version"], capture_output=True, text=True, check=False).stderr
            version = re.search(r'version "(\d+)', said)
            found[candidate] = int(version[1]) if version else 0
            if found[candidate] in _JAVA_VERSIONS:
                return candidate
    others = ", ".join(f"{path} is Java {version}" for path, version in found.items()) or "no Java was found"
    raise ServerMissingError(_missing(f"Java 17 or 21 ({others})"))


def maven() -> Path:
    found = shutil.which("mvn")
    if found is None:
        raise ServerMissingError(_missing("Maven, to fetch Neo4j's jars (no mvn on the PATH)"))
    return Path(found)


def _missing(what: str) -> str:
    return (
        f"the Neo4j tests need a Neo4j server, and to start one {what}.\n"
        f"Debian, Ubuntu: sudo {INSTALL_COMMAND}\n"
        "Or start a Docker engine, or name an empty server: LINEAGE_TEST_NEO4J_URL=bolt://user:password@host:7687"
    )


def jars() -> Path:
    """The folder with Neo4j's jars (137 MB, fetched once). Several processes may ask at once."""
    folder = cache_folder() / f"neo4j-{NEO4J_VERSION}"
    if not folder.exists():
        with locked(folder.parent / f"{folder.name}.lock"):
            if not folder.exists():
                _fetch(folder)
    return folder / "lib"


def _fetch(folder: Path) -> None:
    for left_over in folder.parent.glob(f"{folder.name}-*"):  # by a fetch that was killed: only one runs at a time
        shutil.rmtree(left_over, ignore_errors=True)
    fetching = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        (fetching / "pom.xml").write_text(_POM)
        command = [str(maven()), "-q", "-B", "-f", str(fetching / "pom.xml"), _COPY]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={fetching / 'lib'}"]
        said = ""
        for pause_s in _PAUSES_S:
            time.sleep(pause_s)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                fetching.rename(folder)  # whole or not at all
                return
            said = (done.stdout + done.stderr)[-4000:]
    finally:
        shutil.rmtree(fetching, ignore_errors=True)
    raise ServerMissingError(f"Neo4j's jars could not be fetched from Maven Central; mvn said:\n{said}")


@contextmanager
def locked(file: Path) -> Generator[None]:
    """Hold a lock against other processes, and other threads, of this machine."""
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
