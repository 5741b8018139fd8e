"""The groups of the methods of Store; each says which checks the engine needs of what callers pass."""
