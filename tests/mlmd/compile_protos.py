"""Compile lineage/mlmd/proto_source: descriptors.binpb, and the stubs for editors. `make protos` runs it.

grpcio-tools brings the compiler, mypy-protobuf the stubs: requirements/protos.txt, in an environment of their own.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from tests.environments import ROOT, install, new_environment

MLMD = ROOT / "lineage" / "mlmd"
SOURCES = MLMD / "proto_source"
PROTOS = (
    "ml_metadata/proto/metadata_store.proto",
    "ml_metadata/proto/metadata_store_service.proto",
    "ml_metadata/simple_types/proto/simple_types.proto",
)
HEADER = "# Made by `make protos` from the .proto files; do not edit.\n"


def compile_protos() -> dict[Path, bytes]:
    """Return the content of every file that is made from the protos."""
    with tempfile.TemporaryDirectory() as folder:
        python = new_environment(Path(folder, "environment"))
        install(python, "--require-hashes", "-r", str(ROOT / "requirements" / "protos.txt"))
        out = Path(folder, "out")
        out.mkdir()
        plugin = python.parent
        command = [
            *(str(python), "-m", "grpc_tools.protoc", f"-I{SOURCES}"),
            f"--plugin=protoc-gen-mypy={plugin / 'protoc-gen-mypy'}",
            f"--plugin=protoc-gen-mypy_grpc={plugin / 'protoc-gen-mypy_grpc'}",
            f"--descriptor_set_out={out / 'descriptors.binpb'}",
            f"--mypy_out={out}",
            f"--mypy_grpc_out={out}",
            *PROTOS,
        ]
        subprocess.run(command, check=True, capture_output=True)
        made = {SOURCES / "descriptors.binpb": (out / "descriptors.binpb").read_bytes()}
        for stub in sorted(out.glob("ml_metadata/**/*.pyi")):
            text = stub.read_text(encoding="utf-8").replace("ml_metadata.", "lineage.mlmd.")
            if stub.name.endswith("_grpc.pyi") and "Servicer(" not in text:
                continue  # no service in this file
            made[MLMD / stub.relative_to(out / "ml_metadata")] = (HEADER + text).encode()
    return made


if __name__ == "__main__":
    for path, content in compile_protos().items():
        path.write_bytes(content)
