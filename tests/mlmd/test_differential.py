"""Random programs through the facade and through the genuine module; every answer compared."""

from __future__ import annotations

import os
from typing import Any

import pytest
from google.protobuf.message import Message

from lineage.mlmd import ListOptions, MetadataStore
from tests.mlmd.programs import CALLS, Failure, Programmer, is_deliberate, run

pytestmark = pytest.mark.differential

SEEDS = int(os.environ.get("LINEAGE_DIFFERENTIAL_PROGRAMS", "40"))
FIRST = int(os.environ.get("LINEAGE_DIFFERENTIAL_SEED", "0"))


def as_theirs(value: Any) -> Any:
    """Our messages and options as those of the genuine module."""
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as theirs

    if isinstance(value, Message):
        theirs_class: Any = getattr(theirs, value.DESCRIPTOR.name)
        return theirs_class.FromString(value.SerializeToString())
    if isinstance(value, ListOptions):
        order = None if value.order_by is None else ml_metadata.OrderByField(value.order_by.value)
        return ml_metadata.ListOptions(value.limit, order, value.is_asc, value.filter_query)
    if isinstance(value, (list, tuple)):
        return type(value)(map(as_theirs, value))
    return value


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SEEDS))
def test_both_answer_alike(seed: int) -> None:
    difference = first_difference(seed)
    for _ in range(2):  # the reference reads the clock several times in a call, and now and then it ticks in between
        if difference is not None:
            difference = first_difference(seed)
    if difference is not None:
        pytest.fail(difference)


def first_difference(seed: int) -> str | None:
    """Run a program on both, and tell where they first answer differently."""
    import ml_metadata
    from ml_metadata.proto import metadata_store_pb2 as theirs

    config = theirs.ConnectionConfig()
    config.fake_database.SetInParent()
    reference, ours = ml_metadata.MetadataStore(config), MetadataStore("memory:")
    for position, call in enumerate(Programmer(seed).program(CALLS)):
        expected, got = run(reference, call, as_theirs), run(ours, call, lambda value: value)
        if expected == got:
            continue
        if not is_deliberate(expected, got):
            return f"seed {seed}, call {position}: {call}\nreference: {expected}\nours:      {got}"
        if not isinstance(expected, Failure):
            return None  # it wrote what we refused, so that the two stores differ from here on
    return None
