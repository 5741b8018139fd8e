"""The one error of this package."""

from __future__ import annotations


class FilterError(ValueError):
    """A filter that is not in the language, or that names something unknown.

    ``message`` says what is wrong and what to do; ``position`` (from 0, in characters of ``text``) and
    ``length`` say where. ``str()`` adds line and column and underlines the place.
    """

    def __init__(self, message: str, *, text: str, position: int, length: int = 1) -> None:
        self.message = message
        self.text = text
        self.position = position
        self.length = max(length, 1)
        super().__init__(message)

    def __str__(self) -> str:
        line_start = self.text.rfind("\n", 0, self.position) + 1
        line_number = self.text.count("\n", 0, self.position) + 1
        line_end = self.text.find("\n", self.position)
        line = self.text[line_start : len(self.text) if line_end < 0 else line_end]
        column = self.position - line_start
        underline = " " * column + "^" * max(1, min(self.length, len(line) - column))
        return f"{self.message} [at {line_number}:{column + 1}]\n  {line}\n  {underline}"
