"""Run the Neo4j tests on 5.26 and on the newest Neo4j of Maven Central, with the oldest and the newest driver.

    python -m tests.neo4j_matrix [VERSION ...]          e.g. 2026.08.1

`make neo4j-matrix` runs it. The newest Neo4j runs twice, with Cypher 5 and with Cypher 25 as the database's default
language. It needs Java 21 or 25; where there is none, the command fails and says so. A Neo4j that a Docker engine or
LINEAGE_TEST_NEO4J_URL offers is not used.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.environments import ROOT, install, install_checkout, install_locked, new_environment, run_tests
from tests.servers.jars import ServerMissingError, copy_jars

LONG_TERM = "5.26.31"
LANGUAGES = ("CYPHER_5", "CYPHER_25")
DRIVERS = ("lowest-direct", "highest")
"""Of what pyproject.toml allows, in uv's words."""
TESTS = (
    *("tests/neo4j/test_plans.py", "tests/neo4j/test_golden.py", "tests/neo4j/test_round_trips.py"),
    *(
        "tests/neo4j/test_filters_like_memory.py",
        "tests/neo4j/test_lineage_like_memory.py",
        "tests/neo4j/test_graph.py",
    ),
    "tests/conformance",
)
_NEWEST = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>lineage.tests</groupId>
  <artifactId>newest-neo4j</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.neo4j</groupId>
      <artifactId>neo4j</artifactId>
      <version>[2026,)</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
  </dependencies>
</project>
"""


def newest() -> str:
    """Return the newest version that Maven Central has."""
    with tempfile.TemporaryDirectory() as folder:
        copy_jars(_NEWEST, Path(folder))
        [jar] = Path(folder, "lib").glob("neo4j-*.jar")
        return jar.stem.removeprefix("neo4j-")


def drivers() -> list[str]:
    """Return the driver's requirements, as the extra `neo4j` has them."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")  # tomllib comes with Python 3.11
    [line] = re.findall(r"^neo4j = \[(.*)\]$", text, re.MULTILINE)
    return re.findall(r'"([^"]+)"', line)


def run(version: str, language: str | None, resolution: str) -> bool:
    environment = {"LINEAGE_TEST_NEO4J_VERSION": version, "LINEAGE_TEST_NEO4J_URL": ""}
    if language:
        environment["LINEAGE_TEST_NEO4J_LANGUAGE"] = language
    with tempfile.TemporaryDirectory() as folder:
        python = new_environment(Path(folder))
        install_locked(python)
        install(python, "--upgrade", "--resolution", resolution, *drivers())
        install_checkout(python)
        ask = [str(python), "-c", "import neo4j; print(neo4j.__version__)"]
        driver = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
        ready = subprocess.run(
            [str(python), "-m", "tests.servers.ensure"],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            check=False,
        )
        if ready.returncode != 0:
            return False
        marks = ("-m", "not differential", "--backend", "neo4j", "--path", "direct")
        passed, last_line = run_tests(python, *marks, *TESTS, **environment)
    print(f"Neo4j {version:10} {language or '':10} driver {driver:8} {last_line}", flush=True)
    return passed


def main(versions: list[str]) -> int | str:
    try:
        chosen = versions or [LONG_TERM, newest()]
    except ServerMissingError as error:
        return f"error: {error}"
    cases = [
        (version, language, resolution)
        for version in chosen
        for language in ((None,) if version.startswith("5.") else LANGUAGES)
        for resolution in DRIVERS
    ]
    return 1 if [case for case in cases if not run(*case)] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
