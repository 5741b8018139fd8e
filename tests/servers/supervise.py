"""Keep a server process, and end it when whoever asked for it is gone, however that went (also by `kill -9`).

    python supervise.py FOLDER LOG COMMAND [ARGUMENT...]

reads `start`, `status`, `stop` (SIGTERM) and `kill` (SIGKILL) from its standard input and answers each with a line. The
end of the input, which comes when the asking process ends, kills the server and removes FOLDER.
It imports nothing of ours: it runs as a plain script.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

STOP_TIMEOUT_S = 30


def main(folder: Path, log: Path, command: list[str]) -> None:
    server: subprocess.Popen[bytes] | None = None
    try:
        for line in sys.stdin:
            match line.strip():
                case "start" if server is None or server.poll() is not None:
                    with log.open("ab") as output:
                        server = subprocess.Popen(
                            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
                        )
                case "stop":
                    _end(server, gently=True)
                case "kill":
                    _end(server, gently=False)
                case _:
                    pass
            print(_status(server), flush=True)
    finally:
        _end(server, gently=False)
        shutil.rmtree(folder, ignore_errors=True)


def _status(server: subprocess.Popen[bytes] | None) -> str:
    if server is None:
        return "not started"
    code = server.poll()
    return f"running {server.pid}" if code is None else f"ended {code}"


def _end(server: subprocess.Popen[bytes] | None, *, gently: bool) -> None:
    if server is None or server.poll() is not None:
        return
    if gently:
        server.terminate()
        try:
            server.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pass
        else:
            return
    server.kill()
    server.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
