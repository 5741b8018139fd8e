"""Stores of the lineage engine, one package each. Use them through :func:`lineage.open_store`."""
