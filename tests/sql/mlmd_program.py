"""ml_metadata at work on an SQLite file, in a process of its own: python -m tests.sql.mlmd_program COMMAND PATH ...

Two SQLite libraries in one process, Python's and the one in ml_metadata, do not see each other's locks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.sql.listing import listing

__all__ = ["ask_mlmd"]

ROOT = Path(__file__).parent.parent.parent


def ask_mlmd(command: str, path: Path | str, *arguments: str) -> Any:
    """Run a command in a process of its own, and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.sql.mlmd_program", command, str(path), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def opened(path: str, *, upgrade: bool = False) -> Any:
    """Open a file by ml_metadata."""
    pb = import_module("ml_metadata.proto.metadata_store_pb2")
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = path
    config.sqlite.connection_mode = 3
    return import_module("ml_metadata.metadata_store.metadata_store").MetadataStore(
        config, enable_upgrade_migration=upgrade
    )


def put_step(store: Any, name: str, *, pb: Any) -> list[int]:
    """Record a training step by the names of ml_metadata; ``pb`` has the messages."""
    data = store.put_artifact_type(pb.ArtifactType(name="StepData", properties={"size": pb.INT, "share": pb.DOUBLE}))
    step = store.put_execution_type(pb.ExecutionType(name="Step"))
    run = store.put_context_type(pb.ContextType(name="Run"))
    artifact = pb.Artifact(type_id=data, uri=f"uri/{name}", name=name, state=2)
    artifact.properties["size"].int_value = len(name)
    artifact.properties["share"].double_value = 0.25
    artifact.custom_properties["note"].string_value = f"é中 {name}"
    artifact.custom_properties["all"].struct_value.update({"a": [1.5, None, {"b": "c"}], "d": True})
    artifact.custom_properties["is"].bool_value = True
    event = pb.Event(type=pb.Event.OUTPUT, milliseconds_since_epoch=17)
    event.path.steps.add().key = "out"
    event.path.steps.add().index = 3
    execution_id, artifact_ids, context_ids = store.put_execution(
        pb.Execution(type_id=step, name=name, last_known_state=3),
        [(artifact, event)],
        [pb.Context(type_id=run, name=f"run-{name[0]}")],
        reuse_context_if_already_exist=True,
    )
    return [execution_id, *artifact_ids, *context_ids]


def main(command: str, path: str, *arguments: str) -> Any:
    store = opened(path, upgrade=command == "upgrade")
    if command in ("list", "upgrade"):
        return listing(store)
    if command == "put":
        pb = import_module("ml_metadata.proto.metadata_store_pb2")
        return [put_step(store, name, pb=pb) for name in arguments]
    assert command == "create"
    return None


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
