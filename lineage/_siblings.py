"""Refuse to run beside a foreign package named like one of ours.

The distribution installs three import packages side by side: ``lineage``, ``backends`` and ``cypher``. The
last two have common names, so another distribution or a folder in the current directory can hide them. Python
would then fail far from the cause, or worse, run the wrong code; :func:`check_layout` says what happened.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

__all__ = ["check_layout"]

_PARENT = Path(__file__).resolve().parent.parent
_SIBLINGS = ("backends", "cypher")


def check_layout() -> None:
    """Check that ``backends`` and ``cypher`` are the ones installed beside ``lineage``.

    Finds the packages without importing them, which takes well under a millisecond.

    Raises:
        ImportError: one of them is missing, or is another package of that name; the message names both paths.
    """
    for name in _SIBLINGS:
        expected = _PARENT / name
        found = _find(name)
        if found == expected:
            continue
        if found is None:
            msg = (
                f"package {name!r}, a part of lineage-graph, was not found at {str(expected)!r}. "
                "Install lineage-graph again: pip install --force-reinstall lineage-graph"
            )
            raise ImportError(msg, name=name)
        verb = "is already imported" if name in sys.modules else "comes first on sys.path"
        msg = (
            f"the name {name!r} belongs to a foreign package at {str(found)!r}, which {verb} and hides "
            f"the part of lineage-graph that should be at {str(expected)!r}. "
            "Rename, move or uninstall the foreign one (if it is a folder of yours, start Python elsewhere), "
            "or use a virtual environment without it"
        )
        raise ImportError(msg, name=name, path=str(found))


def _find(name: str) -> Path | None:
    """Return where Python finds the top-level module ``name``: a package's folder or a module's file."""
    module = sys.modules.get(name)
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # in sys.modules with no spec: made by hand, or run as a script
        file = getattr(module, "__file__", None)
        return Path(file or f"<{name} in sys.modules>")
    if spec is None:
        return None
    # A folder without __init__.py (a namespace package) may have several locations, and is never ours.
    locations = list(spec.submodule_search_locations or ())
    if locations:
        return Path(locations[0]).resolve()
    return Path(spec.origin or f"<{name}>").resolve()
