"""What Dockerfile and docker-compose.yml say of the server, run without a container engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")["services"]


def words_after(instruction: str) -> list[str]:
    """The JSON list of an instruction of the image."""
    [found] = re.findall(rf"^{instruction} .*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


def test_the_image_s_command_serves_and_its_health_check_tells() -> None:
    program, *arguments = words_after("ENTRYPOINT")
    assert program == "lineage"
    check = words_after("HEALTHCHECK")
    assert check == ["python", "-m", "lineage.server.probe"]
    command = [sys.executable, "-m", "lineage", *arguments, "--port", "0"]
    environment = {**os.environ, "LINEAGE_STORE": "memory:"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as run:
        assert run.stdout is not None
        found = re.fullmatch(r"serving memory: on grpc://0\.0\.0\.0:(\d+)\n", run.stdout.readline())
        assert found
        probe = [sys.executable, *check[1:], f"127.0.0.1:{found[1]}"]  # the image's asks port 8080, the default
        assert subprocess.run(probe, check=False).returncode == 0
        run.terminate()
        assert run.wait(timeout=30) == 0
    assert subprocess.run(probe, check=False).returncode == 1


def test_compose_gives_the_server_its_database_and_time_to_stop() -> None:
    server = SERVICES["server"]
    store = urlsplit(server["environment"]["LINEAGE_STORE"])
    # A neo4j:// URL would be answered with the address that Neo4j advertises, which is for clients outside.
    assert (store.scheme, store.hostname, store.port) == ("bolt", "neo4j", 7687)
    assert server["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
    assert "healthcheck" in SERVICES["neo4j"]
    assert server["restart"] == "unless-stopped"
    assert server["environment"]["LINEAGE_NEO4J_PASSWORD"] == "${LINEAGE_NEO4J_PASSWORD}"
    words = words_after("ENTRYPOINT")
    assert float(words[words.index("--grace-s") + 1]) < 10  # what `docker stop` waits
    assert "image" not in server  # Compose would look for one of that name elsewhere before it builds
