"""How filters become Cypher, beyond what golden.jsonl shows word for word."""

from __future__ import annotations

from backends.neo4j.layout import GRAPH_KINDS
from cypher import parse_filter
from cypher.rendering import CypherFilter, render_filter
from cypher.rendering.terms import Terms
from lineage.model import NodeKind
from lineage.seam import SCOPES


def rendered(text: str) -> CypherFilter:
    return render_filter(parse_filter(text, SCOPES[NodeKind.ARTIFACT]), GRAPH_KINDS[NodeKind.ARTIFACT])


def test_one_parameter_for_each_value_and_type() -> None:
    """Whatever objects hold them: 1000 is made anew each time, and 1, 1.0 and TRUE are equal in Python."""
    same = rendered("id = 1000 OR type_id = 1000 OR name = 'a b' OR type = 'a b'")
    assert same.parameters == {"f0": 1000, "f1": "a b"}
    others = rendered("id = 1 OR properties.d.double_value = 1.0 OR (id > 2) = TRUE OR name = '1'")
    assert [repr(value) for value in others.parameters.values()] == ["1", "1.0", "2", "True", "'1'"]


def test_values_that_are_equal_and_not_the_same_have_parameters_of_their_own() -> None:
    terms = Terms("p")
    values: list[object] = [0.0, -0.0, 0, False, "0", [0], [0.0], [False], [-0.0], {"a": 0}, {"a": False}, None]
    assert len({terms.parameter(value) for value in values}) == len(values)
    assert [terms.parameter(value) for value in values] == [f"$p{place}" for place in range(len(values))]
    assert list(map(repr, terms.parameters.values())) == list(map(repr, values))
