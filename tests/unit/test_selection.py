"""The language of selections: every tree comes back from its text, every wrong text is refused with a place."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lineage
from lineage import Artifact, ArtifactType, Context, ContextType, Event, Execution, ExecutionType, NodeKind
from lineage.errors import InvalidArgumentError
from lineage.reading.selection.syntax import parse_selection
from lineage.reading.selection.tree import (
    Address,
    Call,
    Chain,
    Either,
    Everything,
    Keyed,
    Named,
    Not,
    Part,
    Value,
    Walk,
    Where,
)
from tests.conformance.brute_force import flow_of
from tests.conformance.test_selection import SELECTED

Key: TypeAlias = tuple[NodeKind, int]
texts = st.text(st.sampled_from("abor nd12*?:/\\\"'+(){},.-é\n"), min_size=1, max_size=8)
globs = st.from_regex(r"[a-c]{0,2}[*?][a-c]{1,2}", fullmatch=True).map(lambda text: Value(text, is_glob=True))
values = st.builds(Value, texts) | globs
named_globs = globs.filter(lambda value: not value.text.startswith("?"))
filters = st.sampled_from(["id = 1", " name = '}' -- }\n", 'uri LIKE "a{b%"', "id IN (1, 2)/* } */"])
atoms: st.SearchStrategy[Part] = st.one_of(
    st.builds(Named, st.builds(Value, texts) | named_globs, st.booleans()),
    st.builds(Address, st.sampled_from(list(NodeKind)), st.integers(0, 10**18 - 1), st.booleans()),
    st.builds(Keyed, st.sampled_from(["type", "name", "uri", "external_id", "context"]), values, st.booleans()),
    st.builds(Keyed, st.just("state"), st.sampled_from(["LIVE", "failed"]).map(Value), st.booleans()),
    st.builds(Where, filters, st.booleans()),
    st.just(Everything()),
)
hops = st.none() | st.integers(0, 20)


def _joined(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    several = st.lists(parts, min_size=2, max_size=3)
    operators = st.lists(st.tuples(st.sampled_from(["and", "except"]), parts), min_size=1, max_size=3)
    return st.one_of(
        several.map(lambda some: Either.of(some, (0, 0))),
        st.builds(lambda first, rest: Chain.of(first, rest, (0, 0)), parts, operators),
        st.builds(Not, parts),
        st.builds(Walk, parts, hops, hops).filter(lambda walk: (walk.up, walk.down) != (0, 0)),
        st.builds(Call, st.sampled_from(["roots", "leaves"]), st.lists(parts, min_size=1, max_size=2).map(tuple)),
        st.builds(Call, st.sampled_from(["between", "common"]), st.tuples(parts, parts)),
    )


trees = st.recursive(atoms, _joined, max_leaves=8)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")  # of the strategy, on some Pythons
@settings(max_examples=400)
@given(trees)
def test_the_text_of_a_tree_parses_back_to_it(tree: Part) -> None:
    assert parse_selection(str(tree)) == tree


def _is_valid(text: str) -> bool:
    """Whether a text is a selection; if not, it is refused with a place in it or at its end."""
    try:
        parse_selection(text)
    except InvalidArgumentError as error:
        said = str(error)
    else:
        return True
    place = re.search(r"\[at (\d+):(\d+)\]\n.*\n *\t*\^+$", said, re.DOTALL)
    assert place is not None, said
    lines = text.split("\n")
    assert 1 <= int(place[1]) <= len(lines)
    assert 1 <= int(place[2]) <= len(lines[int(place[1]) - 1]) + 1
    return False


@settings(max_examples=150)
@given(trees)
def test_a_prefix_of_a_selection_is_one_or_is_refused_with_its_place(tree: Part) -> None:
    text = str(tree)
    assert _is_valid(text)
    for end in range(len(text)):
        _is_valid(text[:end])


def test_every_prefix_of_the_examples() -> None:
    wrong = sum(not _is_valid(text[:end]) for text, _, _ in SELECTED for end in range(len(text)))
    assert wrong > 400


@settings(max_examples=300)
@given(st.text(st.sampled_from('ab12 +*?:"\\(){},-.\norandt'), max_size=14))
def test_any_text_is_a_selection_or_is_refused_with_its_place(text: str) -> None:
    if _is_valid(text):
        tree = parse_selection(text)
        assert parse_selection(str(tree)) == tree


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("((a))", "a"),
        ("(a or b) or c", "a or b or c"),
        ("a or (b or c)", "a or b or c"),
        ("(a and b) except c", "a and b except c"),
        ("a and (b except c)", "a and (b except c)"),
        ("(2)+3", '"2"+3'),
        ("2+3", '2+"3"'),
        ("+(+x)", "+(+x)"),
        ("roots (a)", "roots(a)"),
        ("not(a)", "not a"),
        ("(not a)+", "(not a)+"),
        ('"a"', "a"),
        ('"a b"', '"a b"'),
        ('"a*"', '"a*"'),
        ('name:"x"', "name:x"),
        ('"artifact/1"', '"artifact/1"'),
        ("artifact/01", "artifact/1"),
        ("Artifact/1", "Artifact/1"),
        ("{ id = 1 }", "{ id = 1 }"),
        ("a\n or\tb", "a or b"),
    ],
)
def test_the_canonical_form(text: str, canonical: str) -> None:
    assert str(parse_selection(text)) == canonical


def test_what_is_too_large_is_refused() -> None:
    assert _is_valid("(" * 49 + "a" + ")" * 49)
    for text in ("(" * 100_000 + "a", "not " * 100_000 + "a", "roots(" * 1000):
        with pytest.raises(InvalidArgumentError, match="nested too deep"):
            parse_selection(text)
    assert _is_valid(" or ".join(["a"] * 1000))
    with pytest.raises(InvalidArgumentError, match="more than 1,000 things"):
        parse_selection(" or ".join(["a"] * 1001))


# --- what is selected -------------------------------------------------------------------------------------------------

ARTIFACTS, EXECUTIONS, CONTEXTS = 5, 4, 2
KEYS: list[Key] = [
    *((NodeKind.ARTIFACT, each) for each in range(1, ARTIFACTS + 1)),
    *((NodeKind.EXECUTION, each) for each in range(1, EXECUTIONS + 1)),
    *((NodeKind.CONTEXT, each) for each in range(1, CONTEXTS + 1)),
]


class _Oracle:
    """What a tree selects, by sets and networkx."""

    def __init__(self, events: list[Event]) -> None:
        self._flow = flow_of(ARTIFACTS, EXECUTIONS, events)

    def select(self, part: Part) -> set[Key]:
        match part:
            case Either():
                return set().union(*map(self.select, part.parts))
            case Chain():
                found = self.select(part.first)
                for operator, each in part.rest:
                    found = found & self.select(each) if operator == "and" else found - self.select(each)
                return found
            case Not():
                return set(KEYS) - self.select(part.part)
            case Everything():
                return set(KEYS)
            case Address():
                return {(part.kind, part.id)}
            case Keyed():
                return {key for key in KEYS if key[0].value.lower() == part.value.text}
            case Where():
                return {key for key in KEYS if {"id = 1": key[1] == 1, "id > 2": key[1] > 2}.get(part.text, False)}
            case Walk():
                start = self.select(part.part)
                return start | self._reach(start, part.up, "up") | self._reach(start, part.down, "down")
            case Call():
                return self._call(part.name, [self.select(each) & set(self._flow) for each in part.arguments])
            case _:
                raise AssertionError(part)

    def _reach(self, start: set[Key], hops: int | None, way: str) -> set[Key]:
        graph = self._flow.reverse() if way == "up" else self._flow
        return {
            key
            for each in start & set(graph)
            for key in nx.single_source_shortest_path_length(graph, each, cutoff=hops)
        }

    def _call(self, name: str, sets: list[set[Key]]) -> set[Key]:
        before = [self._reach(each, None, "up") for each in sets]
        after = [self._reach(each, None, "down") for each in sets]
        match name:
            case "roots":
                return {key for each in before for key in each if not self._flow.in_degree(key)}
            case "leaves":
                return {key for each in after for key in each if not self._flow.out_degree(key)}
            case "between":
                return after[0] & before[1]
            case _:
                return before[0] & before[1]


there: st.SearchStrategy[Part] = st.one_of(
    st.sampled_from(KEYS).map(lambda key: Address(*key)),
    st.sampled_from([kind.value.lower() for kind in NodeKind]).map(lambda kind: Keyed("kind", Value(kind))),
    st.sampled_from(["id = 1", "id > 2", "uri = 'none'"]).map(lambda text: Where(text, is_optional=True)),
    st.just(Everything()),
)
event = st.builds(
    Event,
    artifact_id=st.integers(1, ARTIFACTS),
    execution_id=st.integers(1, EXECUTIONS),
    type=st.sampled_from(["INPUT", "OUTPUT"]),
)


def unique(event: Event) -> tuple[Any, ...]:
    return event.artifact_id, event.execution_id, event.type


@settings(max_examples=200)
@given(st.lists(event, max_size=14, unique_by=unique), st.recursive(there, _joined, max_leaves=6))
def test_sets_and_networkx_agree(events: list[Event], tree: Part) -> None:
    with lineage.open_store("memory:") as store:
        store.put_types(
            artifact_types=[ArtifactType(name="A")],
            execution_types=[ExecutionType(name="E")],
            context_types=[ContextType(name="C")],
        )
        store.put_artifacts([Artifact(type="A") for _ in range(ARTIFACTS)])
        store.put_executions([Execution(type="E") for _ in range(EXECUTIONS)])
        store.put_contexts([Context(type="C", name=f"c{number}") for number in range(CONTEXTS)])
        store.put_events(events)
        selection = store.select(str(tree))
        found = {(node.kind, node.id or 0) for node in selection.nodes}
        assert found == _Oracle(events).select(tree)
        inside = {
            unique(each)
            for each in events
            if {(NodeKind.ARTIFACT, each.artifact_id), (NodeKind.EXECUTION, each.execution_id)} <= found
        }
        assert {unique(each) for each in selection.graph.events} == inside
