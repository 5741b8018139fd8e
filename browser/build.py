"""Write what is made from style.json and queries/: `make browser`.

lineage.grass, to be dropped on the Browser's window; saved-queries.zip, for its list of saved scripts; and the line of
docker-compose.yml that makes the Browser take the style by itself when it has connected.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parent
STYLE = FOLDER / "style.json"
GRASS = FOLDER / "lineage.grass"
QUERIES = FOLDER / "queries"
QUERIES_ZIP = FOLDER / "saved-queries.zip"
COMPOSE = FOLDER.parent / "docker-compose.yml"

_COMPOSE_LINE = re.compile(r"^( *NEO4J_browser_post__connect__cmd: ).*$", re.MULTILINE)
_TEXTS = frozenset({"caption"})
"""Values that GraSS wants in quotes."""


def grass() -> str:
    """The style as GraSS, Neo4j Browser's form of CSS."""
    rules: dict[str, dict[str, str]] = json.loads(STYLE.read_text())
    return "\n".join(
        f"{selector} {{\n" + "".join(f"  {key}: {_value(key, value)};\n" for key, value in rule.items()) + "}\n"
        for selector, rule in rules.items()
    )


def _value(key: str, value: str) -> str:
    return f"'{value}'" if key in _TEXTS else value


def post_connect_command() -> str:
    """The style as a command, for the server's setting browser.post_connect_cmd."""
    return "style " + json.dumps(json.loads(STYLE.read_text()), separators=(",", ":"))


def saved_queries() -> bytes:
    """The queries in a zip, the same bytes wherever it is made: no times, no compression."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(QUERIES.glob("*.cypher")):
            entry = zipfile.ZipInfo(f"lineage/{file.name}", date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, also where this runs on Windows
            archive.writestr(entry, file.read_bytes())
    return packed.getvalue()


def with_style(compose: str) -> str:
    """The compose file with the command in its place: a YAML text in single quotes."""
    return _COMPOSE_LINE.sub(lambda line: f"{line[1]}'{post_connect_command()}'", compose)


def main() -> None:
    GRASS.write_text(grass())
    QUERIES_ZIP.write_bytes(saved_queries())
    COMPOSE.write_text(with_style(COMPOSE.read_text()))


if __name__ == "__main__":
    main()
