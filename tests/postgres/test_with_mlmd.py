"""One PostgreSQL database, ml_metadata and us: what either writes, the other opens in place and reads the same."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import lineage
from lineage import Artifact, ArtifactType
from lineage.errors import InvalidArgumentError
from lineage.mlmd.proto import metadata_store_pb2
from tests.postgres.fresh import drop, make, raw, run
from tests.sql.listing import in_order, listing
from tests.sql.mlmd_program import put_step
from tests.sql_servers.drop_in import ours
from tests.sql_servers.mlmd_program import ask_mlmd

pytestmark = [pytest.mark.postgres, pytest.mark.differential]
DATABASES = Path(__file__).parent / "databases"


def load(url: str, dump: str) -> None:
    """Run a dump of pg_dump."""
    statements = [line for line in dump.splitlines() if line and not line.startswith(("--", "\\"))]
    with raw(url) as connection:
        connection.execute("\n".join(statements))


def test_a_database_of_mlmd_reads_as_mlmd_reads_it(made: str) -> None:
    load(made, (DATABASES / "postgresql_v10.sql").read_text(encoding="utf-8"))
    expected = json.loads((DATABASES / "expected_postgresql.json").read_text(encoding="utf-8"))
    expected["events"] = in_order(expected["events"])
    with ours(made, read_only=True) as store:
        assert listing(store) == expected
    assert run(made, "SELECT relname FROM pg_class WHERE relname LIKE 'lineage%'") == []  # nothing was added
    with ours(made) as store:
        assert listing(store) == expected
    assert ask_mlmd("list", made) == expected
    assert lineage.check(made) == []


def test_both_write_one_database_in_turns(made: str) -> None:
    """Whatever its collation: texts are compared as they are."""
    ask_mlmd("create", made)
    ids: list[list[int]] = []
    for turn in range(2):
        ids += ask_mlmd("put", made, f"theirs é{turn}")
        with ours(made) as store:
            ids.append(put_step(store, f"ours 🦆{turn}", pb=metadata_store_pb2))
            found = listing(store)
        assert ask_mlmd("list", made) == found
    assert ids == [[index + 1, index + 1, 1 + index % 2] for index in range(4)]
    with lineage.open_store(made) as store:
        for where, count in (
            ("name = 'ours 🦆1'", 1),
            ("name = 'OURS 🦆1'", 0),
            ("name LIKE 'OURS _1'", 1),
            ("custom_properties.note.string_value LIKE '%É中%'", 0),
            ("custom_properties.note.string_value LIKE '%é中%'", 4),
            ("name > 'ours 🦆0'", 3),
            ("name > 'Z'", 4),  # people sort it last
        ):
            assert len(store.list_artifacts(where)) == count, where


def test_the_tables_are_those_that_mlmd_makes(url: str) -> None:
    """Columns, defaults, keys, indexes and sequences, to their names; ours apart."""
    found = []
    for create in (lambda: ask_mlmd("create", url), lambda: lineage.open_store(url).close()):
        drop(url)
        make(url)
        create()
        columns = run(
            url,
            "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, data_type, "
            "character_maximum_length, collation_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND table_name NOT LIKE 'lineage%' ORDER BY 1, 3",
        )
        indexes = run(
            url,
            "SELECT tablename, indexname, indexdef FROM pg_indexes "
            "WHERE schemaname = 'public' AND indexname NOT LIKE 'lineage%' ORDER BY 1, 2",
        )
        constraints = run(
            url,
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'lineage%' ORDER BY 1, 2",
        )
        sequences = run(url, "SELECT sequencename, data_type::text, increment_by FROM pg_sequences ORDER BY 1")
        types = run(url, "SELECT * FROM Type ORDER BY id")
        found.append((columns, indexes, constraints, sequences, types))
    theirs, ours_ = found
    assert ours_ == theirs
    assert [len(each) for each in theirs] == [79, 48, 24, 7, 9]


def test_what_mlmd_cannot_hold_stands_beside_and_mlmd_reads_the_rest(url: str) -> None:
    values: dict[str, Any] = {
        "long": 2**31,
        "zero": -0.0,
        "text": "__MLMD_NULL__",
        "ints": {"a": 1},
        "wide": "".join(chr(0x4E00 + number) for number in range(900)),
        "wide struct": {"a": [f"{number}" for number in range(900)]},
        "int": -(2**31),
        "double": 1e-9,
    }
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        store.put_artifacts([Artifact(type="T", custom_properties=values)])
    [seen] = ask_mlmd("list", url)["artifacts"]
    assert sorted(seen["custom_properties"]) == ["double", "int", "ints", "zero"]
    with lineage.open_store(url) as store:
        [artifact] = store.list_artifacts("custom_properties.long.int_value > 2147483647")
        assert repr(dict(sorted(artifact.custom_properties.items()))) == repr(dict(sorted(values.items())))
        assert len(store.list_artifacts(f"custom_properties.wide.string_value = '{values['wide']}'")) == 1
        assert len(store.list_artifacts("custom_properties.`wide struct`.string_value IS NULL")) == 1
    insert = (
        "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, int_value) VALUES (1, 'long', TRUE, 5)"
    )
    run(url, insert)
    with lineage.open_store(url) as store:  # what MLMD writes later counts
        assert store.list_artifacts("custom_properties.long.int_value = 5")[0].custom_properties["long"] == 5
        assert list(store.list_artifacts("custom_properties.long.int_value > 5")) == []


def test_numbers_that_are_none_stand_in_mlmds_own_tables(url: str) -> None:
    values = {"nan": math.nan, "above": math.inf, "below": -math.inf}
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        store.put_artifacts([Artifact(type="T", custom_properties=values)])
        found = store.list_artifacts()[0].custom_properties
        assert repr(sorted(found.items())) == repr(sorted(values.items()))
        for where, count in (
            ("custom_properties.nan.double_value = custom_properties.nan.double_value", 0),
            ("custom_properties.nan.double_value != 1.5", 1),
            ("custom_properties.nan.double_value > 1.5", 0),
            ("custom_properties.above.double_value > 1.5", 1),
            ("custom_properties.below.double_value < custom_properties.above.double_value", 1),
        ):
            assert len(store.list_artifacts(where)) == count, where
    assert run(url, "SELECT count(*) FROM lineage_property") == [(0,)]
    [seen] = ask_mlmd("list", url)["artifacts"]
    assert {name: value["double_value"] for name, value in seen["custom_properties"].items()} == {
        "nan": "NaN",
        "above": "Infinity",
        "below": "-Infinity",
    }


def test_a_text_with_nul_is_refused_in_words(url: str) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        for artifact in (Artifact(type="T", name="a\0b"), Artifact(type="T", custom_properties={"k": "a\0b"})):
            with pytest.raises(
                InvalidArgumentError, match="has the character NUL in it, which PostgreSQL's texts cannot"
            ):
                store.put_artifacts([artifact])
        store.put_artifacts([Artifact(type="T", name="ab")])
        assert store.get_artifact_by_type_and_name("T", "a\0b") is None
        assert len(store.list_artifacts("name != 'a\0b'")) == 1
        assert len(store.list_artifacts("name < 'a\0b'")) == 0
