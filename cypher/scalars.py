r"""The scalar functions and operators of the language as Cypher text, to the letter of :mod:`cypher.functions`.

Cypher differs from SQL in much: integers that overflow fail, there are no bit operators, no code points, letters fold
by Unicode, a text that is no number is NULL. What follows is built from what Cypher does exactly:

* a value that is used twice is bound by ``[v IN [expression] | ...][0]``, so that text never doubles;
* bits are the odd quotients by powers of two;
* a code point is searched for, bit by bit, by regular expressions of one character class;
* the number that a text starts with is its longest prefix that matches.

One thing is not exact: CAST of a DOUBLE with 16 significant digits of which the last is 5 rounds up, where SQLite looks
at the binary value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from cypher.ast import ArithmeticOperator, ValueType

__all__ = ["Scalars", "like_prefix", "like_prefixes", "like_regex"]

_MAX, _MIN = "9223372036854775807", "-9223372036854775808"
_MAX_SOUGHT_LETTERS = 4
_SPACES = " \t\n\v\f\r"
_UPPER_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_POWERS: Final = [2**exponent for exponent in range(63)]
_INTEGER_PREFIX: Final = r"[ \t\n\x0B\f\r]*[+-]?[0-9]+"
_FLOAT_PREFIX: Final = r"[ \t\n\x0B\f\r]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SIMPLE: Final = re.compile(r"\$?\w+(\[\d+\])?")
_INT64, _DOUBLE, _STRING, _BOOL = ValueType.INT64, ValueType.DOUBLE, ValueType.STRING, ValueType.BOOL


def like_regex(pattern: str) -> str:
    r"""Return the regular expression of a LIKE pattern. Each run is matched as early as can be, so it never backtracks.

    >>> like_regex("a%.b%")
    '(?is)a(?>.*?\\.b).*'
    """
    runs = [re.escape(run).replace("_", ".") for run in pattern.split("%")]
    if len(runs) == 1:
        return "(?is)" + runs[0]
    first, *middle, last = runs
    return "(?is)" + first + "".join(f"(?>.*?{run})" for run in middle if run) + ".*" + last


def like_prefix(pattern: str) -> str:
    """Return what begins every text that is LIKE the pattern, but for the case of letters.

    >>> like_prefix("A-1%c"), like_prefix("%a")
    ('A-1', '')
    """
    return re.split("[%_]", pattern, maxsplit=1)[0]


def like_prefixes(pattern: str) -> list[str]:
    """Return texts of which one begins every text that is LIKE the pattern: at most 16, none if it begins with any.

    LIKE ignores the case of ASCII letters, so these are the cases of the first letters, up to the fifth.

    >>> like_prefixes("a-1%"), like_prefixes("%a")
    (['a-1', 'A-1'], [])
    """
    prefixes, letters = [""], 0
    for character in like_prefix(pattern):
        cases = [character]
        if character.isascii() and character.isalpha():
            letters += 1
            cases = [character.lower(), character.upper()]
        if letters > _MAX_SOUGHT_LETTERS:
            break
        prefixes = [prefix + case for prefix in prefixes for case in cases]
    return prefixes if prefixes != [""] else []


class Scalars:
    """Renders functions and operators; ``parameter`` turns a value into the name of a parameter."""

    def __init__(self, parameter: Callable[[object], str]) -> None:
        self._parameter = parameter
        self._bound = 0
        self._functions: dict[str, Callable[..., str]] = {
            "ABS": self._absolute,
            "SIGN": lambda x: f"sign({x})",
            "ROUND": self._round,
            "LENGTH": lambda x: f"size({x})",
            "LOWER": lambda x: self._fold(x, upper=False),
            "UPPER": lambda x: self._fold(x, upper=True),
            "SUBSTR": self._substring,
            "TRIM": lambda x, y=None: self._trim("btrim", x, y),
            "LTRIM": lambda x, y=None: self._trim("ltrim", x, y),
            "RTRIM": lambda x, y=None: self._trim("rtrim", x, y),
            "REPLACE": self._replace,
            "UNICODE": self._code_point,
            "COALESCE": lambda *arguments: f"coalesce({', '.join(arguments)})",
            "IFNULL": lambda x, y: f"coalesce({x}, {y})",
            "NULLIF": lambda x, y: self._let([x, y], lambda a, b: f"CASE WHEN {a} = {b} THEN null ELSE {a} END"),
        }

    def call(self, function: str, arguments: Sequence[str]) -> str:
        """Render a function of :data:`cypher.functions.FUNCTIONS`."""
        return self._functions[function](*arguments)

    def _let(self, values: Sequence[str], body: Callable[..., str]) -> str:
        """Bind values that would otherwise be computed, and written, more than once."""
        names: list[str] = []
        bound: list[str] = []
        self._bound += 1
        variable = f"v{self._bound}"
        for value in values:
            if _SIMPLE.fullmatch(value):
                names.append(value)
            else:
                names.append(f"{variable}[{len(bound)}]")
                bound.append(value)
        if not bound:
            return body(*names)
        if len(bound) == 1:
            text = body(*(variable if name == f"{variable}[0]" else name for name in names))
            return f"[{variable} IN [{bound[0]}] | {text}][0]"
        return f"[{variable} IN [[{', '.join(bound)}]] | {body(*names)}][0]"

    # --- functions ----------------------------------------------------------------------------------------------------

    def _absolute(self, value: str) -> str:
        return self._let([value], lambda x: f"CASE WHEN {x} = {_MIN} THEN 9223372036854775808.0 ELSE abs({x}) END")

    def _round(self, value: str, digits: str | None = None) -> str:
        def rounded(x: str, n: str) -> str:
            whole = f"toFloat(toInteger({x} + CASE WHEN {x} < 0 THEN -0.5 ELSE 0.5 END))"
            places = f"toInteger(CASE WHEN {n} > 30 THEN 30 ELSE {n} END)"
            return (
                f"CASE WHEN {x} IS NULL OR {n} IS NULL THEN null "
                f"WHEN NOT ({x} >= -4503599627370496.0 AND {x} <= 4503599627370496.0) THEN {x} "
                f"WHEN {n} <= 0 THEN {whole} ELSE round({x}, {places}, 'HALF_UP') END"
            )

        return self._let([value, digits or "0"], rounded)

    def _fold(self, value: str, *, upper: bool) -> str:
        ours = _UPPER_LETTERS.lower() if upper else _UPPER_LETTERS
        pairs = self._parameter([[letter, letter.swapcase()] for letter in ours])
        name, ascii_only = ("toUpper", "toLower")[not upper], self._parameter("[\\x00-\\x7F]*")
        self._bound += 1
        text, pair = f"t{self._bound}", f"p{self._bound}x"
        return self._let(
            [value],
            lambda x: (
                f"CASE WHEN {x} IS NULL THEN null WHEN {x} =~ {ascii_only} THEN {name}({x}) "
                f"ELSE reduce({text} = {x}, {pair} IN {pairs} | replace({text}, {pair}[0], {pair}[1])) END"
            ),
        )

    def _substring(self, value: str, position: str, count: str | None = None) -> str:
        """SQLite's rule, step by step: position 0 is before the first character, a negative count goes back."""

        def clamped(x: str) -> str:
            limit = 2**60
            return f"CASE WHEN {x} > {limit} THEN {limit} WHEN {x} < -{limit} THEN -{limit} ELSE toInteger({x}) END"

        def from_start(text: str, start: str, size: str, given: str) -> str:
            first = self._let(
                [start, size, f"size({text})"],
                lambda p, z, n: (
                    f"CASE WHEN {p} < 0 AND {p} + {n} < 0 THEN [0, CASE WHEN {z} + {p} + {n} > 0 THEN {z} + {p} + {n} "
                    f"ELSE 0 END] WHEN {p} < 0 THEN [{p} + {n}, {z}] WHEN {p} > 0 THEN [{p} - 1, {z}] "
                    f"WHEN {z} > 0 THEN [0, {z} - 1] ELSE [0, {z}] END"
                ),
            )
            return self._let(
                [first],
                lambda s: self._let(
                    [
                        (
                            f"CASE WHEN NOT {given} < 0 THEN {s} WHEN {s}[0] - {s}[1] < 0 THEN [0, {s}[0]] "
                            f"ELSE [{s}[0] - {s}[1], {s}[1]] END"
                        )
                    ],
                    lambda r: (
                        f"CASE WHEN {r}[1] <= 0 OR {r}[0] >= size({text}) THEN '' "
                        f"ELSE substring({text}, {r}[0], CASE WHEN {r}[1] > size({text}) THEN size({text}) "
                        f"ELSE {r}[1] END) END"
                    ),
                ),
            )

        return self._let(
            [value, clamped(position), "1000000000" if count is None else clamped(count)],
            lambda text, p, n: (
                f"CASE WHEN {text} IS NULL OR {p} IS NULL OR {n} IS NULL THEN null "
                f"ELSE {from_start(text, p, f'abs({n})', n)} END"
            ),
        )

    def _trim(self, function: str, value: str, characters: str | None) -> str:
        return f"{function}({value}, {self._parameter(' ') if characters is None else characters})"

    def _replace(self, value: str, old: str, new: str) -> str:
        return self._let(
            [value, old, new],
            lambda x, y, z: f"CASE WHEN {y} = '' AND {z} IS NOT NULL THEN {x} ELSE replace({x}, {y}, {z}) END",
        )

    def _code_point(self, value: str) -> str:
        digits = self._parameter("0123456789ABCDEF")
        start, rest = self._parameter("(?s)[\\x{"), self._parameter("}-\\x{10FFFF}].*")
        powers = self._parameter([2**exponent for exponent in range(20, -1, -1)])
        self._bound += 1
        found, bit, shift = f"c{self._bound}", f"b{self._bound}", f"s{self._bound}"
        number = f"{found} + {bit}"
        hexadecimal = (
            f"reduce({shift}t = '', {shift} IN [1048576, 65536, 4096, 256, 16, 1] | "
            f"{shift}t + substring({digits}, (({number}) / {shift}) % 16, 1))"
        )
        return self._let(
            [value],
            lambda x: (
                f"CASE WHEN {x} IS NULL OR {x} = '' THEN null ELSE reduce({found} = 0, {bit} IN {powers} | "
                f"CASE WHEN {number} <= 1114111 AND {x} =~ ({start} + {hexadecimal} + {rest}) THEN {number} "
                f"ELSE {found} END) END"
            ),
        )

    # --- operators ----------------------------------------------------------------------------------------------------

    def negate(self, value: str) -> str:
        """Render ``-value``; the least integer has no opposite but as a DOUBLE."""
        return self._let([value], lambda x: f"CASE WHEN {x} = {_MIN} THEN 9223372036854775808.0 ELSE -{x} END")

    def arithmetic(self, operator: ArithmeticOperator, left: str, right: str, kind: ValueType) -> str:
        """Render a binary operator whose operands both have the type ``kind``."""
        if operator == "/":
            return self._let(
                [left, right],
                lambda a, b: f"CASE WHEN {b} = 0 THEN null ELSE {self._number(f'toFloat({a}) / toFloat({b})')} END",
            )
        if operator in ("&", "|"):
            return self._let([self._whole(left), self._whole(right)], lambda a, b: self._bitwise(operator, a, b))
        if operator in ("<<", ">>"):
            return self._let([self._whole(left), self._whole(right)], lambda a, b: self._shift(operator, a, b))
        return self._let([left, right], lambda a, b: self._sum(operator, a, b, kind))

    def _number(self, value: str) -> str:
        return self._let([value], lambda x: f"CASE WHEN isNaN({x}) THEN null ELSE {x} END")

    def _sum(self, operator: str, a: str, b: str, kind: ValueType) -> str:
        as_float = self._number(f"toFloat({a}) {operator} toFloat({b})")
        if kind is _DOUBLE:
            return as_float
        overflows = {
            "+": f"WHEN {b} > 0 THEN {a} > {_MAX} - {b} WHEN {b} < 0 THEN {a} < {_MIN} - {b}",
            "-": f"WHEN {b} > 0 THEN {a} < {_MIN} + {b} WHEN {b} < 0 THEN {a} > {_MAX} + {b}",
            "*": (
                f"WHEN {a} > 0 AND {b} > 0 THEN {a} > {_MAX} / {b} WHEN {a} < 0 AND {b} < 0 THEN {a} < {_MAX} / {b} "
                f"WHEN {a} > 0 AND {b} < 0 THEN {b} < {_MIN} / {a} WHEN {a} < 0 AND {b} > 0 THEN {a} < {_MIN} / {b}"
            ),
        }[operator]
        return (
            f"CASE WHEN NOT ({a} IS :: INTEGER NOT NULL AND {b} IS :: INTEGER NOT NULL) THEN {as_float} "
            f"WHEN CASE {overflows} ELSE false END THEN {as_float} ELSE {a} {operator} {b} END"
        )

    def _whole(self, value: str) -> str:
        return f"toInteger({value})"  # a DOUBLE loses its fraction, stays within 64 bits, and NaN is 0

    def _low_bits(self, x: str) -> str:
        return f"CASE WHEN {x} < 0 THEN {x} + {_MAX} + 1 ELSE {x} END"

    def _bitwise(self, operator: str, a: str, b: str) -> str:
        word, powers = ("AND", "OR")[operator == "|"], self._parameter(_POWERS)
        self._bound += 1
        total, power = f"n{self._bound}", f"w{self._bound}"
        low = self._let(
            [self._low_bits(a), self._low_bits(b)],
            lambda x, y: (
                f"reduce({total} = 0, {power} IN {powers} | {total} + CASE WHEN ({x} / {power}) % 2 = 1 {word} "
                f"({y} / {power}) % 2 = 1 THEN {power} ELSE 0 END)"
            ),
        )
        return (
            f"CASE WHEN {a} IS NULL OR {b} IS NULL THEN null "
            f"ELSE {low} + CASE WHEN {a} < 0 {word} {b} < 0 THEN {_MIN} ELSE 0 END END"
        )

    def _shift(self, operator: str, a: str, count: str) -> str:
        powers = self._parameter(_POWERS)
        left = f"CASE WHEN {count} > 64 THEN 64 WHEN {count} < -64 THEN -64 ELSE {count} END"
        if operator == ">>":
            left = f"-({left})"

        def shifted(n: str) -> str:
            # the bits that stay, of which the highest becomes the sign
            kept = f"CASE WHEN {n} = 1 THEN {self._low_bits(a)} ELSE ({self._low_bits(a)}) % {powers}[64 - {n}] END"
            to_left = self._let(
                [kept],
                lambda m: (
                    f"CASE WHEN {m} >= {powers}[63 - {n}] "
                    f"THEN ({m} - {powers}[63 - {n}]) * CASE WHEN {n} = 63 THEN 0 ELSE {powers}[{n}] END + {_MIN} "
                    f"ELSE {m} * CASE WHEN {n} = 63 THEN 0 ELSE {powers}[{n}] END END"
                ),
            )
            return (
                f"CASE WHEN {a} IS NULL OR {n} IS NULL THEN null WHEN {n} = 0 THEN {a} WHEN {n} >= 64 THEN 0 "
                f"WHEN {n} > 0 THEN {to_left} "
                f"WHEN {n} <= -63 THEN CASE WHEN {a} < 0 THEN -1 ELSE 0 END "
                f"WHEN {a} >= 0 THEN {a} / {powers}[-{n}] ELSE -((-({a} + 1)) / {powers}[-{n}]) - 1 END"
            )

        return self._let([left], shifted)

    # --- LIKE and CAST ------------------------------------------------------------------------------------------------

    def like(self, value: str, pattern: str) -> str:
        """Render LIKE with a pattern that is computed."""
        steps = [self._parameter(text) for text in ("\\E", "\\E\\\\E\\Q", "%", "\\E.*\\Q", "_", "\\E.\\Q")]
        quoted = pattern
        for old, new in zip(steps[::2], steps[1::2], strict=True):
            quoted = f"replace({quoted}, {old}, {new})"
        return f"{value} =~ ({self._parameter('(?is)' + chr(92) + 'Q')} + {quoted} + {steps[0]})"

    def cast(self, value: str, source: ValueType, target: ValueType) -> str:
        """Render ``CAST(value AS target)``."""
        if target is _INT64:
            if source is _BOOL:
                return f"CASE {value} WHEN true THEN 1 WHEN false THEN 0 END"
            return self._read_integer(value) if source is _STRING else self._whole(value)
        if target is _DOUBLE:
            return self._read_float(value) if source is _STRING else f"toFloat({value})"
        if target is _BOOL:
            return f"{self._read_float(value) if source is _STRING else value} <> 0"
        if source is _BOOL:
            return f"CASE {value} WHEN true THEN '1' WHEN false THEN '0' END"
        if source is _INT64:
            return self._let(
                [value],
                lambda x: f"CASE WHEN {x} IS :: INTEGER NOT NULL THEN toString({x}) ELSE {self._render_float(x)} END",
            )
        return self._render_float(value)

    def _longest_prefix(self, text: str, pattern: str) -> str:
        regex, spaces = self._parameter(pattern), self._parameter(_SPACES)
        self._bound += 1
        index = f"i{self._bound}"
        lengths = f"[{index} IN range(size({text}), 1, -1) WHERE substring({text}, 0, {index}) =~ {regex} | {index}]"
        return f"ltrim(substring({text}, 0, coalesce(head({lengths}), 0)), {spaces})"

    def _read_float(self, value: str) -> str:
        return self._let(
            [value],
            lambda x: (
                f"CASE WHEN {x} IS NOT NULL THEN coalesce(toFloat({self._longest_prefix(x, _FLOAT_PREFIX)}), 0.0) END"
            ),
        )

    def _read_integer(self, value: str) -> str:
        def read(x: str) -> str:
            return self._let([self._longest_prefix(x, _INTEGER_PREFIX)], limited)

        def limited(number: str) -> str:
            digits = f"ltrim(ltrim({number}, {self._parameter('+-')}), {self._parameter('0')})"
            return self._let(
                [digits],
                lambda d: (
                    f"CASE WHEN {d} = '' THEN 0 WHEN size({d}) > 19 OR (size({d}) = 19 AND {d} > '{_MAX}') "
                    f"THEN CASE WHEN {number} STARTS WITH '-' THEN {_MIN} ELSE {_MAX} END "
                    f"WHEN {number} STARTS WITH '-' THEN -toInteger({d}) ELSE toInteger({d}) END"
                ),
            )

        return self._let([value], lambda x: f"CASE WHEN {x} IS NOT NULL THEN {read(x)} END")

    def _render_float(self, value: str) -> str:
        """15 significant digits, always with a point, two digits of exponent or more."""
        zero, zeros = self._parameter("0"), self._parameter("0" * 16)

        def from_text(text: str) -> str:
            # digits without zeros in front, and the power of ten of the first of them
            parts = f"split(ltrim({text}, '-'), 'E')"
            return self._let([parts], from_parts)

        def from_parts(p: str) -> str:
            return self._let([f"split({p}[0], '.')", f"coalesce(toInteger({p}[1]), 0)"], from_mantissa)

        def from_mantissa(m: str, exponent: str) -> str:
            return self._let(
                [f"{m}[0] + {m}[1]", f"size({m}[0]) + {exponent} - 1"],
                lambda d, e: self._let([f"ltrim({d}, {zero})", f"{e} - size({d}) + size(ltrim({d}, {zero}))"], rounded),
            )

        def rounded(d: str, e: str) -> str:
            kept = (
                f"CASE WHEN size({d}) <= 15 THEN {d} ELSE toString(toInteger(substring({d}, 0, 15)) + "
                f"CASE WHEN substring({d}, 15, 1) >= '5' THEN 1 ELSE 0 END) END"
            )
            return self._let(
                [kept],
                lambda k: self._let(
                    [f"rtrim({k}, {zero})", f"{e} + CASE WHEN size({d}) > 15 AND size({k}) = 16 THEN 1 ELSE 0 END"],
                    laid_out,
                ),
            )

        def laid_out(d: str, e: str) -> str:
            def fraction(text: str) -> str:
                return f"CASE WHEN {text} = '' THEN '0' ELSE {text} END"

            scientific = (
                f"substring({d}, 0, 1) + '.' + {fraction(f'substring({d}, 1)')} + 'e' + "
                f"CASE WHEN {e} < 0 THEN '-' ELSE '+' END + CASE WHEN abs({e}) < 10 THEN '0' ELSE '' END + "
                f"toString(abs({e}))"
            )
            padded = f"{d} + substring({zeros}, 0, CASE WHEN {e} + 1 > size({d}) THEN {e} + 1 - size({d}) ELSE 0 END)"
            fixed = self._let(
                [padded],
                lambda t: f"substring({t}, 0, {e} + 1) + '.' + {fraction(f'substring({t}, {e} + 1)')}",
            )
            return (
                f"CASE WHEN {d} = '' THEN '0.0' WHEN {e} < -4 OR {e} >= 15 THEN {scientific} "
                f"WHEN {e} >= 0 THEN {fixed} ELSE '0.' + substring({zeros}, 0, -{e} - 1) + {d} END"
            )

        return self._let(
            [value],
            lambda x: (
                f"CASE WHEN {x} IS NULL THEN null WHEN isNaN({x}) THEN 'nan' "
                f"WHEN {x} > 1.7976931348623157E308 THEN 'Inf' WHEN {x} < -1.7976931348623157E308 THEN '-Inf' "
                f"ELSE CASE WHEN {x} < 0 THEN '-' ELSE '' END + {self._let([f'toString(toFloat({x}))'], from_text)} END"
            ),
        )
