"""Where a store is: the URL, or the path, of a file; the URL of a server's database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from lineage.errors import InvalidArgumentError, near_matches, short_repr, shown_url

__all__ = ["Address", "PostgresAddress", "ServerAddress", "parse_address", "parse_mysql", "parse_postgres"]

_MODES = ("rwc", "rw", "ro")
_JOURNALS = ("wal", "delete")


@dataclass(frozen=True)
class Address:
    """A file, and how to open it."""

    path: str
    mode: str = "rwc"
    journal_mode: str = "wal"


def parse_address(url: str, options: Mapping[str, Any]) -> Address:
    """Return what a URL or a path says, with options. Raises InvalidArgumentError for what cannot be."""
    scheme, colon, rest = url.partition(":")
    if not colon or scheme.lower() != "sqlite":
        return _address(str(Path(url).expanduser()), url, options)
    place, _, query = rest.partition("?")
    if not place.startswith("///"):
        raise InvalidArgumentError(
            f"{shown_url(url)!r} names no file; write sqlite:///PATH, or sqlite:////PATH for one from the root"
        )
    path = unquote(place[3:])
    given = dict(parse_qsl(query, keep_blank_values=True))
    if path.startswith("file:"):  # MLMD takes SQLite's own URIs
        path, _, of_uri = path.removeprefix("file:").partition("?")
        given = {**dict(parse_qsl(of_uri)), **given}
        path = f"/{path.lstrip('/')}" if path.startswith("//") else path
    if path in ("", ":memory:"):
        raise InvalidArgumentError(f"{shown_url(url)!r} names no file; use 'memory:' for a store in this process")
    return _address(path, url, {**given, **options})


def _address(path: str, url: str, options: Mapping[str, Any]) -> Address:
    known = ("mode", "journal_mode")
    for name in options:
        if name not in known:
            near = near_matches(name, known)
            raise InvalidArgumentError(
                f"{url!r}: a store in SQLite has no option {name!r}{near}; it has {', '.join(known)}"
            )
    mode = options.get("mode", Address.mode)
    if mode not in _MODES:
        raise InvalidArgumentError(f"{url!r}: mode is one of {', '.join(_MODES)}, not {short_repr(mode)}")
    journal = str(options.get("journal_mode", Address.journal_mode)).lower()
    if journal not in _JOURNALS:
        raise InvalidArgumentError(f"{url!r}: journal_mode is one of {', '.join(_JOURNALS)}, not {short_repr(journal)}")
    return Address(path, mode, journal)


_SSL = ("key", "cert", "ca", "capath", "cipher")
_MYSQL = (
    "user",
    "password",
    "socket",
    "skip_db_creation",
    "pool_size",
    *(f"ssl_{name}" for name in _SSL),
    "ssl_verify_server_cert",
)
_TRUTHS = {"true": True, "1": True, "false": False, "0": False, True: True, False: False}


@dataclass(frozen=True)
class ServerAddress:
    """A database of a server, and how to reach it. Neither ``repr`` nor ``shown`` has the password."""

    shown: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    socket: str = ""
    ssl: Mapping[str, str] = field(default_factory=dict[str, str])
    ssl_verify: bool = False
    skip_db_creation: bool = False
    pool_size: int = 32


def parse_mysql(url: str, options: Mapping[str, Any]) -> ServerAddress:
    """Return what a URL ``mysql://USER:PASSWORD@HOST:PORT/DATABASE?...`` says, with options.

    Raises InvalidArgumentError for what cannot be.
    """
    shown, parts, database, given = _parsed(url, options, _Kind("mysql", "MySQL", 64, _MYSQL))
    socket = str(given.get("socket", ""))
    if socket and parts.hostname:
        raise InvalidArgumentError(f"{shown!r} has a host and a socket; leave one of them out")
    return ServerAddress(
        shown=shown,
        user=str(given.get("user", unquote(parts.username or ""))),
        password=str(given.get("password", unquote(parts.password or ""))),
        host=parts.hostname or "localhost",
        port=parts.port or 3306,
        database=database,
        socket=socket,
        ssl={name: str(given[f"ssl_{name}"]) for name in _SSL if given.get(f"ssl_{name}")},
        ssl_verify=_truth(shown, given, "ssl_verify_server_cert"),
        skip_db_creation=_truth(shown, given, "skip_db_creation"),
        pool_size=_size(shown, given.get("pool_size", ServerAddress.pool_size)),
    )


_LIBPQ = ("hostaddr", "passfile", "sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert")
"""The options that go to PostgreSQL's own library as they are."""
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_POSTGRES = ("user", "password", "host", *_LIBPQ, "skip_db_creation", "pool_size")


@dataclass(frozen=True)
class PostgresAddress:
    """A database of PostgreSQL, and the parameters of libpq by which it is reached: ``repr`` has none of them."""

    shown: str
    parameters: Mapping[str, str] = field(repr=False)
    database: str
    skip_db_creation: bool = False
    pool_size: int = 32


def parse_postgres(url: str, options: Mapping[str, Any]) -> PostgresAddress:
    """Return what a URL ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE?...`` says, with options.

    Raises InvalidArgumentError for what cannot be.
    """
    shown, parts, database, given = _parsed(url, options, _Kind("postgresql", "PostgreSQL", 63, _POSTGRES))
    if given.get("host") and parts.hostname:
        raise InvalidArgumentError(f"{shown!r} has two hosts; leave one of them out")
    parameters = {
        "host": str(given.get("host", parts.hostname or "")),
        "port": str(parts.port or ""),
        "user": str(given.get("user", unquote(parts.username or ""))),
        "password": str(given.get("password", unquote(parts.password or ""))),
        **{name: str(given[name]) for name in _LIBPQ if name in given},
    }
    mode = parameters.get("sslmode", _SSL_MODES[0])
    if mode not in _SSL_MODES:
        raise InvalidArgumentError(f"{shown!r}: sslmode is one of {', '.join(_SSL_MODES)}, not {short_repr(mode)}")
    if any("\0" in value for value in parameters.values()):
        raise InvalidArgumentError(f"{shown!r}: an option has the character NUL in it; write what is meant")
    return PostgresAddress(
        shown=shown,
        parameters={name: value for name, value in parameters.items() if value},
        database=database,
        skip_db_creation=_truth(shown, given, "skip_db_creation"),
        pool_size=_size(shown, given.get("pool_size", PostgresAddress.pool_size)),
    )


@dataclass(frozen=True)
class _Kind:
    """A kind of server: the scheme of its URLs, its name, how long a database's name may be, and its options."""

    scheme: str
    name: str
    longest: int
    options: tuple[str, ...]


def _parsed(url: str, options: Mapping[str, Any], kind: _Kind) -> tuple[str, SplitResult, str, dict[str, Any]]:
    """Return how messages show a server's URL, its parts, the database, and the options of its query and apart."""
    shown = shown_url(url)
    form = f"{kind.scheme}://USER:PASSWORD@HOST:PORT/DATABASE"
    refusal = InvalidArgumentError(f"{shown!r} is no URL; write {form}, with what is special in the password as %XX")
    if shown.endswith("..."):  # a password that is not encoded may be anywhere in it
        raise refusal
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # it raises
    except ValueError:
        raise refusal from None
    database = unquote(parts.path[1:])
    if not database or "/" in database or "\0" in database or len(database.encode()) > kind.longest:
        raise InvalidArgumentError(f"{shown!r} names no database; write {form}")
    given = {**dict(parse_qsl(parts.query, keep_blank_values=True)), **options}
    for name in given:
        if name not in kind.options:
            near = near_matches(name, kind.options)
            raise InvalidArgumentError(
                f"{shown!r}: a store in {kind.name} has no option {name!r}{near}; it has {', '.join(kind.options)}"
            )
    return shown, parts, database, given


def _truth(shown: str, given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name, False)
    found = _TRUTHS.get(value.lower() if isinstance(value, str) else value)
    if found is None:
        raise InvalidArgumentError(f"{shown!r}: {name} is true or false, not {short_repr(value)}")
    return found


def _size(shown: str, given: Any) -> int:
    if (isinstance(given, str) and given.isascii() and given.isdigit()) or type(given) is int:
        size = int(given)
        if size > 0:
            return size
    raise InvalidArgumentError(f"{shown!r}: pool_size is a number of connections above 0, not {short_repr(given)}")
