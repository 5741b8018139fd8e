"""Random programs of calls: the reference and we answer the same, call by call, and store the same in the end.

Program ``i`` of a run has the seed ``LINEAGE_TEST_SEED + i``. Ids are compared as they are: both sides count from the
same start, and neither keeps the id of an insert that was undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from lineage import Artifact, ArtifactType
from tests.differential.program_calls import Call, Outcome, Pair, served_pair
from tests.differential.program_generator import ProgramGenerator
from tests.differential.program_run import PROGRAM_LENGTH, SEED_VARIABLE, Mismatch, first_seed, replay, run_seed, shrink

pytestmark = [
    pytest.mark.differential,
    pytest.mark.filterwarnings("ignore"),  # ml-metadata's own
]

GROUPS = 20
PROGRAMS_A_GROUP = 20
SERVED_GROUPS = 4
SEED = first_seed()


@pytest.mark.parametrize("group", range(GROUPS))
def test_programs(group: int, record_property: Callable[[str, object], None]) -> None:
    record_property(
        "differential", f"{GROUPS * PROGRAMS_A_GROUP} programs of {PROGRAM_LENGTH} calls, {SEED_VARIABLE}={SEED}"
    )
    for seed in range(SEED + group * PROGRAMS_A_GROUP, SEED + (group + 1) * PROGRAMS_A_GROUP):
        mismatch = run_seed(seed)
        if mismatch is not None:
            pytest.fail(
                f"this program (to repeat it: {SEED_VARIABLE}={seed}, first program of group 0; here it is shortened)\n"
                f"{shrink(mismatch)}",
                pytrace=False,
            )


@pytest.mark.parametrize("group", range(SERVED_GROUPS))
def test_programs_by_the_references_own_client_on_our_server(group: int) -> None:
    for seed in range(SEED + group * PROGRAMS_A_GROUP, SEED + (group + 1) * PROGRAMS_A_GROUP):
        with served_pair() as pair:
            mismatch = run_seed(seed, pair=pair)
        if mismatch is not None:
            pytest.fail(
                f"through ml-metadata's client and our server ({SEED_VARIABLE}={seed})\n{mismatch}", pytrace=False
            )


def test_programs_are_long_and_do_something() -> None:
    counts: Counter[str] = Counter()
    for seed in range(5):
        assert run_seed(seed, counts=counts) is None
    assert counts.total() == 5 * PROGRAM_LENGTH
    assert 0.6 < counts["calls that succeed"] / counts.total() < 0.9


def test_a_seed_makes_one_program() -> None:
    programs = []
    for _ in range(2):
        pair = Pair()
        calls = []
        for call in ProgramGenerator(Random(7), pair.store).program(PROGRAM_LENGTH):
            pair.ours.perform(call)
            calls.append(str(call))
        programs.append(calls)
    assert programs[0] == programs[1]


def test_a_mismatch_is_found_and_made_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget_uris(pair: Pair, call: Call) -> tuple[Outcome, Outcome]:
        expected, actual = perform(pair, call)
        if call.method == "get_by_id" and any(node.uri for node in actual.result):
            actual = Outcome(value="forgotten", result="forgotten")
        return expected, actual

    perform = Pair.perform
    monkeypatch.setattr(Pair, "perform", forget_uris)
    noise = [
        Call("put_artifact_type", (ArtifactType(name=f"T{number}"),), {"can_add_fields": True}) for number in range(9)
    ]
    put = Call(
        "put_artifacts",
        ([Artifact(type_id=10, uri="a", name="n", custom_properties={"k": 1}), *([Artifact(type_id=10)] * 3)],),
    )
    mismatch = replay([*noise, put, *noise, Call("get_by_id", ("Artifact", [1, 2])), *noise])
    assert isinstance(mismatch, Mismatch)
    assert [str(call) for call in shrink(mismatch).calls] == [
        "put_artifact_type(ArtifactType(name='T8'))",
        "put_artifacts([Artifact(type_id=10, uri='a')])",
        "get_by_id('Artifact', [1])",
    ]
