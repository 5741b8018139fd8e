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

from tests.servers.neo4j import IMAGE

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, Any] = COMPOSE["services"]


def words_after(instruction: str) -> list[str]:
    """The JSON list of an instruction of the image."""
    [found] = re.findall(rf"^{instruction} .*?(\[.*\])$", DOCKERFILE, re.MULTILINE)
    words: list[str] = json.loads(found)
    return words


def test_the_image_s_command_serves_and_its_health_check_tells() -> None:
    program, *arguments = words_after("ENTRYPOINT")
    assert program == "lineage"
    check = words_after("HEALTHCHECK")
    assert check == ["python", "-m", "lineage.server.probe", "--ready"]
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
    assert (store.username, store.password) == ("lineage", None), "a login of its own, and no password in sight"
    # `up --wait` takes a service that has ended for a failure, unless one that runs waits for its success.
    assert server["depends_on"]["login"] == {"condition": "service_completed_successfully"}
    assert SERVICES["login"]["depends_on"] == {"neo4j": {"condition": "service_healthy"}}
    assert "healthcheck" in SERVICES["neo4j"]
    assert server["restart"] == "unless-stopped"
    words = words_after("ENTRYPOINT")
    assert float(words[words.index("--grace-s") + 1]) < 10  # what `docker stop` waits
    assert "image" not in server  # Compose would look for one of that name elsewhere before it builds
    assert server["read_only"]


def test_compose_bounds_what_each_service_takes() -> None:
    for name, service in SERVICES.items():
        assert "mem_limit" in service, name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}, name


def test_compose_reads_each_password_from_a_file() -> None:
    # Compose cannot give a secret that is no file to a container that is read-only.
    assert all(secret.keys() == {"file"} for secret in COMPOSE["secrets"].values())
    for service in SERVICES.values():
        environment = service.get("environment", {})
        assert not [each for each in environment if "PASSWORD" in each and not each.endswith("_FILE")]
        for value in environment.values():
            if str(value).startswith("/run/secrets/"):
                assert Path(value).name in service["secrets"]


def test_compose_and_the_image_take_bases_that_are_pinned_by_digest() -> None:
    images = {service["image"] for service in SERVICES.values() if "image" in service}
    assert images == {"${LINEAGE_NEO4J_IMAGE:-" + IMAGE + "}"}
    arguments = SERVICES["server"]["build"]["args"]
    [base] = re.findall(r"^ARG PYTHON_IMAGE=(.*)$", DOCKERFILE, re.MULTILINE)
    assert arguments == {"PYTHON_IMAGE": "${LINEAGE_PYTHON_IMAGE:-" + base + "}"}
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) == {"${PYTHON_IMAGE}"}
