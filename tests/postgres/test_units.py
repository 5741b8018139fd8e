"""Units of work: what failed in the middle is not committed, and what became of a commit is asked of the server."""

from __future__ import annotations

from contextlib import closing, suppress
from typing import Any

import psycopg
import pytest

import lineage
from backends.sql import open_postgres
from lineage.errors import InternalError
from tests.conformance.seam import A, artifact, find, put_types
from tests.postgres.fresh import raw, run

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


def test_doubles_are_whole_whatever_the_database_is_set_to(url: str) -> None:
    number = 0.1 + 0.2
    with lineage.open_store(url) as store:
        store.put_artifact_type(lineage.ArtifactType(name="A"))
    run(url, f"ALTER DATABASE {url.rpartition('/')[2]} SET extra_float_digits = 0")
    with lineage.open_store(url) as store:
        [id_] = store.put_artifacts([lineage.Artifact(type="A", custom_properties={"x": number})])
        assert store.get_artifact(id_).custom_properties["x"] == number
        assert len(store.list_artifacts("ROUND(custom_properties.x.double_value, 17) > 0.3")) == 1
