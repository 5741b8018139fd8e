"""Write docs/api.md anew, from the docstrings and signatures of all that is public: `make docs`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import lineage
from lineage import errors
from lineage.model import Record

REFERENCE = Path(__file__).parents[1] / "docs" / "api.md"
_WIDTH = 110
_HEAD = """# API reference

All that is public in `lineage`, from its docstrings. `make docs` writes it, and a test compares it with the code.
For a way in, read [getting_started.md](getting_started.md). The drop-in for the `ml_metadata` module is in
[compatibility.md](compatibility.md), the command line in [command_line.md](command_line.md).
"""


def reference() -> str:
    """Return the whole page."""
    members = {name: getattr(lineage, name) for name in lineage.__all__}
    functions = {name: member for name, member in members.items() if inspect.isfunction(member)}
    classes = {name: member for name, member in members.items() if inspect.isclass(member)}
    store = classes.pop("Store")
    records = {name: each for name, each in classes.items() if issubclass(each, Record)}
    enumerations = {name: each for name, each in classes.items() if issubclass(each, Enum)}
    others = {
        name: each
        for name, each in classes.items()
        if name not in records and name not in enumerations and not issubclass(each, BaseException)
    }
    parts = [
        _HEAD,
        "## Functions\n",
        *(part for name, each in functions.items() for part in _function(f"lineage.{name}", each)),
        *_store(store),
        "## Records\n",
        *(part for name, each in records.items() for part in _record(name, each)),
        "## Enumerations\n",
        *(part for name, each in enumerations.items() for part in _enumeration(name, each)),
        "## Results and others\n",
        *(part for name, each in others.items() for part in _class(name, each)),
        "## Errors\n",
        *_errors(),
    ]
    return "\n".join(parts)


def _store(store: type[Any]) -> Iterator[str]:
    yield "## Store\n"
    yield _text(store)
    for group in store.__mro__:
        own = {name: each for name, each in vars(group).items() if _is_public(name, each)}
        if own:
            if group is not store:
                yield f"### Store: {_text(group).splitlines()[0].rstrip('.')}\n"
            for name, each in own.items():
                yield from _member(name, each)


def _record(name: str, record: type[Record]) -> Iterator[str]:
    yield f"### {name}\n"
    yield _text(record)
    fields = [
        f"| `{field}` | {'required' if each.is_required() else _code(_value(each.default))} |"
        for field, each in record.model_fields.items()
    ]
    yield "\n".join(["| field | default |", "| --- | --- |", *fields, ""])
    yield from _members(record, stop=Record)


def _enumeration(name: str, enumeration: type[Enum]) -> Iterator[str]:
    yield f"### {name}\n"
    yield _text(enumeration)
    yield f"{', '.join(_code(member.name) for member in enumeration)}\n"


def _class(name: str, each: type[Any]) -> Iterator[str]:
    yield f"### {name}\n"
    yield _text(each)
    yield from _members(each, stop=object)


def _members(owner: type[Any], stop: type[Any]) -> Iterator[str]:
    for group in owner.__mro__:
        if group is stop or not group.__module__.startswith("lineage"):
            break
        for name, each in vars(group).items():
            text = inspect.getdoc(_called(each)) if _is_public(name, each) else None
            if text and not text.startswith("See :meth:"):  # a twin: the page has the method
                yield from _member(name, each)


def _member(name: str, each: Any) -> Iterator[str]:
    if isinstance(each, property):
        yield f"#### {name}\n"
        yield _text(each)
    else:
        yield from _function(name, _called(each), heading="####")


def _function(name: str, function: Callable[..., Any], heading: str = "###") -> Iterator[str]:
    yield f"{heading} {name}\n"
    yield f"```text\n{_signature(name, function)}\n```\n"
    yield _text(function)


def _errors() -> Iterator[str]:
    yield _text(errors)
    for name, each in vars(errors).items():
        if inspect.isclass(each) and issubclass(each, Exception) and each.__module__ == errors.__name__:
            yield f"### {name}\n"
            yield _text(each)


def _is_public(name: str, each: Any) -> bool:
    return not name.startswith("_") and (inspect.isfunction(_called(each)) or isinstance(each, property))


def _called(each: Any) -> Any:
    return each.__func__ if isinstance(each, (classmethod, staticmethod)) else each


def _signature(name: str, function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    given: list[str] = []
    star = False
    for parameter in list(signature.parameters.values()):
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            given.append("*")
            star = True
        prefix = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**" * (parameter.kind is parameter.VAR_KEYWORD)
        star = star or bool(prefix)
        hint = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {_value(parameter.default)}"
        given.append(f"{prefix}{parameter.name}{hint}{default}")
    returned = "" if signature.return_annotation is signature.empty else f" -> {signature.return_annotation}"
    short = name.rpartition(".")[2]
    line = f"{short}({', '.join(given)}){returned}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{short}(", *(f"    {each}," for each in given), f"){returned}"])


def _value(value: Any) -> str:
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))}{',' * (len(value) == 1)})"
    return repr(value)


def _code(text: str) -> str:
    return f"`{text}`"


def _text(documented: Any) -> str:
    """Return a docstring as Markdown."""
    text = inspect.getdoc(documented) or ""
    return "\n".join(_blocks(re.split(r"\n\n+", text))) if text else ""


def _blocks(paragraphs: Iterable[str]) -> Iterator[str]:
    is_literal = False
    for paragraph in paragraphs:
        if paragraph.startswith(">>>"):
            yield f"```pycon\n{paragraph}\n```\n"
        elif is_literal and paragraph.startswith("    "):
            yield f"```text\n{inspect.cleandoc(paragraph)}\n```\n"
        else:
            is_literal = paragraph.endswith("::")
            plain = re.sub(r":\w+:`~?([^`]+)`", lambda found: _code(found[1].rpartition(".")[2]), paragraph)
            plain = plain.replace("``", "`")
            if not is_literal:
                yield f"{plain}\n"
            elif plain != "::":
                yield f"{plain.removesuffix(':')}\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
