"""The version of ``ml_metadata`` whose interface this is."""

__all__ = ["__version__"]

__version__ = "1.17.1"
