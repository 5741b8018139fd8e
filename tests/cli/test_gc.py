"""``lineage gc``: what it does, what it refuses, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lineage import Artifact, Store
from tests.cli.test_questions import Ask, ask
from tests.cli.test_rm import names, store

__all__ = ["ask", "store"]  # fixtures

RULE = '[[rule]]\nname = "models"\nselect = "type:Model"\nhow = "delete"\n'


@pytest.fixture
def policy(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "retention.toml"
        path.write_text(text)
        return str(path)

    return write


def test_a_dry_run_changes_nothing(ask: Ask, store: Store, policy: Callable[[str], str]) -> None:
    before = names(store)
    status, written, said = ask("gc", "--policy", policy(RULE), "--dry-run")
    assert (status, said) == (0, "")
    assert written.startswith("models:\n  delete 2 nodes")
    assert names(store) == before


def test_more_than_a_fifth_has_to_be_meant(ask: Ask, store: Store, policy: Callable[[str], str]) -> None:
    before = names(store)
    status, _, said = ask("gc", "--policy", policy(RULE))
    assert status == 1
    assert "2 nodes, more than a fifth of the store" in said
    assert names(store) == before
    status, _, said = ask("gc", "--policy", policy(RULE), "--yes-really")
    assert (status, said) == (0, "models: delete: 2 nodes\n")
    assert names(store) == before - {"churn", "churn-2"}


def test_less_than_a_fifth_goes_at_once(ask: Ask, store: Store, policy: Callable[[str], str]) -> None:
    store.put_artifacts([Artifact(type="DataSet") for _ in range(20)])
    assert ask("gc", "--policy", policy(RULE))[::2] == (0, "models: delete: 2 nodes\n")
    again = policy(RULE.replace("type:Model", "?type:Model and not state:LIVE"))
    assert ask("gc", "--policy", again)[0] == 3  # a part that matches nothing is an error, and 'state:LIVE' does
    assert ask("gc", "--policy", policy(RULE.replace("type:Model", "?type:Model")))[::2] == (
        0, "models: delete: 0 nodes\n",
    )  # fmt: skip


def test_rules_go_in_turn(ask: Ask, store: Store, policy: Callable[[str], str]) -> None:
    both = RULE + '[[rule]]\nname = "steps"\nselect = "type:Trainer or type:Model"\nhow = "delete"\n'
    both = both.replace('"type:Trainer or type:Model"', '"type:Trainer or ?type:Model"')
    status, written, said = ask("gc", "--policy", policy(both), "--yes-really")
    assert (status, said) == (0, "models: delete: 2 nodes\nsteps: delete: 2 nodes\n")
    assert "steps:\n  delete 4 nodes" in written
    assert names(store) == {"iris", "run-1"}


def test_what_would_be_cut_is_refused_before_anything_goes(
    ask: Ask, store: Store, policy: Callable[[str], str]
) -> None:
    before = names(store)
    both = RULE + '[[rule]]\nname = "steps"\nselect = "train-1"\nhow = "delete"\n'
    status, _, said = ask("gc", "--policy", policy(both), "--yes-really")
    assert status == 1
    assert said.startswith("error: steps: ")
    assert "would be cut" in said
    assert 'outputs = "remove"' in said  # a line of the policy, which is what its writer can change
    assert "cut = true" in said
    assert names(store) == before


def test_a_policy_that_is_wrong(ask: Ask, store: Store, policy: Callable[[str], str]) -> None:
    status, written, said = ask("gc", "--policy", policy("[[rule]]"))
    assert (status, written) == (1, "")
    assert "lacks name" in said
    with pytest.raises(SystemExit) as ended:
        ask("gc")
    assert ended.value.code == 2
