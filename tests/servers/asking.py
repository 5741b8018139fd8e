"""A server belongs to the process that asked for it: when that is killed, the server ends and leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["check_that_it_ends_with_its_asker"]

_ROOT = Path(__file__).parents[2]
_ASKING = """
import sys
from tests.servers.{module} import {start}
server = {start}()
print(server.pid, server.home, flush=True)
sys.stdin.read()
"""


def check_that_it_ends_with_its_asker(module: str, start: str, *, within_s: float) -> None:
    """Kill a process that started a server by a function (or class) of a module of this folder."""
    with subprocess.Popen(
        [sys.executable, "-c", _ASKING.format(module=module, start=start)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as asking:
        assert asking.stdout is not None
        pid, home = asking.stdout.readline().split()
        assert Path(home, "data").exists()
        asking.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + within_s
    while (Path("/proc", pid).exists() or Path(home).exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path("/proc", pid).exists()
    assert not Path(home).exists()
