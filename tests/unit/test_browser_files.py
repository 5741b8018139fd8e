"""What is made from browser/style.json and browser/queries is what `make browser` would make now."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from browser import build
from tests.servers.neo4j import IMAGE

QUERIES = sorted(build.QUERIES.glob("*.cypher"))


def test_grass_says_what_the_style_says() -> None:
    assert build.GRASS.read_text() == build.grass(), "run: make browser"


def test_the_compose_file_sets_the_style() -> None:
    compose = build.COMPOSE.read_text()
    assert compose == build.with_style(compose), "run: make browser"
    environment = YAML(typ="safe").load(compose)["services"]["neo4j"]["environment"]
    assert environment["NEO4J_browser_post__connect__cmd"] == build.post_connect_command()
    assert "$" not in build.post_connect_command()  # Compose would replace it


def test_the_style_leaves_no_colour_for_other_labels() -> None:
    """Neo4j Browser gives new labels, our types', colours of their own over ours until 13 rules have one."""
    assert build.grass().count("  color: ") >= 13


def test_the_zip_has_the_queries() -> None:
    assert build.QUERIES_ZIP.read_bytes() == build.saved_queries(), "run: make browser"
    with zipfile.ZipFile(build.QUERIES_ZIP) as archive:
        packed = {Path(name).name: archive.read(name) for name in archive.namelist()}
    assert packed == {file.name: file.read_bytes() for file in QUERIES}


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
def test_a_saved_query_says_its_name_and_what_it_shows(file: Path) -> None:
    name, shows = file.read_text().splitlines()[:2]
    assert name.startswith("// ")
    assert file.stem[3:].replace("-", " ") == name[3:].lower().rstrip("?"), "the Browser shows the first line as name"
    assert len(name[3:]) <= 26, "the Browser cuts longer names"
    assert shows.startswith("// ")


def test_docker_compose_accepts_the_compose_file() -> None:
    """By the schema of the Compose specification: `docker compose` itself need not be installed."""
    files = (str(build.COMPOSE), str(build.COMPOSE.parent / "deploy" / "secure.yml"))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_run_the_image_that_users_run() -> None:
    image = YAML(typ="safe").load(build.COMPOSE)["services"]["neo4j"]["image"]
    assert image == "${LINEAGE_NEO4J_IMAGE:-" + IMAGE + "}"
