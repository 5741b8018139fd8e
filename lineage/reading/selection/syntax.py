"""Text to the tree of a selection.

::

    or    = and { "or" and }
    and   = not { ("and" | "except") not }
    not   = "not" not | walk
    walk  = [ [N] "+" ] prim [ "+" [N] ]                no space between them
    prim  = "(" or ")" | name "(" or { "," or } ")" | ["?"] atom | "*"
    atom  = key ":" value | "{" filter "}" | value
    value = bare | '"' characters '"'

Every text that is not in the language is refused with its place.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from cypher import FilterError, parse_filter
from cypher.tokens import tokenize
from lineage.errors import InvalidArgumentError, near_matches, short_repr
from lineage.model import ArtifactState, ExecutionState, NodeKind
from lineage.reading.selection.tree import (
    FUNCTIONS,
    KEYS,
    KEYWORDS,
    Address,
    Call,
    Chain,
    Either,
    Everything,
    Keyed,
    Named,
    Not,
    Operator,
    Part,
    Value,
    Walk,
    Where,
    address_of,
)
from lineage.seam import SCOPES

__all__ = ["parse_selection", "refusal"]

_SPACE = re.compile(r"\s*")
_BARE = re.compile(r'[^\s(){},"+]+')
_KEY = re.compile(r"([^\s(){},\"+:]*):")
_HOPS_UP = re.compile(r"([0-9]+)\+(?=[^\s),}+])")
_DIGITS = re.compile(r"[0-9]+")
_MOST_DEEP: Final = 50
_MOST_ATOMS: Final = 1000
_MOST_DIGITS: Final = 9
"""Of a number of hops: no lineage is so deep."""


def refusal(message: str, text: str, start: int, end: int) -> str:
    """Return what is said of a selection that is refused: the message, and the place, underlined."""
    return f"invalid selection: {FilterError(message, text=text, position=start, length=end - start)}"


def parse_selection(text: str) -> Part:
    """Return the tree of a selection. Raises InvalidArgumentError with the place of what is wrong.

    >>> print(parse_selection("  +type:Model  and not (a or b)"))
    +type:Model and not (a or b)
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._atoms = 0

    # --- the text -----------------------------------------------------------------------------------------------------

    def _next(self) -> str:
        """Return the next character, "" at the end."""
        return self._text[self._at : self._at + 1]

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found is not None else self._at

    def _bare(self, at: int | None = None) -> str:
        """Return the bare text that stands here, "" if none does."""
        found = _BARE.match(self._text, self._at if at is None else at)
        return "" if found is None else found.group()

    def _fail(self, message: str, start: int | None = None, end: int | None = None) -> NoReturn:
        start = self._at if start is None else start
        raise InvalidArgumentError(refusal(message, self._text, start, start + 1 if end is None else end))

    def _fail_here(self, expected: str) -> NoReturn:
        """Refuse what stands here."""
        word = self._bare()
        if word:
            self._fail(f"expected {expected}, not {short_repr(word)}", end=self._at + len(word))
        what = f"not {self._next()!r}" if self._next() else "but the selection ends here"
        self._fail(f"expected {expected}, {what}")

    # --- operators ----------------------------------------------------------------------------------------------------

    def parse(self) -> Part:
        self._skip()
        if not self._next():
            self._fail("the selection is empty; write * for everything")
        part = self._either()
        if self._next():
            word = self._bare()
            if word.lower() in KEYWORDS:
                self._fail(f"write {word.lower()!r} in small letters", end=self._at + len(word))
            self._fail_here("'and', 'or' or 'except'")
        return part

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MOST_DEEP:
            self._fail(f"the selection is nested too deep; at most {_MOST_DEEP} levels can be read")

    def _either(self) -> Part:
        """Read up to what is no operator, and the spaces before that."""
        self._skip()
        start = self._at
        parts = [self._chain()]
        while self._bare() == "or":
            self._at += len("or")
            parts.append(self._chain())
        return Either.of(parts, (start, self._at))

    def _chain(self) -> Part:
        self._skip()
        start = self._at
        first = self._not()
        rest: list[tuple[Operator, Part]] = []
        while (word := self._bare()) in ("and", "except"):
            operator: Operator = "and" if word == "and" else "except"
            self._at += len(word)
            rest.append((operator, self._not()))
        return Chain.of(first, rest, (start, self._at))

    def _not(self) -> Part:
        self._skip()
        start = self._at
        if self._bare() != "not":
            part = self._walk()
            self._skip()
            return part
        self._at += len("not")
        self._deeper()
        negated = self._not()
        self._depth -= 1
        return Not(negated, (start, self._at))

    # --- walks --------------------------------------------------------------------------------------------------------

    def _walk(self) -> Part:
        start = self._at
        up: int | None = 0
        hops = _HOPS_UP.match(self._text, self._at)
        if hops is not None:
            up = self._hops(hops.group(1))
            self._at += 1
        elif self._next() == "+":
            up = None
            self._at += 1
            if not self._next() or self._next() in "),}+" or self._next().isspace():
                self._fail_here("what to walk from, directly behind the +")
        part = self._primary()
        down: int | None = 0
        if self._next() == "+":
            self._at += 1
            digits = _DIGITS.match(self._text, self._at)
            down = None if digits is None else self._hops(digits.group())
            if self._next() not in ("", ")", ",") and not self._next().isspace():
                self._fail_here("a number of hops, or a space, behind the +")
        return part if up == 0 and down == 0 else Walk(part, up, down, (start, self._at))

    def _hops(self, digits: str) -> int:
        end = self._at + len(digits)
        if len(digits) > _MOST_DIGITS or int(digits) == 0:
            self._fail(f"a number of hops is between 1 and {10**_MOST_DIGITS - 1:,}; leave it out for all", end=end)
        self._at = end
        return int(digits)

    # --- what is walked from ------------------------------------------------------------------------------------------

    def _primary(self) -> Part:
        start = self._at
        if self._next() == "(":
            self._at += 1
            self._deeper()
            part = self._either()
            self._depth -= 1
            self._close("')'", start)
            return part
        word = self._bare()
        if word == "*":
            self._at += 1
            return Everything((start, self._at))
        if word in KEYWORDS:
            self._fail(f'{word!r} is an operator; write "{word}" for what is called so', end=start + len(word))
        after = self._text[start + len(word) :]
        if word in FUNCTIONS and after.lstrip().startswith("("):
            return self._call(word)
        if word and after.startswith("(") and word[0] != "?":
            near = near_matches(word, FUNCTIONS)
            self._fail(f"there is no function {short_repr(word)}{near}", end=start + len(word))
        return self._atom()

    def _close(self, what: str, opened: int) -> None:
        if self._next() != ")":
            line = self._text.count("\n", 0, opened) + 1
            column = opened - self._text.rfind("\n", 0, opened)
            self._fail_here(f"an operator or {what}, for the '(' at {line}:{column}")
        self._at += 1

    def _call(self, name: str) -> Part:
        start = self._at
        self._at = self._text.index("(", start)
        opened = self._at
        self._deeper()
        arguments: list[Part] = []
        while True:
            self._at += 1
            arguments.append(self._either())
            if self._next() != ",":
                break
        self._depth -= 1
        least, most = FUNCTIONS[name]
        if self._next() == ")" and not least <= len(arguments) <= (most or len(arguments)):
            wanted = f"{least}" if least == most else f"{least} or more"
            self._fail(f"{name}() takes {wanted} selections, not {len(arguments)}", start, self._at + 1)
        self._close("',' or ')'", opened)
        return Call(name, tuple(arguments), (start, self._at))

    # --- atoms --------------------------------------------------------------------------------------------------------

    def _atom(self) -> Part:
        start = self._at
        self._atoms += 1
        if self._atoms > _MOST_ATOMS:
            self._fail(f"the selection names more than {_MOST_ATOMS:,} things; make several of it, or use a filter")
        is_optional = self._next() == "?"
        if is_optional:
            self._at += 1
        if self._next() == "{":
            text = self._filter()
            return Where(text, is_optional, (start, self._at))
        if self._next() == '"':
            return Named(Value(self._quoted()), is_optional, (start, self._at))
        key = _KEY.match(self._text, self._at)
        if key is not None:
            return self._keyed(key.group(1), is_optional, start)
        word = self._bare()
        if word == "*":
            self._fail("? marks what may match nothing, and * matches everything; leave out the ?")
        if not word:
            self._fail_here("a name, an address, KEY:VALUE, {FILTER}, *, a function or '('")
        self._at += len(word)
        address = address_of(word)
        if address is not None:
            return Address(*address, is_optional, (start, self._at))
        return Named(_value(word), is_optional, (start, self._at))

    def _keyed(self, key: str, is_optional: bool, start: int) -> Part:
        if key not in KEYS:
            near = near_matches(key, KEYS) or f"; the keys are {', '.join(KEYS)}, and a value with a colon is quoted"
            self._fail(f"there is no key {short_repr(key)}{near}", end=self._at + len(key) + 1)
        self._at += len(key) + 1
        place = self._at
        if self._next() == '"':
            value = Value(self._quoted())
        else:
            word = self._bare()
            if not word:
                self._fail_here(f"a value for {key}")
            self._at += len(word)
            value = _value(word)
        self._check(key, value, place)
        return Keyed(key, value, is_optional, (start, self._at))

    def _check(self, key: str, value: Value, place: int) -> None:
        """Refuse a value that the key can never have."""
        text = value.text
        if key == "id" and not (text.isascii() and text.isdigit() and len(text) <= 18):
            self._fail(f"an id is a number, not {short_repr(text)}; artifact/17 names one node", place, self._at)
        if key == "kind" and text not in _KINDS:
            near = near_matches(text, _KINDS) or f"; the kinds are {', '.join(_KINDS)}"
            self._fail(f"there is no kind {short_repr(text)}{near}", place, self._at)
        if key == "state" and text.upper() not in _STATES:
            near = near_matches(text.upper(), _STATES) or f"; the states are {', '.join(_STATES)}"
            self._fail(f"there is no state {short_repr(text)}{near}", place, self._at)

    def _quoted(self) -> str:
        start = self._at
        self._at += 1
        characters: list[str] = []
        while (character := self._next()) != '"':
            if not character:
                self._fail('the text is not closed; write " at its end', start, self._at)
            if character == "\\":
                self._at += 1
                character = self._next()
                if character not in ('"', "\\") or not character:
                    self._fail('a \\ is written as \\\\, and a " as \\"', self._at - 1, self._at + 1)
            characters.append(character)
            self._at += 1
        self._at += 1
        if not characters:
            self._fail('"" names nothing; write what it is called', start, self._at)
        return "".join(characters)

    def _filter(self) -> str:
        """Read a filter in braces, which is checked for the kinds of node of which it makes sense."""
        opened = self._at
        body = self._text[opened + 1 :]
        end = self._end_of_filter(body, opened)
        text = body[:end]
        if not text.strip():
            self._fail("the filter is empty; write * for everything", opened, opened + end + 2)
        failures: list[FilterError] = []
        for kind in NodeKind:
            try:
                parse_filter(text, SCOPES[kind])
            except FilterError as error:  # noqa: PERF203  # three rounds
                failures.append(error)
        if len(failures) == len(NodeKind):
            worst = max(failures, key=lambda error: error.position)
            place = opened + 1 + worst.position
            self._fail(worst.message, place, place + worst.length)
        self._at = opened + 1 + end + 1
        return text

    def _end_of_filter(self, body: str, opened: int) -> int:
        """Return where the } stands that closes a filter: it is in no text, name or comment, and no token."""
        try:
            for _ in tokenize(body):
                pass
            self._fail("the filter is not closed; write } at its end", opened, len(self._text))
        except FilterError as error:
            if body[error.position : error.position + 1] != "}":
                place = opened + 1 + error.position
                self._fail(error.message, place, place + error.length)
            return error.position


def _value(word: str) -> Value:
    return Value(word, "*" in word or "?" in word)


_KINDS = [kind.value.lower() for kind in NodeKind]
_STATES = list(dict.fromkeys([*ArtifactState.__members__, *ExecutionState.__members__]))
