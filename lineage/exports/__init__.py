"""Graphs, lists and comparisons in the formats of other tools, each module one; nothing is read back from them."""
