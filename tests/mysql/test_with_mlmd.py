"""One MariaDB database, ml_metadata and us: what either writes, the other opens in place and reads the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lineage
from backends.sql.mysql import shown, stored
from lineage import Artifact, ArtifactType
from lineage.mlmd.proto import metadata_store_pb2
from tests.mysql.fresh import raw, run
from tests.sql.listing import in_order, listing
from tests.sql.mlmd_program import put_step
from tests.sql_servers.drop_in import ours
from tests.sql_servers.mlmd_program import ask_mlmd

pytestmark = [pytest.mark.mariadb, pytest.mark.differential]
DATABASES = Path(__file__).parent / "databases"
_OURS = "table_name NOT LIKE 'lineage\\_%' AND index_name NOT LIKE 'lineage\\_%'"


def load(url: str, dump: str) -> None:
    """Run a dump of mariadb-dump."""
    connection = raw(url)
    with connection.cursor() as cursor:
        for statement in dump.split(";\n"):
            if statement.strip() and "sandbox mode" not in statement.partition("\n")[0]:
                cursor.execute(statement)
    connection.close()


def test_a_database_of_mlmd_reads_as_mlmd_reads_it(made: str) -> None:
    dump = (DATABASES / "mysql_v10.sql").read_text(encoding="utf-8")
    load(made, dump.partition("\n")[2])
    expected = json.loads((DATABASES / "expected_mysql.json").read_text(encoding="utf-8"))
    expected["events"] = in_order(expected["events"])
    with ours(made, read_only=True) as store:
        assert listing(store) == expected
    assert run(made, "SHOW TABLES LIKE 'lineage%'") == []  # nothing was added
    with ours(made) as store:
        assert listing(store) == expected
    assert ask_mlmd("list", made) == expected
    assert lineage.check(made) == []


@pytest.mark.parametrize("collation", ["utf8mb4_general_ci", "latin1_swedish_ci", "utf8mb3_general_ci"])
def test_both_write_one_database_in_turns(url: str, collation: str) -> None:
    """Whatever its character set: texts stand there as MLMD writes them."""
    name, charset = url.rpartition("/")[2], collation.partition("_")[0]
    run(url, f"CREATE DATABASE `{name}` CHARACTER SET {charset} COLLATE {collation}", in_database=False)
    ask_mlmd("create", url)
    ids: list[list[int]] = []
    for turn in range(2):
        ids += ask_mlmd("put", url, f"theirs é{turn}")
        with ours(url) as store:
            ids.append(put_step(store, f"ours 🦆{turn}", pb=metadata_store_pb2))
            found = listing(store)
        assert ask_mlmd("list", url) == found
    assert ids == [[index + 1, index + 1, 1 + index % 2] for index in range(4)]
    with lineage.open_store(url) as store:
        for where, count in (
            ("name = 'ours 🦆1'", 1),
            ("name = 'OURS 🦆1'", 0),
            ("name LIKE 'OURS _1'", 1),
            ("custom_properties.note.string_value LIKE '%É中%'", 0),
            ("custom_properties.note.string_value LIKE '%é中%'", 4),
            ("name > 'ours 🦆0'", 3),
        ):
            assert len(store.list_artifacts(where)) == count, where


def test_the_tables_are_those_that_mlmd_makes(url: str) -> None:
    """Columns, defaults, keys and indexes, to their names; ours apart."""
    name = url.rpartition("/")[2]
    found = []
    for make in (lambda: ask_mlmd("create", url), lambda: lineage.open_store(url).close()):
        run(url, f"DROP DATABASE IF EXISTS `{name}`", f"CREATE DATABASE `{name}`", in_database=False)
        make()
        columns = run(
            url,
            "SELECT table_name, column_name, ordinal_position, column_default, is_nullable, column_type, "
            "extra, collation_name FROM information_schema.columns WHERE table_schema = DATABASE() AND "
            f"{_OURS.partition(' AND')[0]} ORDER BY 1, 3",
        )
        indexes = run(
            url,
            "SELECT table_name, index_name, seq_in_index, column_name, non_unique, sub_part FROM "
            f"information_schema.statistics WHERE table_schema = DATABASE() AND {_OURS} ORDER BY 1, 2, 3",
        )
        types = run(url, "SELECT * FROM Type ORDER BY id")
        found.append((columns, indexes, types))
    theirs, ours_ = found
    assert ours_ == theirs
    assert (len(theirs[0]), len(theirs[1]), len(theirs[2])) == (79, 82, 9)


def test_what_mlmd_cannot_hold_stands_beside_and_mlmd_reads_the_rest(url: str) -> None:
    values: dict[str, Any] = {
        "nan": float("nan"),
        "infinite": -float("inf"),
        "long": 2**31,
        "zero": -0.0,
        "text": "__MLMD_NULL__",
        "ints": {"a": 1},
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
    run(url, "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, int_value) VALUES (1, 'long', 1, 5)")
    with lineage.open_store(url) as store:  # what MLMD writes later counts
        assert store.list_artifacts("custom_properties.long.int_value = 5")[0].custom_properties["long"] == 5
        assert list(store.list_artifacts("custom_properties.long.int_value > 5")) == []


def test_texts_are_what_mlmd_has_stored(url: str) -> None:
    for text in ("", "plain", "é中😀", "Á\x81\x9d", "".join(map(chr, range(1, 0x500)))):
        assert shown(stored(text)) == text
    assert [shown(each) for each in ("中", "é", "naïve")] == ["中", "é", "naïve"]  # not MLMD's: as it is
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="T"))
        store.put_artifacts([Artifact(type="T", uri="é中😀")])
    assert run(url, "SELECT HEX(uri) FROM Artifact") == [("C383C2A9C3A4C2B8C2ADC3B0C5B8CB9CE282AC",)]
