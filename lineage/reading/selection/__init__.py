"""Selection strings: text to a tree (``syntax``), a tree to nodes of a store (``finding``), and what was found."""
