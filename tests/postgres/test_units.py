"""Units of work: what failed in the middle is not committed, and what became of a commit is asked of the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

import lineage
from backends.sql import open_postgres
from lineage.errors import InternalError
from tests.conformance.seam import A, artifact, find, put_types
from tests.interrupting import Interrupted
from tests.postgres.fresh import drop, raw, run, url_of

pytestmark = pytest.mark.postgres


def test_a_unit_of_work_with_an_error_is_not_committed(url: str) -> None:
    """The server would undo it and say nothing."""
    with closing(open_postgres(url)) as backend:
        backend.prepare()
        with backend.transaction(write=True) as tx:
            put_types(tx)

        def work() -> None:
            with backend.transaction(write=True) as tx:
                tx.insert_nodes(A, [artifact("a")])
                with suppress(psycopg.Error):
                    tx._statements.run("SELECT 1 / 0")  # pyright: ignore[reportPrivateUsage]  # a statement that fails

        with pytest.raises(InternalError, match="a statement of this unit of work failed"):
            work()
        assert find(backend) == []
        with backend.transaction(write=True) as tx:
            tx.insert_nodes(A, [artifact("a")])
        assert len(find(backend)) == 1


@pytest.mark.parametrize(("end", "happened"), [("COMMIT", True), ("ROLLBACK", False)])
def test_the_server_tells_what_became_of_a_transaction(url: str, end: str, happened: bool) -> None:
    with closing(open_postgres(url)) as backend:
        backend.prepare()
        with closing(raw(url)) as other:
            other.execute("BEGIN")
            [number] = other.execute("SELECT txid_current()").fetchone()
            other.execute(end)
        database: Any = backend.database
        assert database._happened(("", {"number": number})) is happened


def test_an_interrupt_in_a_pipeline_is_what_its_caller_gets(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """psycopg ends the pipeline, finds it in use, and fails an assertion of its own."""
    enter: Any = psycopg.Pipeline._enter_gen  # pyright: ignore[reportPrivateUsage]  # where the interrupt comes

    def interrupted(self: Any) -> Iterator[Any]:
        yield from enter(self)
        raise Interrupted

    with lineage.open_store(url) as store:
        store.put_artifact_type(lineage.ArtifactType(name="A"))
        ids = store.put_artifacts([lineage.Artifact(type="A"), lineage.Artifact(type="A")])
        changed = [lineage.Artifact(id=each, type="A", uri="new") for each in ids]
        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Pipeline, "_enter_gen", interrupted)
            with pytest.raises(Interrupted):
                store.put_artifacts(changed)
        assert [each.uri for each in store.get_artifacts_by_id(ids)] == ["", ""]
        store.put_artifacts(changed)
        assert [each.uri for each in store.get_artifacts_by_id(ids)] == ["new", "new"]


def test_doubles_are_whole_whatever_the_database_is_set_to(url: str) -> None:
    number = 0.1 + 0.2
    with lineage.open_store(url) as store:
        store.put_artifact_type(lineage.ArtifactType(name="A"))
    run(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET extra_float_digits = 0")
    with lineage.open_store(url) as store:
        [id_] = store.put_artifacts([lineage.Artifact(type="A", custom_properties={"x": number})])
        assert store.get_artifact(id_).custom_properties["x"] == number
        assert len(store.list_artifacts("ROUND(custom_properties.x.double_value, 17) > 0.3")) == 1


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "WIN1251"])
def test_texts_go_by_characters_whatever_the_encoding(encoding: str) -> None:
    url = url_of(encoding.lower())
    drop(url)
    options = f"TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    run(url, f'CREATE DATABASE "{urlsplit(url).path[1:]}" {options}', in_database=False)
    with lineage.open_store(url) as store:
        store.put_artifact_type(lineage.ArtifactType(name="A"))
        store.put_artifacts([lineage.Artifact(type="A", name=name, uri="eg_") for name in ("яйцо", "egg")])
        for where, found in (
            ("LENGTH(name) = 4", ["яйцо"]),
            ("UNICODE(name) = 1103", ["яйцо"]),
            ("SUBSTR(name, 2, 2) = 'йц'", ["яйцо"]),
            ("name LIKE uri", ["egg"]),
        ):
            assert [each.name for each in store.list_artifacts(where)] == found, where
    drop(url)
