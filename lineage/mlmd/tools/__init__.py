"""Empty, as MLMD's package of that name is."""
