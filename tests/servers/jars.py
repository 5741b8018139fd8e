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

NEO4J_VERSION = os.environ.get("LINEAGE_TEST_NEO4J_VERSION", "5.26.31")
"""5.26 has long-term support, and is the last line that runs on Java 17. `make neo4j-matrix` takes others too."""
BROWSER_VERSION = "5.24.0"

_IS_OF_THE_5_LINE = NEO4J_VERSION.startswith("5.")
_JAVA_VERSIONS = (17, 21) if _IS_OF_THE_5_LINE else (21, 25)
MAIN_CLASS = "org.neo4j.server." + ("CommunityEntryPoint" if _IS_OF_THE_5_LINE else "Neo4jCommunity")
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
    """A server that the tests need is not here; the message says why."""


class NotInstalledError(ServerMissingError):
    """A program that it takes is not on this machine."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}. `make servers` installs what is missing, or says how")
        self.what = what


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
    wanted = " or ".join(map(str, _JAVA_VERSIONS))
    raise NotInstalledError(f"Java {wanted}, to run Neo4j {NEO4J_VERSION} ({others}; or a Docker engine)")


def maven() -> Path:
    found = shutil.which("mvn")
    if found is None:
        raise NotInstalledError("Maven, to fetch Neo4j's jars (no mvn on the PATH; or a Docker engine)")
    return Path(found)


def jars() -> Path:
    """The folder with Neo4j's jars (137 MB, fetched once). Several processes may ask at once."""
    folder = _folder()
    if not folder.exists():
        with locked(folder.parent / f"{folder.name}.lock"):
            if not folder.exists():
                _fetch(folder)
    return folder / "lib"


def jars_are_here() -> bool:
    return _folder().exists()


def _folder() -> Path:
    return cache_folder() / f"neo4j-{NEO4J_VERSION}"


def _fetch(folder: Path) -> None:
    for left_over in folder.parent.glob(f"{folder.name}-*"):  # by a fetch that was killed: only one runs at a time
        shutil.rmtree(left_over, ignore_errors=True)
    fetching = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    try:
        copy_jars(_POM, fetching)
        fetching.rename(folder)  # whole or not at all
    finally:
        shutil.rmtree(fetching, ignore_errors=True)


def copy_jars(pom: str, folder: Path) -> None:
    """Copy what a project of Maven's depends on to the folder `lib` of a folder."""
    (folder / "pom.xml").write_text(pom)
    command = [str(maven()), "-q", "-B", "-f", str(folder / "pom.xml"), _COPY]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={folder / 'lib'}"]
    said = ""
    for pause_s in _PAUSES_S:
        time.sleep(pause_s)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return
        said = (done.stdout + done.stderr)[-4000:]
    raise ServerMissingError(f"Neo4j's jars could not be fetched from Maven Central; mvn said:\n{said}")


@contextmanager
def locked(file: Path) -> Generator[None]:
    """Hold a lock against other processes, and other threads, of this machine."""
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
