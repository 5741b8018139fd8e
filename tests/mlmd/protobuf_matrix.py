"""Run the tests of lineage.mlmd on several versions of protobuf, each in a throw-away environment.

    python -m tests.mlmd.protobuf_matrix [VERSION ...]          e.g. ==5.27.* or, in pure Python, python:==5.27.*

`make protobuf-matrix` runs it. Without arguments it takes the oldest version that we support, the last of each major
version since, and the newest; the oldest and the newest in pure Python too. The tests that compare with ml-metadata are
skipped, as that wants a protobuf of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = ("==4.25.0", "==4.25.*", "==5.*", "==6.*", ">=6", "python:==4.25.*", "python:>=6")
TESTS = ("pytest", "pytest-xdist", "hypothesis", "editables", "hatchling")


SHOW = """
import google.protobuf
from google.protobuf.internal import api_implementation
print(google.protobuf.__version__, api_implementation.Type())
"""


def run(version: str) -> bool:
    implementation, _, wanted = version.rpartition(":")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if implementation:
        environment["PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION"] = implementation
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "bin" / "python"
        uv = (sys.executable, "-m", "uv", "--quiet")
        subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True)
        install = [*uv, "pip", "install", "--python", str(python)]
        subprocess.run([*install, f"protobuf{wanted}", "grpcio", *TESTS], check=True)
        subprocess.run([*install, "--no-build-isolation", "--editable", str(ROOT)], check=True)
        shown = subprocess.run([str(python), "-c", SHOW], check=True, capture_output=True, text=True, env=environment)
        tests = [str(python), "-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", "tests/mlmd"]
        result = subprocess.run(tests, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(f"protobuf {version:12} {shown.stdout.strip():20} {result.stdout.strip().splitlines()[-1]}", flush=True)
    if result.returncode:
        print(result.stdout[-6000:], result.stderr[-2000:])
    return result.returncode == 0


if __name__ == "__main__":
    failed = [version for version in sys.argv[1:] or VERSIONS if not run(version)]
    sys.exit(1 if failed else 0)
