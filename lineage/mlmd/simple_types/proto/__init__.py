"""The message of simple types."""
