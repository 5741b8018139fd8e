"""The URL of a Neo4j store, and the driver that serves it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import neo4j

from lineage.errors import InvalidArgumentError, near_matches, shown_url

logging.getLogger("neo4j").addHandler(logging.NullHandler())
"""What the driver says of a lost connection goes where the user's loggers send it, and not to the terminal."""

__all__ = ["SCHEMES", "Address", "connector", "parse_address"]

SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is, and who asks. ``url`` has neither a password nor a database in it."""

    url: str
    user: str | None
    password: str | None
    database: str


def parse_address(
    url: str, *, user: str | None = None, password: str | None = None, database: str | None = None
) -> Address:
    """Return the address that a URL means.

    What the arguments leave open is taken from the URL, ``neo4j://USER:PASSWORD@HOST:PORT/DATABASE``, and then from
    LINEAGE_NEO4J_USER, LINEAGE_NEO4J_PASSWORD and LINEAGE_NEO4J_DATABASE; the database is ``neo4j`` if nobody says.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
        if "@" in parts.path + parts.query + parts.fragment:  # the end of a password was taken for a database
            raise ValueError
    except ValueError:  # its text may have a password in it
        raise InvalidArgumentError(
            f"{shown_url(url)!r} has a bad host or a bad port; use neo4j://host:7687, and give a password with a "
            "special character as password=, or percent-encoded"
        ) from None
    if parts.scheme not in SCHEMES:
        raise InvalidArgumentError(f"{parts.scheme!r} is no scheme of Neo4j; use one of {', '.join(SCHEMES)}")
    if not host:
        raise InvalidArgumentError("the URL of the Neo4j store has no host; use e.g. 'neo4j://localhost:7687'")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    named = [each for each in (unquote(parts.path.strip("/")), options.pop("database", "")) if each]
    if len(set(named)) > 1:
        raise InvalidArgumentError(f"the URL names the databases {named[0]!r} and {named[1]!r}; name one")
    if options and not parts.scheme.startswith("neo4j"):
        raise InvalidArgumentError(f"a bolt URL takes no option {next(iter(options))!r}; leave it out")
    named_database = database or (named[0] if named else None) or os.environ.get("LINEAGE_NEO4J_DATABASE") or "neo4j"
    if named_database.lower() == "system":
        raise InvalidArgumentError(
            "the database 'system' is where Neo4j keeps its users and databases, and holds no nodes; name another one "
            "with database=, in the URL or as LINEAGE_NEO4J_DATABASE ('neo4j' is the one that every server has)"
        )
    literal = f"[{host}]" if ":" in host else host
    routing = f"?{urlencode(options)}" if options else ""
    environment = os.environ
    return Address(
        url=f"{parts.scheme}://{literal}{'' if port is None else f':{port}'}{routing}",
        user=user or (unquote(parts.username) if parts.username else None) or environment.get("LINEAGE_NEO4J_USER"),
        password=password
        or (unquote(parts.password) if parts.password else None)
        or environment.get("LINEAGE_NEO4J_PASSWORD"),
        database=named_database,
    )


_DRIVER_OPTIONS = (
    "max_connection_pool_size",
    "connection_acquisition_timeout",
    "connection_timeout",
    "max_connection_lifetime",
    "liveness_check_timeout",
    "keep_alive",
    "trusted_certificates",
    "encrypted",
)


def connector(address: Address, options: dict[str, Any]) -> Callable[[], neo4j.Driver]:
    """Return what makes a driver, which sends nothing yet. Raises InvalidArgumentError on an unknown option."""
    for name in options:
        if name not in _DRIVER_OPTIONS:
            raise InvalidArgumentError(
                f"a Neo4j store has no option {name!r}{near_matches(name, _DRIVER_OPTIONS)}; leave it out"
            )
    auth = None
    if address.user or address.password:
        auth = (address.user or "neo4j", address.password or "")
    settings: dict[str, Any] = {
        "connection_timeout": 5.0,
        "connection_acquisition_timeout": 60.0,
        "keep_alive": True,
        **options,
    }
    return partial(
        neo4j.GraphDatabase.driver,
        address.url,
        auth=auth,
        user_agent="lineage-graph",
        notifications_min_severity="OFF",
        telemetry_disabled=True,  # it would be one more message with every statement
        **settings,
    )
