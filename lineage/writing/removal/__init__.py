"""Removal: a plan of what goes and what stays, and applying it batch by batch."""
