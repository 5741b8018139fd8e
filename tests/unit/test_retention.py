"""Rules of retention: what a file may say, and what goes, against a plain model of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import pytest

import lineage
from lineage import Artifact, ArtifactType, Attribution, Context, ContextType, ParentContext, Store
from lineage.api.units import BackendUnits
from lineage.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError
from lineage.retention import RetentionRule, is_large, plan_retention, read_policy
from tests.conformance.backends import BACKENDS
from tests.conformance.world import Clock
from tests.differential.graph_plan import SEED

Policy: TypeAlias = Callable[[str], Path]
DAY_MS = 86_400_000


@pytest.fixture
def policy(tmp_path: Path) -> Policy:
    def write(text: str) -> Path:
        path = tmp_path / "retention.toml"
        path.write_text(text)
        return path

    return write


def test_a_rule_with_all_that_it_can_have(policy: Policy) -> None:
    path = policy(
        """
        [[rule]]
        name = "old models"
        select = "type:Model"
        older_than = "30d"
        keep_last = 3
        per = "Pipeline"
        protect = "+type:Deployment"
        how = "delete"
        outputs = "remove"
        users = "remove"
        contents = "remove"
        cut = true

        [[rule]]
        name = "runs"
        select = "?type:Run"
        """
    )
    first, second = read_policy(path)
    assert first == RetentionRule(
        name="old models",
        select="type:Model",
        how="delete",
        older_than_ms=30 * DAY_MS,
        keep_last=3,
        per="Pipeline",
        protect="+type:Deployment",
        outputs="remove",
        users="remove",
        contents="remove",
        cut=True,
    )
    assert second == RetentionRule(name="runs", select="?type:Run")


@pytest.mark.parametrize(
    ("text", "ms"), [("90s", 90_000), ("15m", 900_000), ("12 h", 43_200_000), ("0d", 0), ("2w", 14 * DAY_MS)]
)
def test_ages(policy: Policy, text: str, ms: int) -> None:
    [rule] = read_policy(policy(f'[[rule]]\nname = "n"\nselect = "*"\nolder_than = "{text}"'))
    assert rule.older_than_ms == ms


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must have tables"),
        ("rule = 1", "must have tables"),
        ("rule = [1]", "is no table"),
        ("[[rules]]", "must have tables"),
        ('[[rule]]\nname = "n"\nselect = "*"\n[other]', "must have tables"),
        ("[[rule", "is no TOML"),
        ('[[rule]]\nselect = "*"', "rule 1 of .* lacks name"),
        ('[[rule]]\nname = "n"\nselect = "*"\n[[rule]]\nname = "m"', "rule 2 of .* lacks select"),
        ('[[rule]]\nname = "n"\nselct = "*"', "did you mean 'select'"),
        ('[[rule]]\nname = "n"\nselect = ["*"]', "select must be str"),
        ('[[rule]]\nname = ""\nselect = "*"', "name must be str"),
        ('[[rule]]\nname = "n"\nselect = "*"\nhow = "burn"', "how is one of"),
        ('[[rule]]\nname = "n"\nselect = "*"\noutputs = "some"', "outputs is one of"),
        ('[[rule]]\nname = "n"\nselect = "*"\ncut = "yes"', "cut must be bool"),
        ('[[rule]]\nname = "n"\nselect = "*"\nkeep_last = true', "keep_last must be int"),
        ('[[rule]]\nname = "n"\nselect = "*"\nkeep_last = -1', "not be negative"),
        ('[[rule]]\nname = "n"\nselect = "*"\nper = "Run"', "per without keep_last"),
        ('[[rule]]\nname = "n"\nselect = "*"\nolder_than = "a month"', "older_than is a number and"),
        ('[[rule]]\nname = "n"\nselect = "*"\nolder_than = 30', "older_than must be str"),
    ],
)
def test_what_a_policy_may_not_say(policy: Policy, text: str, words: str) -> None:
    with pytest.raises(InvalidArgumentError, match=words):
        read_policy(policy(text))


def test_a_policy_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="cannot read the policy"):
        read_policy(tmp_path / "none.toml")


# --- what goes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(SEED, SEED + 12))
def test_what_goes_is_what_a_plain_model_says(seed: int) -> None:
    random, clock = Random(seed), Clock()
    print(f"seed {seed}")
    with BACKENDS["memory"].fresh() as backend, Store(BackendUnits(backend, clock=clock)) as store:
        store.put_types(
            artifact_types=[ArtifactType(name="Model"), ArtifactType(name="Data")],
            context_types=[ContextType(name="Pipeline"), ContextType(name="Team")],
        )
        contexts = store.put_contexts([Context(type=random.choice(("Pipeline", "Team")), name=name) for name in "abcd"])
        pipelines = {each.id for each in store.get_contexts_by_type("Pipeline")}
        nodes: dict[int, tuple[int, str, set[int]]] = {}
        for _ in range(30):
            clock.tick(random.choice((0, 1, DAY_MS)))
            type_name = random.choice(("Model", "Data"))
            [node_id] = store.put_artifacts([Artifact(type=type_name)])
            held = set(random.sample(contexts, random.randint(0, 2)))
            store.put_attributions_and_associations(
                [Attribution(artifact_id=node_id, context_id=each) for each in held], []
            )
            nodes[node_id] = clock(), type_name, held & pipelines
        keep, per_pipeline, days = random.randint(0, 3), random.random() < 0.7, random.choice((None, 3, 8))
        protected = set(random.sample(sorted(nodes), 3))
        rule = RetentionRule(
            name="r",
            select="kind:artifact",
            keep_last=keep,
            per="Pipeline" if per_pipeline and pipelines else None,
            older_than_ms=None if days is None else days * DAY_MS,
            protect=" or ".join(f"artifact/{each}" for each in protected),
        )
        kept = set(protected)
        for type_name in ("Model", "Data"):
            for place in [*pipelines, None] if rule.per else [None]:
                group = [
                    (made, node_id)
                    for node_id, (made, each, held) in nodes.items()
                    if each == type_name and (not rule.per or (place in held if place is not None else not held))
                ]
                kept |= {node_id for _, node_id in sorted(group, reverse=True)[:keep]}
        goes = {
            node_id
            for node_id, (made, _, _) in nodes.items()
            if node_id not in kept and (days is None or made < clock() - days * DAY_MS)
        }
        plan = plan_retention(store, rule, now_ms=clock())
        assert {node.id for node in plan.nodes} == goes
        assert plan.how == "forget"


def _runs(store: Store) -> list[int]:
    store.put_types(context_types=[ContextType(name="Run"), ContextType(name="Pipeline")])
    pipeline, *runs = store.put_contexts(
        [Context(type="Pipeline", name="p"), *(Context(type="Run", name=f"run-{number}") for number in range(5))]
    )
    store.put_parent_contexts([ParentContext(child_id=each, parent_id=pipeline) for each in runs])
    return runs


def test_runs_of_a_pipeline_are_counted_by_their_parent() -> None:
    with lineage.open_store("memory:") as store:
        runs = _runs(store)
        rule = RetentionRule(name="r", select="type:Run", keep_last=2, per="Pipeline", how="delete")
        plan = plan_retention(store, rule, now_ms=0)
        assert [node.id for node in plan.nodes] == runs[:3]


def test_what_matches_nothing_is_an_error_unless_it_may() -> None:
    with lineage.open_store("memory:") as store:
        _runs(store)
        for rule in (RetentionRule(name="r", select="type:Rnu"), RetentionRule(name="r", select="*", protect="rnu-1")):
            with pytest.raises(NotFoundError, match=r"there is no type|no node is called"):
                plan_retention(store, rule, now_ms=0)
        assert len(plan_retention(store, RetentionRule(name="r", select="?type:Rnu"), now_ms=0)) == 0


def test_a_fifth_of_the_store() -> None:
    with lineage.open_store("memory:") as store:
        _runs(store)  # six nodes
        assert [is_large(store, count) for count in (0, 1, 2, 6)] == [False, False, True, True]


def test_nodes_can_be_planned_as_they_are() -> None:
    with lineage.open_store("memory:") as store:
        runs = _runs(store)
        given: Any = [store.get_context(runs[0]), Context(id=runs[1])]
        plan = store.plan_removal(given, how="delete")
        assert ([node.id for node in plan.nodes], plan.selection) == (runs[:2], "2 nodes")
        with pytest.raises(FailedPreconditionError):
            store.apply(plan) if store.put_contexts([Context(id=runs[0], type="Run", name="other")]) else None
        for wrong in ([Context(type="Run", name="x")], [1], [None], ["run-1"]):
            with pytest.raises(InvalidArgumentError):
                store.plan_removal(wrong)  # type: ignore[arg-type]  # that is it
