"""What is asked of a store: lists, lineage, earlier runs, comparisons."""
