"""Where a server is, and how to be let in."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lineage.errors import InvalidArgumentError, near_matches, short_repr, shown_url
from lineage.remote.link import Link

__all__ = ["Address", "is_loopback", "link_to"]

_FROM_ENVIRONMENT = {
    "token": "LINEAGE_TOKEN",
    "ca": "LINEAGE_CA",
    "cert": "LINEAGE_CERT",
    "key": "LINEAGE_KEY",
    "timeout_s": None,
    "plain_token": None,
}
_FILES = ("ca", "cert", "key")
_DEFAULT_PORT = 8080


@dataclass(frozen=True, kw_only=True, repr=False)
class Address:
    """A server's address. ``url`` may be shown: it has no token."""

    url: str
    target: str
    is_secure: bool
    token: str | None
    ca: bytes | None
    cert: bytes | None
    key: bytes | None
    timeout_s: float | None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with each call."""
        return () if self.token is None else (("authorization", f"Bearer {self.token}"),)

    @classmethod
    def parse(cls, url: str, options: Mapping[str, Any]) -> Address:
        """Return the address of a URL with options. Raises InvalidArgumentError that says what is wrong."""
        shape = "write e.g. 'grpc://localhost:8080' or, with TLS, 'grpcs://lineage.example.org:443'"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or _DEFAULT_PORT
            if any("@" in name for name in dict(parse_qsl(parts.query, keep_blank_values=True))):
                raise ValueError  # the rest of a password
        except ValueError:  # its text may have a password in it
            raise InvalidArgumentError(f"{shown_url(url)!r} has a bad host or a bad port; {shape}") from None
        if parts.scheme not in ("grpc", "grpcs") or not host or parts.path.strip("/") or parts.fragment:
            raise InvalidArgumentError(f"{shown_url(url)!r} is not the address of a server; {shape}")
        if parts.username or parts.password:
            raise InvalidArgumentError(f"a server's address has no user and password; give a token; {shape}")
        given = _options(parts.query, options)
        is_secure = parts.scheme == "grpcs"
        files = {name: None if given[name] is None else _read(given[name], name) for name in _FILES}
        if not is_secure and any(_given(parts.query, options, name) for name in _FILES):
            raise InvalidArgumentError("ca, cert and key are for TLS; write grpcs:// in place of grpc://")
        if (files["cert"] is None) != (files["key"] is None):
            raise InvalidArgumentError("a client's certificate needs its key, and the reverse; give both cert and key")
        token = given["token"]
        if token is not None and not all(" " <= character <= "~" for character in token):
            raise InvalidArgumentError(
                "the token holds a character that cannot be sent, as is a line break at its end; give the token alone, "
                "which is of printable ASCII characters"
            )
        if token is not None and not is_secure and not is_loopback(host) and given["plain_token"] != "true":
            raise InvalidArgumentError(
                f"a token would be sent to {host!r} without TLS, for all to read; use grpcs://, or plain_token=true if "
                "the way is protected otherwise"
            )
        return cls(
            url=shown_url(url),
            target=f"{f'[{host}]' if ':' in host else host}:{port}",
            is_secure=is_secure,
            token=token,
            timeout_s=None if given["timeout_s"] is None else _seconds(given["timeout_s"]),
            **files,
        )


def _given(query: str, options: Mapping[str, Any], name: str) -> bool:
    return options.get(name) is not None or name in dict(parse_qsl(query))


def _options(query: str, options: Mapping[str, Any]) -> dict[str, str | None]:
    in_url = dict(parse_qsl(query, keep_blank_values=True))
    for name in (*options, *in_url):
        if name not in _FROM_ENVIRONMENT:
            raise InvalidArgumentError(
                f"there is no option {short_repr(name)} for a server{near_matches(name, _FROM_ENVIRONMENT)}; "
                f"the options are {', '.join(_FROM_ENVIRONMENT)}"
            )
    given: dict[str, str | None] = {}
    for name, variable in _FROM_ENVIRONMENT.items():
        value = options.get(name)
        if isinstance(value, bool):
            value = str(value).lower()
        if value is None:
            value = in_url.get(name) or (os.environ.get(variable) if variable else None)
        given[name] = None if value in (None, "") else str(value)
    return given


def _read(path: str | None, what: str) -> bytes:
    try:
        return Path(str(path)).read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"cannot read the {what} file {path!r}: {error.strerror or error}") from error


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise InvalidArgumentError(f"timeout_s must be a positive number of seconds, not {text!r}")
    return seconds


def is_loopback(host: str) -> bool:
    """Tell whether what is sent to a host, or listened for there, does not leave this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def link_to(address: Address) -> Link:
    """Return a link to the server, which connects when it is first used."""
    options = [
        ("grpc.max_receive_message_length", -1),
        ("grpc.max_send_message_length", -1),
        ("grpc.max_reconnect_backoff_ms", 1000),  # two minutes else: longer than a call is repeated
    ]
    tls = (address.ca, address.key, address.cert) if address.is_secure else None
    return Link(address.target, options=options, tls=tls)
