"""Removal over gRPC: off unless allowed, for a role of its own, and in the audit log."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType, Store
from lineage.errors import FailedPreconditionError, PermissionDeniedError
from lineage.remote import connect
from lineage.server import Server, TokenFile
from lineage.server.logs import FIELDS
from lineage.v1 import json as wire

ADMIN, WRITER, READER = (role * 8 for role in ("admin", "writer", "reader"))


@pytest.fixture
def store() -> Store:
    opened = lineage.open_store("memory:")
    opened.put_artifact_type(ArtifactType(name="Model"))
    opened.put_artifacts([Artifact(type="Model", name=name) for name in ("a", "b")])
    return opened


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    path = tmp_path / "tokens"
    path.write_text(f"admin {ADMIN} olga\nread-write {WRITER} trainer\nread-only {READER} viewer\n")
    return TokenFile(str(path))


def _audited(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [getattr(record, FIELDS) for record in caplog.records if record.message == "audit"]


def test_a_server_lets_nobody_remove_unless_it_is_told_to(
    store: Store, serve: Callable[..., Server], tokens: TokenFile
) -> None:
    calls: list[Callable[[Store], object]] = [
        lambda remote: remote.apply(remote.plan_removal("a", how="delete")),
        lambda remote: remote.restore("a"),
        lambda remote: remote.delete_events([]),
        lambda remote: remote.delete_artifact_type("Model"),
    ]
    for options in ({}, {"tokens": tokens}):
        with connect(f"grpc://localhost:{serve(store, **options).port}", token=ADMIN if options else None) as remote:
            for call in calls:
                with pytest.raises(PermissionDeniedError, match="start it with --allow-removal"):
                    call(remote)
            assert remote.put_artifacts([Artifact(type="Model", name="new")] if not options else []) is not None
    assert {each.name for each in store.list_artifacts()} == {"new", "b", "a"}


def test_removal_needs_the_role_admin(store: Store, serve: Callable[..., Server], tokens: TokenFile) -> None:
    url = f"grpc://localhost:{serve(store, tokens=tokens, allow_removal=True).port}"
    for token, words in ((READER, "reading only"), (WRITER, "not for removal; use one with the role admin")):
        with connect(url, token=token) as remote:
            plan = remote.plan_removal("a", how="delete")
            with pytest.raises(PermissionDeniedError, match=words):
                remote.apply(plan)
    with connect(url, token=ADMIN) as remote:
        assert remote.put_artifacts([Artifact(type="Model", name="c")]) == [3]  # and to write
        assert remote.apply(remote.plan_removal("a", how="delete")).removed == 1
    assert {each.name for each in store.list_artifacts()} == {"c", "b"}


def test_a_read_only_server_lets_no_admin_remove(store: Store, serve: Callable[..., Server], tokens: TokenFile) -> None:
    server = serve(store, tokens=tokens, allow_removal=True, read_only=True)
    with connect(f"grpc://localhost:{server.port}", token=ADMIN) as remote:
        plan = remote.plan_removal("a", how="delete")
        with pytest.raises(PermissionDeniedError, match="read-only"):
            remote.apply(plan)


def test_the_audit_log_says_who_removed_what(
    store: Store, serve: Callable[..., Server], tokens: TokenFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "lineage.server")
    url = f"grpc://localhost:{serve(store, tokens=tokens, allow_removal=True).port}"
    with connect(url, token=ADMIN) as remote:
        plan = remote.plan_removal("a or b", how="delete")
        assert _audited(caplog) == []
        remote.apply(plan)
        before, after = _audited(caplog)
        assert (before["caller"], before["role"], before["method"]) == ("olga", "admin", "Apply")
        assert (before["how"], before["selection"]) == ("delete", "a or b")
        assert before["nodes"] == [f"{node.address} {node.digest}" for node in plan.nodes]
        assert (after["caller"], after["status"], after["request_id"]) == ("olga", "OK", before["request_id"])
        caplog.clear()
        remote.put_artifacts([Artifact(type="Model", name="a")])
        stale = remote.plan_removal("a", how="delete")
        remote.put_artifacts([Artifact(id=3, uri="changed")])
        with pytest.raises(FailedPreconditionError):
            remote.apply(stale)
        _, after = _audited(caplog)
        assert after["status"] == "FAILED_PRECONDITION"
        assert "artifact/3 has changed" in after["error"]
        caplog.clear()
        remote.restore("a")
        before, _ = _audited(caplog)
        assert {name: json.loads(value) for name, value in before["arguments"].items()} == {"selection": "a"}


def test_a_large_plan_is_many_lines(
    store: Store, serve: Callable[..., Server], caplog: pytest.LogCaptureFixture
) -> None:
    store.put_artifacts([Artifact(type="Model") for _ in range(1200)])
    with connect(f"grpc://localhost:{serve(store, allow_removal=True).port}") as remote:
        assert remote.apply(remote.plan_removal("*")).removed == 1202
    lines = _audited(caplog)
    assert [len(line.get("nodes", ())) for line in lines] == [500, 500, 202, 0]


def test_a_plan_goes_over_the_wire_as_it_is(store: Store, serve: Callable[..., Server]) -> None:
    with connect(f"grpc://localhost:{serve(store, allow_removal=True).port}") as remote:
        plan = remote.plan_removal("a", how="delete")
        assert plan == store.plan_removal("a", how="delete") == wire.decode(wire.encode(plan))
        assert str(plan) == str(store.plan_removal("a", how="delete"))
