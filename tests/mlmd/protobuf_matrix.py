"""Run the tests of lineage.mlmd on several versions of protobuf, each in a throw-away environment.

    python -m tests.mlmd.protobuf_matrix [VERSION ...]          e.g. ==5.27.* or, in pure Python, python:==5.27.*

`make protobuf-matrix` runs it. Without arguments it takes the oldest version that we support, the last of each major
version since, and the newest; the oldest and the newest in pure Python too. The tests that compare with ml-metadata are
left out, as that wants a protobuf of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.environments import ROOT, install, new_environment, run_tests

VERSIONS = ("==4.25.0", "==4.25.*", "==5.*", "==6.*", ">=6", "python:==4.25.*", "python:>=6")
TESTS = ("pytest", "pytest-xdist", "hypothesis", "editables", "hatchling")


_IMPLEMENTATION = "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"
_SHOW = """
import google.protobuf
from google.protobuf.internal import api_implementation
print(google.protobuf.__version__, api_implementation.Type())
"""


def run(version: str) -> bool:
    implementation, _, wanted = version.rpartition(":")
    environment = {_IMPLEMENTATION: implementation} if implementation else {}
    with tempfile.TemporaryDirectory() as folder:
        python = new_environment(Path(folder))
        install(python, f"protobuf{wanted}", "grpcio", *TESTS)
        install(python, "--no-build-isolation", "--editable", str(ROOT))
        command = [str(python), "-c", _SHOW]
        shown = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment})
        passed, last_line = run_tests(python, "-m", "not differential", "tests/mlmd", **environment)
    print(f"protobuf {version:12} {shown.stdout.strip():20} {last_line}", flush=True)
    return passed


if __name__ == "__main__":
    failed = [version for version in sys.argv[1:] or VERSIONS if not run(version)]
    sys.exit(1 if failed else 0)
