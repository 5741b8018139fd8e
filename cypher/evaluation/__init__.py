"""The language in Python, for stores that compute in this process: the functions, and whole expressions."""
