"""What can be chosen about a server."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lineage.errors import InvalidArgumentError
from lineage.server.access import CertificateRoles, TokenFile

__all__ = ["MEBIBYTE", "ServerOptions", "Tls"]

MEBIBYTE = 2**20
_LONGEST_GRACE_S = 86_400


@dataclass(frozen=True)
class Tls:
    """A server's certificate chain and private key (PEM); with ``client_ca`` clients must have one signed by it."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_ca: bytes | None = None
    files: tuple[str, str, str | None] | None = field(default=None, compare=False)
    """Where they were read, and are read again when they change."""

    @classmethod
    def from_files(cls, certificate: str, key: str, client_ca: str | None = None) -> Tls:
        """Read the files. Raises InvalidArgumentError that names the file which cannot be read."""
        return cls(
            _read(certificate, "certificate"),
            _read(key, "key"),
            None if client_ca is None else _read(client_ca, "client CA"),
            (certificate, key, client_ca),
        )

    def check(self) -> None:
        """Raise InvalidArgumentError if the certificate, the key or the client CA is no PEM, or they do not fit."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:  # only its owner may look into it, and ssl reads only files
            chain, key = Path(folder, "chain"), Path(folder, "key")
            chain.write_bytes(self.certificate)
            key.write_bytes(self.key)
            try:
                context.load_cert_chain(chain, key, password="")  # without one, it would ask at the terminal
            except (ssl.SSLError, ValueError) as error:
                raise InvalidArgumentError(
                    f"the TLS certificate and its key cannot be used: {error}; give a PEM certificate chain, the "
                    "server's own first, and the PEM key of that, not encrypted"
                ) from error
        if self.client_ca is not None:
            try:
                context.load_verify_locations(cadata=self.client_ca.decode("ascii", errors="backslashreplace"))
            except (ssl.SSLError, ValueError) as error:
                raise InvalidArgumentError(
                    f"the TLS client CA cannot be used: {error}; give the authority's certificate as PEM"
                ) from error


def _read(path: str, what: str) -> bytes:
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InvalidArgumentError(f"cannot read the {what} file {path!r}: {error.strerror or error}") from error
    if b"-----BEGIN" not in content:
        raise InvalidArgumentError(f"the {what} file {path!r} is not PEM: it has no -----BEGIN line")
    return content


@dataclass(frozen=True)
class ServerOptions:
    """How to serve a store.

    ``port`` 0 chooses a free one. ``max_request_bytes`` limits what is read of a request; ``max_response_bytes`` of
    None is no limit. ``tokens`` lets in only who has one; ``certificate_roles`` say what holders of certificates may
    do, and need ``tls`` with a ``client_ca``. ``allow_removal`` lets those with the role ``admin`` remove; without
    tokens and roles, everybody who may write. ``channel_arguments`` go to gRPC as they are and win over ours.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 16
    max_request_bytes: int = 256 * MEBIBYTE
    max_response_bytes: int | None = None
    tls: Tls | None = None
    tokens: TokenFile | None = None
    certificate_roles: CertificateRoles | None = None
    read_only: bool = False
    allow_removal: bool = False
    reflection: bool = True
    metrics_port: int | None = None
    grace_s: float = 30.0
    channel_arguments: Sequence[tuple[str, int | str]] = ()

    def __post_init__(self) -> None:
        for name, port in (("port", self.port), ("metrics_port", self.metrics_port)):
            if port is not None and not 0 <= port < 2**16:
                raise InvalidArgumentError(f"{name} must be between 0 and 65535, not {port!r}; 0 chooses a free one")
        if self.certificate_roles is not None and (self.tls is None or self.tls.client_ca is None):
            raise InvalidArgumentError("certificate_roles need TLS with a client CA, or nobody has a certificate")
        if self.threads < 1:
            raise InvalidArgumentError(f"threads must be at least 1, not {self.threads!r}")
        for name, limit in (("max_request", self.max_request_bytes), ("max_response", self.max_response_bytes)):
            if limit is not None and not 0 < limit < 2**31:
                raise InvalidArgumentError(f"{name}_bytes must be between 1 and 2 GiB - 1, not {limit!r}")
        if not 0 <= self.grace_s <= _LONGEST_GRACE_S:
            raise InvalidArgumentError(f"grace_s must be between 0 and {_LONGEST_GRACE_S}, not {self.grace_s!r}")
        for name, value in self.channel_arguments:
            if isinstance(value, int) and not -(2**31) <= value < 2**31:
                raise InvalidArgumentError(
                    f"the channel argument {name!r} must be between -2147483648 and 2147483647, not {value!r}"
                )
