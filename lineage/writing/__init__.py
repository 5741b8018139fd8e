"""The rules of what is put into a store."""
