"""Who may call what."""

from __future__ import annotations

import hashlib
import hmac
import re
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from lineage.api.served import Access
from lineage.errors import InvalidArgumentError, PermissionDeniedError, UnauthenticatedError

__all__ = ["Caller", "CertificateRoles", "Gate", "Role", "TokenFile", "open_to_others"]

Metadata = Iterable[tuple[str, str | bytes]]
SHORTEST_TOKEN = 16
"""How many characters a token has at least: shorter ones can be guessed."""
_NAME = re.compile(r"[\w.@:/-]{1,64}")


class Role(Enum):
    """What a caller may do."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"
    ADMIN = "admin"

    def allows(self, access: Access) -> bool:
        """Whether this role may make a call that needs some access to the store."""
        return _RANKS[self] >= _NEEDED[access]


_RANKS = {role: rank for rank, role in enumerate(Role)}
_NEEDED: Mapping[Access, int] = {"read": 0, "write": 1, "admin": 2}


@dataclass(frozen=True)
class Caller:
    """Who calls: what it may do, and the name of its token, or of its certificate, if it has one."""

    role: Role
    name: str | None = None


_ROLES = {role.value: role for role in Role}


class TokenFile:
    """The bearer tokens of a file: one ``role token name`` a line, ``#`` for comments; the name may be left out.

    Only digests are kept. Raises InvalidArgumentError that names the file and the line, and never shows a token.
    """

    def __init__(self, path: str) -> None:
        self.paths = (path,)
        self._callers: tuple[tuple[bytes, Caller], ...] = ()
        self.reload()

    def reload(self) -> None:
        """Read the file again. Raises InvalidArgumentError, and then the tokens stay as they were."""
        callers = tuple(self._read())
        if not callers:
            raise InvalidArgumentError(
                f"the token file {self.paths[0]!r} has no token; write lines like: read-write TOKEN NAME"
            )
        self._callers = callers

    def _read(self) -> Iterator[tuple[bytes, Caller]]:
        [path] = self.paths
        seen: dict[bytes, tuple[Role, int]] = {}
        for number, line in _lines(path, "token file"):
            role, words = _ROLES.get(line[0]), line[1:]
            if role is None or len(words) not in (1, 2) or not all(map(_NAME.fullmatch, words[1:])):
                # the line may hold a token: do not show it
                raise InvalidArgumentError(
                    f"line {number} of the token file {path!r} is not a role, a token and perhaps a name; the roles "
                    f"are {', '.join(_ROLES)}"
                )
            if len(words[0]) < SHORTEST_TOKEN:
                raise InvalidArgumentError(
                    f"the token in line {number} of the token file {path!r} is shorter than {SHORTEST_TOKEN} "
                    "characters, and could be guessed; make one with: openssl rand -hex 32"
                )
            digest = _digest(words[0].encode())
            first_role, first = seen.setdefault(digest, (role, number))
            if role is not first_role:
                raise InvalidArgumentError(
                    f"lines {first} and {number} of the token file {path!r} give one token two roles; keep one of them"
                )
            yield digest, Caller(role, words[1] if len(words) > 1 else f"line {number}")

    def caller(self, token: bytes) -> Caller | None:
        """Return the holder of a token, or None; it takes the same time for every token."""
        given, found = _digest(token), None
        for digest, caller in self._callers:
            if hmac.compare_digest(given, digest):
                found = caller
        return found


class CertificateRoles:
    """What holders of certificates may do, from a file: one ``role name`` a line, ``#`` for comments.

    The name is the certificate's common name or one of its alternative names; ``*`` stands for all others. Who is in no
    line may do nothing. Raises InvalidArgumentError that names the file and the line.
    """

    def __init__(self, path: str) -> None:
        self.paths = (path,)
        self._roles: Mapping[str, Role] = {}
        self.reload()

    def reload(self) -> None:
        """Read the file again. Raises InvalidArgumentError, and then the roles stay as they were."""
        [path] = self.paths
        roles: dict[str, Role] = {}
        for number, (role, *words) in _lines(path, "file of certificate roles"):
            name = " ".join(words)
            if role not in _ROLES or not name or name in roles:
                raise InvalidArgumentError(
                    f"line {number} of the file of certificate roles {path!r} is not a role ({', '.join(_ROLES)}) and "
                    "a certificate's name that is in no other line"
                )
            roles[name] = _ROLES[role]
        if not roles:
            raise InvalidArgumentError(
                f"the file of certificate roles {path!r} has no line; write lines like: read-only trainer.example.org"
            )
        self._roles = roles

    def role_of(self, names: Iterable[str]) -> Role:
        """Return what a certificate's holder may do. Raises PermissionDeniedError if it is in no line."""
        for name in (*names, "*"):
            if name in self._roles:
                return self._roles[name]
        raise PermissionDeniedError(
            "this certificate may not call; its common name has no line in the server's file of certificate roles"
        )


def _lines(path: str, what: str) -> list[tuple[int, list[str]]]:
    """Return the words of each line that has any."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InvalidArgumentError(f"cannot read the {what} {path!r}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:  # which holds all that was read
        raise InvalidArgumentError(f"cannot read the {what} {path!r}: byte {error.start} is not UTF-8") from None
    words = ((number, line.split()) for number, line in enumerate(lines, start=1))
    return [(number, line) for number, line in words if line and not line[0].startswith("#")]


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def open_to_others(path: str) -> bool:
    """Tell whether other users of this machine may read or write a file that should be secret."""
    mode = Path(path).stat().st_mode
    return bool(mode & (stat.S_IRWXG | stat.S_IRWXO))


class Gate:
    """Lets a call in, or says why not."""

    def __init__(
        self,
        tokens: TokenFile | None = None,
        certificates: CertificateRoles | None = None,
        *,
        read_only: bool,
        allow_removal: bool = False,
    ) -> None:
        self._tokens = tokens
        self._certificates = certificates
        self._read_only = read_only
        self._allow_removal = allow_removal
        self._role_of_all = Role.ADMIN if allow_removal else Role.READ_WRITE
        """What may be done by who needs no token, or no certificate."""

    def admit(self, metadata: Metadata, auth: Mapping[str, Sequence[bytes]], *, access: Access) -> Caller:
        """Return who calls, by the call's metadata and what gRPC has authenticated.

        Raises UnauthenticatedError without a known token where one is needed, PermissionDeniedError for a certificate
        that may not call, and for a write or a removal that the role or the server does not allow. A caller with a
        token and a certificate may do what both allow; one that needs neither may do what the server allows.
        """
        by_certificate, by_token = self._by_certificate(auth), self._by_token(metadata)
        role = min(by_certificate.role, by_token.role, key=_RANKS.__getitem__)
        if access != "read" and self._read_only:
            raise PermissionDeniedError("this server is read-only; write through another server of the store")
        if access == "admin" and not self._allow_removal:
            raise PermissionDeniedError(
                "this server lets nobody remove anything; start it with --allow-removal, or open the database itself"
            )
        for what, caller in (("token", by_token), ("certificate", by_certificate)):
            if not caller.role.allows(access):
                is_for = "reading only" if caller.role is Role.READ_ONLY else "reading and writing, not for removal"
                needed = next(each.value for each in Role if each.allows(access))
                raise PermissionDeniedError(f"this {what} is for {is_for}; use one with the role {needed}")
        return Caller(role, by_token.name or by_certificate.name)

    def _by_certificate(self, auth: Mapping[str, Sequence[bytes]]) -> Caller:
        names = [
            name.decode(errors="replace")
            for key in ("x509_common_name", "x509_subject_alternative_name")
            for name in auth.get(key, ())
        ]
        role = self._role_of_all if self._certificates is None else self._certificates.role_of(names)
        return Caller(role, names[0] if names else None)

    def _by_token(self, metadata: Metadata) -> Caller:
        if self._tokens is None:
            return Caller(self._role_of_all)
        given = [value for key, value in metadata if key == "authorization"]
        if not given:
            raise UnauthenticatedError(
                "this server wants a token; send it in the call's metadata as authorization: Bearer TOKEN"
            )
        value = given[0] if isinstance(given[0], bytes) else given[0].encode()
        scheme, _, token = value.strip().partition(b" ")
        caller = self._tokens.caller(token.strip()) if scheme.lower() == b"bearer" and len(given) == 1 else None
        if caller is None:
            raise UnauthenticatedError(
                "the token is not known to this server; send authorization: Bearer TOKEN with one of its token file"
            )
        return caller
