"""Say which files of the packages a wheel lacks, and which it has too many: `make wheel-test` runs it.

python -m tests.wheel_files dist/lineage_graph-0.1.0-py3-none-any.whl
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from tests.environments import ROOT

PACKAGES = ("lineage", "backends", "cypher")


def differences(wheel: Path) -> list[str]:
    """Return a line for each file of the packages that only the wheel has, or only this checkout."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.partition("/")[0] in PACKAGES}
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file())
    here = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    return [f"the wheel lacks {name}" for name in sorted(here - packed)] + [
        f"only the wheel has {name}" for name in sorted(packed - here)
    ]


if __name__ == "__main__":
    found = differences(Path(sys.argv[1]))
    sys.exit("\n".join(f"error: {line}" for line in found) or None)
