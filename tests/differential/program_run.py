"""Runs a program on both sides, and makes one that shows a mismatch short."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from lineage.model import Record
from tests.differential.program_calls import Call, Outcome, Pair
from tests.differential.program_generator import ProgramGenerator

PROGRAM_LENGTH = 60
SEED_VARIABLE = "LINEAGE_TEST_SEED"


def first_seed() -> int:
    """Return the seed from the environment, else always the same one: a change is not judged by chance."""
    return int(os.environ.get(SEED_VARIABLE) or 1_000_000)


@dataclass(frozen=True)
class Mismatch:
    """The calls up to the one that differs, and both of its outcomes."""

    calls: tuple[Call, ...]
    call: Call
    reference: Outcome
    ours: Outcome

    @property
    def signature(self) -> tuple[str, int, int]:
        return self.call.method, self.reference.code, self.ours.code

    def __str__(self) -> str:
        program = "\n".join(f"    {call}" for call in self.calls)
        return f"{program}\n  differs in\n    {self.call}\n  reference\n    {self.reference}\n  ours\n    {self.ours}"


def run_seed(
    seed: int, length: int = PROGRAM_LENGTH, counts: Counter[str] | None = None, pair: Pair | None = None
) -> Mismatch | None:
    """Run the program of a seed; return what differs. Counts calls that succeed and errors by status."""
    pair = pair or Pair()
    return _run(pair, ProgramGenerator(Random(seed), pair.store).program(length), counts)


def replay(calls: Iterable[Call]) -> Mismatch | None:
    """Run these calls on empty stores; return what differs."""
    return _run(Pair(), calls, None)


def _run(pair: Pair, calls: Iterable[Call], counts: Counter[str] | None) -> Mismatch | None:
    done: list[Call] = []
    for call in calls:
        done.append(call)
        expected, actual = pair.perform(call)
        if not expected.agrees_with(actual):
            return Mismatch(tuple(done), call, expected, actual)
        if counts is not None:
            counts[f"error {actual.code}" if actual.code else "calls that succeed"] += 1
    for call in pair.whole_store():
        expected, actual = pair.perform(call)
        if not expected.agrees_with(actual):
            return Mismatch(tuple(done), call, expected, actual)
    return None


# --- shrinking -------------------------------------------------------------------------------------------------------


def shrink(mismatch: Mismatch) -> Mismatch:
    """Leave out calls, then parts of calls, while the same kind of mismatch remains."""
    size = max(1, len(mismatch.calls) // 2)
    while size:
        start = 0
        while start < len(mismatch.calls):
            found = _same(mismatch, (*mismatch.calls[:start], *mismatch.calls[start + size :]))
            mismatch, start = (found, start) if found is not None else (mismatch, start + size)
        size //= 2
    position = 0
    while position < len(mismatch.calls):
        for simpler in _simpler_calls(mismatch.calls[position]):
            found = _same(mismatch, (*mismatch.calls[:position], simpler, *mismatch.calls[position + 1 :]))
            if found is not None and len(found.calls) > position:
                mismatch = found
                break
        else:
            position += 1
    return mismatch


def _same(mismatch: Mismatch, calls: Sequence[Call]) -> Mismatch | None:
    found = replay(calls)
    return found if found is not None and found.signature == mismatch.signature else None


def _simpler_calls(call: Call) -> Iterator[Call]:
    for name in call.options:
        if name != "limits":
            yield replace(call, options={key: value for key, value in call.options.items() if key != name})
        for simpler in _simpler_values(call.options[name]):
            yield replace(call, options={**call.options, name: simpler})
    for index, argument in enumerate(call.args):
        for simpler in _simpler_values(argument):
            yield replace(call, args=(*call.args[:index], simpler, *call.args[index + 1 :]))


_KEPT_FIELDS = ("id", "type_id", "artifact_id", "execution_id", "context_id", "child_id", "parent_id")


def _simpler_values(value: Any) -> Iterator[Any]:
    """Return values with one part less."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield value[:index] + value[index + 1 :]
            yield from (
                [*value[:index], simpler, *value[index + 1 :]] for simpler in _simpler_values(item) if simpler != item
            )
    elif isinstance(value, tuple) and len(value) == 2:  # an artifact and its event
        yield from ((simpler, value[1]) for simpler in _simpler_values(value[0]))
        yield from ((value[0], simpler) for simpler in _simpler_values(value[1]))
    elif isinstance(value, Record):
        fields = {name: getattr(value, name) for name in value.model_fields_set}
        for name, given in fields.items():
            if name in ("properties", "custom_properties"):
                for key in given:
                    fewer = {other: each for other, each in given.items() if other != key}
                    yield type(value)(**{**fields, name: fewer})
            elif name not in _KEPT_FIELDS:
                yield type(value)(**{other: each for other, each in fields.items() if other != name})
