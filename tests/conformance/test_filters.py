"""filter_query, the basics on every backend: one line for each fact. Its depth is in tests/unit/cypher."""

from __future__ import annotations

from typing import Any

import pytest

from lineage import Artifact, Association, Attribution, Context, Event, Execution, ParentContext, Store
from lineage.errors import InvalidArgumentError
from tests.conformance.world import Clock, World, refused


@pytest.fixture
def graph(world: World, clock: Clock) -> Store:
    """Artifacts a to e, executions x and y, contexts run1, run2 and pipe."""
    store = world.store
    store.put_artifacts(
        [
            Artifact(
                type="Model", name="a", uri="u/a", state="LIVE", properties={"i": 1, "d": 0.5, "s": "one", "b": True}
            ),
            Artifact(type="Model", name="b", uri="u/b", state="DELETED", properties={"i": 2, "s": "Two"}),
            Artifact(type="DataSet", name="c", uri="v/c", external_id="ext", custom_properties={"i": 3, "My Key": "x"}),
        ]
    )
    clock.tick(1000)
    store.put_artifacts(
        [
            Artifact(type="Model", name="d", state="ABANDONED", properties={"i": -5, "st": {"x": 1}}),
            Artifact(type="DataSet", custom_properties={"i": "text", "n.n": 1.5, "b": False}),
        ]
    )
    store.put_executions(
        [
            Execution(type="Trainer", name="x", last_known_state="COMPLETE", properties={"d": 1.5}),
            Execution(type="Trainer", name="y"),
        ]
    )
    store.put_contexts(
        [Context(type="Run", name="run1"), Context(type="Run", name="run2"), Context(type="Pipeline", name="pipe")]
    )
    store.put_events(
        [
            Event(artifact_id=3, execution_id=1, type="INPUT", path=("examples", 0), time_ms=10),
            Event(artifact_id=1, execution_id=1, type="OUTPUT", path=("model",), time_ms=20),
            Event(artifact_id=1, execution_id=2, type="INPUT", time_ms=30),
            Event(artifact_id=2, execution_id=2, type="PENDING_OUTPUT", time_ms=40),
        ]
    )
    store.put_attributions_and_associations(
        [
            Attribution(artifact_id=1, context_id=1),
            Attribution(artifact_id=2, context_id=1),
            Attribution(artifact_id=2, context_id=2),
            Attribution(artifact_id=4, context_id=2),
        ],
        [Association(execution_id=1, context_id=1), Association(execution_id=2, context_id=2)],
    )
    store.put_parent_contexts([ParentContext(child_id=1, parent_id=3), ParentContext(child_id=2, parent_id=3)])
    return store


ARTIFACTS: list[tuple[str, str]] = [
    # attributes
    ("id = 1", "a"),
    ("id IN (1, 3, 99)", "ac"),
    ("id BETWEEN 2 AND 4", "bcd"),
    ("id > 1 AND id <= 3", "bc"),
    ("id = 1 AND id = 2", ""),
    ("type = 'Model'", "abd"),
    ("type_id = 11", "ce"),
    ("name = 'a' OR name = 'c'", "ac"),
    ("name = 'A'", ""),
    ("external_id = 'ext'", "c"),
    ("uri LIKE 'U/%'", "ab"),
    ("uri LIKE '_/_'", "abc"),
    ("uri = ''", "de"),
    ("uri IS NULL", ""),
    ("create_time_since_epoch > 1700000000000", "de"),
    ("last_update_time_since_epoch = 1700000000000", "abc"),
    ("TRUE", "abcde"),
    ("", "abcde"),
    # NULL
    ("name IS NULL", "e"),
    ("name IS NOT NULL AND NOT id = 1", "bcd"),
    ("name != 'a'", "bcd"),
    ("NOT name = 'a'", "bcd"),
    ("(name = 'zz') IS NULL", "e"),
    # properties
    ("properties.i.int_value = 1", "a"),
    ("properties.i.int_value < 2", "ad"),
    ("properties.i.int_value + 1 = 3", "b"),
    ("-properties.i.int_value = 5", "d"),
    ("properties.d.double_value >= 0.5", "a"),
    ("properties.s.string_value = 'Two'", "b"),
    ("properties.s.string_value LIKE 't%'", "b"),
    ("properties.s.string_value = 'two'", ""),
    ("properties.b.bool_value", "a"),
    ("custom_properties.b.bool_value = FALSE", "e"),
    ("custom_properties.i.int_value = 3", "c"),
    ("custom_properties.i.string_value = 'text'", "e"),
    ("custom_properties.i.int_value IS NULL", "e"),
    ("custom_properties.`My Key`.string_value = 'x'", "c"),
    ("custom_properties.`n.n`.double_value = 1.5", "e"),
    ("properties.I.int_value = 1", ""),
    ("properties.zz.int_value IS NULL", ""),
    ("properties.i.int_value = 1 OR id = 3", "a"),
    ("NOT properties.i.int_value = 1", "bd"),
    ("properties.i.int_value = 1 AND properties.s.string_value = 'one'", "a"),
    ("EXISTS(properties.st)", "d"),
    ("NOT EXISTS(properties.i)", "ce"),
    # enumerations
    ("state = LIVE", "a"),
    ("state IN (LIVE, DELETED)", "ab"),
    ("state != LIVE", "bcde"),
    ("state NOT IN (LIVE)", "bcde"),
    ("NOT state = LIVE", "bd"),
    ("state = ABANDONED", "d"),
    ("state = LIVE OR state = LIVE", "a"),
    ("LIVE = state", "a"),
    ("state <> LIVE", "bcde"),
    ("(state) = 2", "a"),
    ("state IN (2)", "a"),
    ("state NOT IN (2)", "bd"),
    # contexts
    ("contexts_a.name = 'run1'", "ab"),
    ("contexts_a.name = 'run1' AND contexts_a.name = 'run2'", ""),
    ("contexts_a.name = 'run1' AND contexts_b.name = 'run2'", "b"),
    ("contexts_a.id = contexts_b.id", "abd"),
    ("contexts_a.id != 1", "bd"),
    ("NOT contexts_a.id = 1", "bd"),
    ("NOT EXISTS(contexts_a.id = 1)", "cde"),
    ("NOT EXISTS(contexts_a)", "ce"),
    ("contexts_a.type = 'Run' OR id = 5", "abd"),
    ("contexts_a.name = 'run2' AND properties.i.int_value = 2", "b"),
    # events
    ("events_0.type = INPUT", "ac"),
    ("events_0.type = OUTPUT AND events_0.execution_id = 1", "a"),
    ("events_0.type = OUTPUT AND events_0.execution_id = 2", ""),
    ("events_0.type = OUTPUT AND events_1.type = INPUT", "a"),
    ("events_0.type = PENDING_OUTPUT", "b"),
    ("events_0.type != INPUT", "ab"),
    ("events_0.milliseconds_since_epoch < 20", "c"),
    ("events_0.path[0].key = 'examples' AND events_0.path[1].index = 0", "c"),
    ("NOT EXISTS(events_0.type = OUTPUT)", "bcde"),
    # expressions
    ("CASE WHEN id = 1 THEN TRUE ELSE name = 'c' END", "ac"),
    ("LENGTH(uri) = 3 AND UPPER(name) = 'B'", "b"),
    ("COALESCE(name, 'none') = 'none'", "e"),
    ("CAST(id AS STRING) = '3'", "c"),
    ("ABS(properties.i.int_value) = 5", "d"),
]
EXECUTIONS: list[tuple[str, str]] = [
    ("last_known_state = COMPLETE", "x"),
    ("last_known_state != COMPLETE", "y"),
    ("properties.d.double_value > 1", "x"),
    ("contexts_c.name = 'run2'", "y"),
    ("events_e.artifact_id = 1", "xy"),
    ("events_e.artifact_id = 1 AND events_e.type = OUTPUT", "x"),
    ("events_e.path[0].key = 'model'", "x"),
]
CONTEXTS: list[tuple[str, list[str]]] = [
    ("parent_contexts_p.name = 'pipe'", ["run1", "run2"]),
    ("child_contexts_c.name = 'run1'", ["pipe"]),
    ("child_contexts_c.type = 'Pipeline'", []),
    ("artifacts_a.name = 'a'", ["run1"]),
    ("artifacts_a.state = LIVE OR artifacts_a.state = ABANDONED", ["run1", "run2"]),
    ("artifacts_a.state != LIVE", ["run1", "run2"]),
    ("executions_e.last_known_state = COMPLETE AND artifacts_a.uri LIKE 'u/%'", ["run1"]),
    ("NOT EXISTS(artifacts_a)", ["pipe"]),
]


@pytest.mark.parametrize(("where", "expected"), ARTIFACTS)
def test_filter(graph: Store, where: str, expected: str) -> None:
    assert "".join(each.name or "e" for each in graph.list_artifacts(where)) == expected
    assert "".join(each.name or "e" for each in graph.list_artifacts(where, limit=3)) == expected[:3]
    assert graph.count_artifacts(where) == len(expected)


@pytest.mark.parametrize(("where", "expected"), EXECUTIONS)
def test_filter_of_executions(graph: Store, where: str, expected: str) -> None:
    assert "".join(each.name or "" for each in graph.list_executions(where)) == expected
    assert graph.count_executions(where) == len(expected)


@pytest.mark.parametrize(("where", "expected"), CONTEXTS)
def test_filter_of_contexts(graph: Store, where: str, expected: list[str]) -> None:
    assert [each.name for each in graph.list_contexts(where)] == expected
    assert graph.count_contexts(where) == len(expected)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("nmae = 'x'", "did you mean 'name'"),
        ("id = '1'", "invalid `filter_query`"),
        ("name = 1", "invalid `filter_query`"),
        ("id", "invalid `filter_query`"),
        ("id == 1", "invalid `filter_query`"),
        ("state = NOPE", "invalid `filter_query`"),
        ("last_known_state = COMPLETE", "invalid `filter_query`"),
        ("properties.i = 1", "invalid `filter_query`"),
        ("contexts.id = 1", "invalid `filter_query`"),
        ("contexts_a.uri = 'x'", "invalid `filter_query`"),
        ("name = 'x", "invalid `filter_query`"),
        ("id IN (SELECT 1)", "invalid `filter_query`"),
        ("id = 1; DROP TABLE Artifact", "invalid `filter_query`"),
        ("x" * 10_000, "invalid `filter_query`"),
        ("(" * 5000, "invalid `filter_query`"),
    ],
)
def test_what_is_not_in_the_language_is_refused(graph: Store, where: str, message: str) -> None:
    with refused(graph, InvalidArgumentError, message):
        graph.list_artifacts(where)


@pytest.mark.parametrize("blank", ["", " ", "\t\n "])
def test_a_blank_filter_is_none(graph: Store, blank: str) -> None:
    everything = graph.list_artifacts().nodes
    assert everything
    assert graph.list_artifacts(blank).nodes == everything
    assert graph.upstream(everything[0], where=blank) == graph.upstream(everything[0])
    with refused(graph, InvalidArgumentError, "if the filter for artifacts is empty"):
        graph.upstream(artifacts_where=blank)


def test_the_error_points_at_the_place(graph: Store) -> None:
    with pytest.raises(InvalidArgumentError, match=r"\[at 1:18\]\n  state = LIVE AND nmae = 'x'\n {19}\^\^\^\^$"):
        graph.list_artifacts("state = LIVE AND nmae = 'x'")


@pytest.mark.parametrize("where", [1, b"id = 1", ["id = 1"], True])
def test_a_filter_is_text(graph: Store, where: Any) -> None:
    with refused(graph, InvalidArgumentError, "a filter is a str"):
        graph.list_artifacts(where)


def test_a_filter_sees_what_was_just_written(graph: Store) -> None:
    def found() -> list[int | None]:
        return [each.id for each in graph.list_artifacts("properties.i.int_value = 9 AND contexts_a.name = 'run1'")]

    assert found() == []
    graph.put_artifacts([Artifact(id=4, properties={"i": 9})])
    assert found() == []
    graph.put_attributions_and_associations([Attribution(artifact_id=4, context_id=1)], [])
    assert found() == [4]
    graph.put_contexts([Context(id=1, name="renamed")])
    assert found() == []


def test_a_filter_bomb_is_refused_and_does_no_harm(graph: Store) -> None:
    bomb = "name"
    for _ in range(20):
        bomb = f"REPLACE({bomb}, 'a', 'aaaaaaaaaa')"
    with refused(graph, InvalidArgumentError, "more than 1,000,000 characters"):
        graph.list_artifacts(f"{bomb} = 'a'")
    found = graph.list_artifacts("REPLACE(REPLACE(name, 'a', 'aaaaaaaaaa'), 'a', '1234567890') LIKE '1%'")
    assert len(found) == 1


def test_too_many_neighbours_are_refused_in_words(graph: Store) -> None:
    aliases = [f"contexts_{number}.id = 1" for number in range(17)]
    assert len(graph.list_artifacts(" AND ".join(aliases[:3]))) > 0
    with refused(graph, InvalidArgumentError, "more than 16 neighbours"):
        graph.list_artifacts(" AND ".join(aliases))


@pytest.mark.parametrize(
    ("where", "is_found"),
    [
        ("{x} >= 0", True),
        ("0.0 <= {x}", True),
        ("{x} BETWEEN 0 AND 1", True),
        ("{x} IN (0.0)", True),
        ("{x} = 0", True),
        ("{x} != 0", False),
        ("{x} < 0.0", False),
        ("{x} > -0.0", False),
        ("1 / {x} IS NULL", True),
        ("-{x} < 0 OR {x} * -1 < 0 OR -1e-300 * 1e-300 < 0", False),
        ("CASE {x} WHEN 0 THEN TRUE END", True),
        ("NULLIF({x}, 0) IS NULL", True),
        ("CAST({x} AS STRING) = '0.0' AND CAST({x} AS INT64) = 0", True),
        ("COALESCE({x}, 1) <= {x} AND {x} IN ({x} + 0, 5)", True),
    ],
)
def test_minus_zero_is_zero(graph: Store, where: str, is_found: bool) -> None:
    graph.put_artifacts([Artifact(type="DataSet", custom_properties={"x": -0.0})])
    found = graph.list_artifacts(where.format(x="custom_properties.x.double_value"))
    assert len(found) == is_found
