"""The command line: ``lineage``, or ``python -m lineage``."""

from lineage.cli.main import main

__all__ = ["main"]
