"""Records and answers that print as people read them."""

from __future__ import annotations

from importlib import import_module

__all__ = ["Printed", "text_of"]


class Printed:
    """What has text for a terminal as its ``str()``, and HTML in a notebook; ``repr()`` stays short."""

    __slots__ = ()

    def __str__(self) -> str:
        return text_of(self)


def text_of(answer: object, form: str = "text_of") -> str:
    """Return an answer as text, in a form that is a function of its name there."""
    text: str = getattr(import_module("lineage.viewing.answers"), form)(answer)
    return text
