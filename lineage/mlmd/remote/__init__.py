"""A store behind a server that speaks MLMD's protocol only."""
