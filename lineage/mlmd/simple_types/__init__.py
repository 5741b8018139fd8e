"""The types that every store has."""
