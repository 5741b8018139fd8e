"""The scopes of the engine, by the names that ``filters.jsonl`` has for them."""

from __future__ import annotations

from lineage.seam import SCOPES as _SCOPES

__all__ = ["SCOPES"]

SCOPES = {kind.lower(): scope for kind, scope in _SCOPES.items()}
