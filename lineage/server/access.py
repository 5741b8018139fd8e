"""Who may call what."""

from __future__ import annotations

import hashlib
import hmac
import stat
from collections.abc import Iterable, Sequence
from enum import Enum
from pathlib import Path

from lineage.errors import InvalidArgumentError, PermissionDeniedError, UnauthenticatedError

__all__ = ["Gate", "Role", "TokenFile", "open_to_others"]

Metadata = Iterable[tuple[str, str | bytes]]


class Role(Enum):
    """What a caller may do."""

    READ_ONLY = "read-only"
    READ_WRITE = "read-write"


class TokenFile:
    """The bearer tokens of a file: one ``role token`` a line, ``#`` for comments.

    Only digests are kept. Raises InvalidArgumentError that names the file and the line, and never shows a token.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidArgumentError(f"cannot read the token file {path!r}: {error}") from error
        self._digests = tuple(self._entries(lines))
        if not self._digests:
            raise InvalidArgumentError(f"the token file {path!r} has no token; write lines like: read-write TOKEN")

    def _entries(self, lines: Sequence[str]) -> Iterable[tuple[Role, bytes]]:
        roles = {role.value: role for role in Role}
        seen: dict[bytes, tuple[Role, int]] = {}
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) != 2 or words[0] not in roles:  # the line may hold a token: do not show it
                raise InvalidArgumentError(
                    f"line {number} of the token file {self.path!r} is not a role and a token; the roles are "
                    f"{', '.join(roles)}"
                )
            role, digest = roles[words[0]], _digest(words[1].encode())
            first_role, first = seen.setdefault(digest, (role, number))
            if role is not first_role:
                raise InvalidArgumentError(
                    f"lines {first} and {number} of the token file {self.path!r} give one token two roles; keep one of "
                    "them"
                )
            yield role, digest

    def role_of(self, token: bytes) -> Role | None:
        """Return what the holder of a token may do, or None; it takes the same time for every token."""
        given, found = _digest(token), None
        for role, digest in self._digests:
            if hmac.compare_digest(given, digest):
                found = role
        return found


def _digest(token: bytes) -> bytes:
    return hashlib.sha256(token).digest()


def open_to_others(path: str) -> bool:
    """Tell whether other users of this machine may read or write a file that should be secret."""
    mode = Path(path).stat().st_mode
    return bool(mode & (stat.S_IRWXG | stat.S_IRWXO))


class Gate:
    """Lets a call in, or says why not."""

    def __init__(self, tokens: TokenFile | None, *, read_only: bool) -> None:
        self._tokens = tokens
        self._read_only = read_only

    def admit(self, metadata: Metadata, *, writes: bool) -> Role:
        """Return the caller's role.

        Raises UnauthenticatedError without a known token where one is needed, PermissionDeniedError for a write that
        the role or a read-only server does not allow.
        """
        role = Role.READ_WRITE if self._tokens is None else self._role(self._tokens, metadata)
        if writes and self._read_only:
            raise PermissionDeniedError("this server is read-only; write through another server of the store")
        if writes and role is Role.READ_ONLY:
            raise PermissionDeniedError("this token is for reading only; use one with the role read-write")
        return role

    @staticmethod
    def _role(tokens: TokenFile, metadata: Metadata) -> Role:
        given = [value for key, value in metadata if key == "authorization"]
        if not given:
            raise UnauthenticatedError(
                "this server wants a token; send it in the call's metadata as authorization: Bearer TOKEN"
            )
        value = given[0] if isinstance(given[0], bytes) else given[0].encode()
        scheme, _, token = value.strip().partition(b" ")
        role = tokens.role_of(token.strip()) if scheme.lower() == b"bearer" and len(given) == 1 else None
        if role is None:
            raise UnauthenticatedError(
                "the token is not known to this server; send authorization: Bearer TOKEN with one of its token file"
            )
        return role
