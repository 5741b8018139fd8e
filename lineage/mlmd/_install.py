"""Let ``import ml_metadata`` mean ``lineage.mlmd``."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType

from lineage.mlmd.descriptors import move_to_default_pool

__all__ = ["install"]

_OURS = "lineage.mlmd"
_THEIRS = "ml_metadata"
_MODULES = (
    "",
    ".errors",
    ".version",
    ".proto",
    ".proto.metadata_store_pb2",
    ".proto.metadata_store_service_pb2",
    ".proto.metadata_store_service_pb2_grpc",
    ".metadata_store",
    ".metadata_store.metadata_store",
    ".metadata_store.mlmd_types",
    ".metadata_store.pywrap",
    ".simple_types",
    ".simple_types.proto",
    ".simple_types.proto.simple_types_pb2",
    ".tools",
)
_NEEDS_GRPC = frozenset({".proto.metadata_store_service_pb2_grpc"})


def install() -> None:
    """Make ``import ml_metadata`` mean ``lineage.mlmd`` in this process, submodules included.

    The messages move to protobuf's default pool, where code that other packages generated looks for them; call this
    before importing such packages, and before making messages that are to be compared with later ones. Calling it again
    does nothing.

    Raises RuntimeError if the genuine ``ml_metadata`` is imported already, or other versions of its messages are in
    protobuf's default pool.
    """
    present = sys.modules.get(_THEIRS)
    if present is not None and present is not sys.modules[_OURS]:
        raise RuntimeError(
            f"ml_metadata is imported already, from {getattr(present, '__file__', None) or present!r}; call "
            "lineage.mlmd.install() before anything imports it, or use lineage.mlmd without install()"
        )
    move_to_default_pool()
    for name in _MODULES:
        if name not in _NEEDS_GRPC:
            sys.modules[_THEIRS + name] = importlib.import_module(_OURS + name)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds modules of ``ml_metadata`` that are not there yet among ours, and none of a genuine one on the path."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the way to one of our modules. Raises ModuleNotFoundError for a module that we do not have."""
        del path, target
        if not fullname.startswith(f"{_THEIRS}."):
            return None
        if fullname.removeprefix(_THEIRS) not in _MODULES:
            raise ModuleNotFoundError(
                f"lineage.mlmd, which is installed as ml_metadata, has no module {fullname!r}", name=fullname
            )
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return our module."""
        return importlib.import_module(_OURS + spec.name.removeprefix(_THEIRS))

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: the module is loaded."""
