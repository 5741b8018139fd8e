"""Loads of many records, a unit of work for each batch."""
