"""The documentation's table of indexes is what a database has; the order of events' first steps is kept by upgrades."""

from __future__ import annotations

import re
from pathlib import Path

import lineage
from lineage import Artifact, ArtifactType, Event, Execution, ExecutionType
from tests.servers.neo4j import Neo4jServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "neo4j.md"


def documented() -> set[tuple[str, tuple[str, ...], bool]]:
    """Label or relationship type, keys, and whether these are unique, of each row of the table."""
    text = DOCUMENT.read_text(encoding="utf-8")
    rows = text.partition("| on | keys | unique |\n| --- | --- | --- |\n")[2].partition("\n\n")[0].splitlines()
    found: set[tuple[str, tuple[str, ...], bool]] = set()
    for row in rows:
        names, keys, unique = (cell.strip() for cell in row.strip("|").split("|"))
        for name in re.findall(r"`([^`]+)`", names):
            found.add((name, tuple(re.findall(r"`([^`]+)`", keys)), unique == "yes"))
    return found


def test_the_documentation_lists_the_indexes_that_a_database_has(empty_neo4j: Neo4jServer) -> None:
    lineage.open_store(empty_neo4j.url).close()
    rows = empty_neo4j.run(
        "SHOW INDEXES YIELD type, labelsOrTypes, properties, owningConstraint WHERE type <> 'LOOKUP' "
        "RETURN labelsOrTypes AS names, properties AS keys, owningConstraint IS NOT NULL AS is_unique"
    )
    assert {(row["names"][0], tuple(row["keys"]), row["is_unique"]) for row in rows} == documented()


def test_an_upgrade_makes_the_first_steps_of_events_findable(url: str, neo4j_server: Neo4jServer) -> None:
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data"))
        store.put_execution_type(ExecutionType(name="Step"))
        store.put_execution(
            Execution(type="Step"),
            [
                (Artifact(type="Data", name=name), Event(type=kind, path=path))
                for name, kind, path in (
                    ("a", "INPUT", ("x", 0)),
                    ("b", "OUTPUT", ("x",)),
                    ("c", "INPUT", (7,)),
                    ("d", "INPUT", ("[7]",)),
                    ("e", "INPUT", ()),
                )
            ],
        )
    neo4j_server.run("MATCH ()-[r:INPUT|OUTPUT]->() REMOVE r.first_step")
    neo4j_server.run("MATCH (s:LineageStore) SET s.schema_version = 3")
    with lineage.open_store(url, upgrade=True) as store:
        for condition, names in (("key = 'x'", "ab"), ("index = 7", "c"), ("key = '[7]'", "d"), ("key IS NULL", "ce")):
            found = store.list_artifacts(f"events_e.path[0].{condition}")
            assert "".join(each.name or "" for each in found) == names, condition


def test_an_index_finds_both_zeros(url: str) -> None:
    """In an index -0.0 is less than 0.0, and of a list that has both, which are equal to it, Neo4j seeks but one."""
    values = {"negative": -0.0, "positive": 0.0, "two": 2.0, "three": 3.0}
    with lineage.open_store(url) as store:
        store.put_artifact_type(ArtifactType(name="Data", properties={"d": float, "s": str}))
        store.put_artifacts(
            [
                Artifact(type="Data", name=f"{name} {number}", properties={"d": value, "s": "b"})
                for name, value in values.items()
                for number in range(3 if value == 0 else 30)
            ]
        )
        for condition, names in (
            ("= 0.0", {"negative", "positive"}),
            ("= -0.0", {"negative", "positive"}),
            ("IN (0.0, 2.0)", {"negative", "positive", "two"}),
            ("<= 0.0", {"negative", "positive"}),
            (">= 0.0", set(values)),
            ("< 0.0", set()),
            ("> -0.0", {"two", "three"}),
        ):
            alone = f"properties.d.double_value {condition}"
            for where in (alone, f"type = 'Data' AND ({alone} OR properties.s.string_value = 'a')"):
                found = store.list_artifacts(where)
                assert {each.name.split()[0] for each in found if each.name} == names, where


def test_an_index_counts_numbers_of_the_type_that_was_asked_for(url: str) -> None:
    """It finds 3 for 3.0, and what Neo4j reads of a found node's key is then what the index was asked for."""
    with lineage.open_store(url) as store:
        store.create_property_index("v", "Artifact")
        store.put_artifact_type(ArtifactType(name="Whole", properties={"v": "INT"}))
        store.put_artifact_type(ArtifactType(name="Data", properties={"v": "DOUBLE"}))
        whole = [Artifact(type="Whole", name=f"w{v}", properties={"v": v}) for v in (0, 3, 4, 5)]
        store.put_artifacts([*whole, *(Artifact(type="Data", properties={"v": v}) for v in (-0.0, 3.0, 4.0))])
        for condition, count in (
            ("double_value = 3.0", 1),
            ("double_value IN (3.0, 3.0, 4.0)", 2),
            ("double_value IN (-0.0, 3.0)", 2),
            ("int_value = 3", 1),
            ("int_value IN (0, 3, 4)", 3),
            ("double_value = 3.0 OR properties.v.int_value IN (4, 5)", 3),
        ):
            where = f"properties.v.{condition}"
            assert store.count_artifacts(where) == count, where
            assert len(store.list_artifacts(where)) == count, where
            ordered = store.list_artifacts(where, order_by="properties.v", limit=10)
            assert len(ordered) == count, where
