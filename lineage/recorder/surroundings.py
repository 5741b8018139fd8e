"""What is recorded of every step without being asked: the code's commit, the process, the packages, the error."""

from __future__ import annotations

import getpass
import importlib.metadata
import logging
import os
import platform
import re
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from lineage.errors import shown_url

__all__ = ["code_origin", "of_error", "of_process", "packages"]

_logger = logging.getLogger("lineage")
_GIT_TIMEOUT_S: Final = 10
_MOST_OF_MESSAGE: Final = 2_000
_MOST_OF_TRACE: Final = 8_000
"""Characters that are kept: of a message the first, of a trace the last."""

_SCP_LIKE = re.compile(r"[\w.-]+@[\w.-]+:[\w./~+-]+")
"""A remote such as ``git@example.org:team/code.git``, which has room for a user, and none for a password."""


def code_origin() -> dict[str, Any]:
    """Return the script or notebook that runs, and its git commit, branch, remote, and whether it is changed.

    What cannot be told is left out: without git, or outside a repository, all of the latter.
    """
    script = _script()
    folder = Path(script).parent if script and Path(script).is_file() else Path.cwd()
    facts: dict[str, Any] = {"script": script} if script else {}
    status, remote = _git(
        folder,
        ("status", "--porcelain=v2", "--branch", "--untracked-files=no", "--no-ahead-behind"),
        ("config", "--get", "remote.origin.url"),
    )
    headers = dict(line[2:].split(" ", 1) for line in (status or "").splitlines() if line.startswith("# branch."))
    commit = headers.get("branch.oid", "(initial)")
    if status is None or commit == "(initial)":
        return facts
    facts["git_commit"] = commit
    if (branch := headers.get("branch.head", "(detached)")) != "(detached)":
        facts["git_branch"] = branch
    facts["git_dirty"] = any(not line.startswith("# ") for line in status.splitlines())
    if remote:
        facts["git_remote"] = remote if _SCP_LIKE.fullmatch(remote) else shown_url(remote)
    return facts


def _script() -> str | None:
    main = sys.modules.get("__main__")
    for place in (
        os.environ.get("JPY_SESSION_NAME"),  # Jupyter's server sets it for its kernels
        getattr(main, "__vsc_ipynb_file__", None),  # and VS Code this
        getattr(main, "__file__", None),
    ):
        if place:
            return os.path.abspath(place)  # noqa: PTH100  # links are kept as they are
    return None


def _git(folder: Path, *commands: Sequence[str]) -> list[str | None]:
    """Return what git says to each command, all asked at once; None where it fails or is not there."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}  # look, and leave the index alone
    started: list[subprocess.Popen[bytes]] = []
    said: list[str | None] = []
    try:
        for command in commands:  # one by one: what was started is to be ended if the next one fails
            started.append(_begun(folder, command, environment))  # noqa: PERF401  # as said
        for process in started:
            output = process.communicate(timeout=_GIT_TIMEOUT_S)[0]
            said.append(output.decode(errors="replace").strip() if process.returncode == 0 else None)
    except FileNotFoundError:
        pass
    except (OSError, subprocess.TimeoutExpired) as error:
        _logger.warning("git says nothing about %s: %s", folder, error)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.communicate()
    return said + [None] * (len(commands) - len(said))


def _begun(folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["git", "-C", str(folder), *command],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def of_process(environment: Iterable[str]) -> dict[str, Any]:
    """Return host, user, process and Python, and of the environment the variables that are named."""
    facts: dict[str, Any] = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "python": platform.python_version(),
        "platform": sys.platform,
    }
    try:
        facts["user"] = getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container's user without a name
        if hasattr(os, "getuid"):
            facts["user"] = str(os.getuid())
    if named := {name: os.environ[name] for name in environment if name in os.environ}:
        facts["environment"] = named
    return facts


_versions: dict[str, str | None] = {}


def packages() -> dict[str, str]:
    """Return the versions of the packages that are imported now, but for the standard library, by import name.

    A package that has neither ``__version__`` nor a distribution of its own name is left out.
    """
    names = sorted({name.partition(".")[0] for name in list(sys.modules)} - sys.stdlib_module_names)
    for name in names:
        if name not in _versions and not name.startswith("_"):
            _versions[name] = _version(name)
    return {name: version for name in names if (version := _versions.get(name))}


def _version(name: str) -> str | None:
    own = getattr(sys.modules.get(name), "__dict__", {}).get("__version__")  # past the module's own __getattr__
    if isinstance(own, str):
        return own
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


def of_error(error: BaseException) -> dict[str, Any]:
    """Return the type and message of an exception, and the end of its trace."""
    try:
        message = str(error)
    except Exception as its_own:  # noqa: BLE001  # an error that is recorded may be broken itself
        message = f"the message cannot be shown: {type(its_own).__name__}"
    try:
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    except Exception:  # noqa: BLE001  # as above
        trace = ""
    return {
        "error_type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "error_message": _text(message[:_MOST_OF_MESSAGE]),
        "error_trace": _text(trace[-_MOST_OF_TRACE:]),
    }


def _text(text: str) -> str:
    """Return the text with what no store can hold replaced."""
    return text.encode("utf-8", "replace").decode()
