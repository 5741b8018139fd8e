"""Files with secrets in them: a store's password, and whether others may read one."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlsplit

from lineage.errors import InvalidArgumentError

__all__ = ["CONTAINER_SECRETS", "password_for", "warn_if_open"]

_logger = logging.getLogger("lineage.server")

CONTAINER_SECRETS = Path("/run/secrets")
"""Where container engines put secrets, for one container alone: no other user is there, and nobody inside can chmod."""


def password_for(url: str, path: str) -> str:
    """Read the password of a store's user: all of the file but the end of its line.

    Raises InvalidArgumentError where the file cannot be read or has not one line, and where the URL has a password too.
    """
    if _has_password(url):
        raise InvalidArgumentError(f"the store's password is in its URL and in the file {path!r}; keep one of them")
    try:
        password = Path(path).read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgumentError(f"cannot read the store's password from the file {path!r}: {error}") from error
    if not password or "\n" in password:
        raise InvalidArgumentError(f"the file {path!r} must have one line, the store's password; write nothing else")
    warn_if_open(path)
    return password


def _has_password(url: str) -> bool:
    try:
        return bool(urlsplit(url).password)
    except ValueError:
        return False  # who opens it says what is wrong with it


def warn_if_open(path: str) -> None:
    """Log a warning where other users of this machine may read or change a file that should be secret."""
    from lineage.server.access import open_to_others

    if Path(path).is_relative_to(CONTAINER_SECRETS):
        return
    try:
        if open_to_others(path):
            _logger.warning("other users of this machine may read or change %r; run: chmod 600 %s", path, path)
    except OSError:
        pass  # who reads it says so
