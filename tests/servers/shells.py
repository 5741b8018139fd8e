"""The shells beside bash that commands are completed in."""

from __future__ import annotations

import shutil

from tests.servers.jars import NotInstalledError


def shells() -> list[str]:
    """Return the paths of zsh and fish."""
    found = [shutil.which(name) for name in ("zsh", "fish")]
    if None in found:
        raise NotInstalledError("zsh and fish, to complete commands in them (not both on the PATH)")
    return [path for path in found if path is not None]
