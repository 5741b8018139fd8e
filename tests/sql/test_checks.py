"""lineage check: each thing that can be wrong is found where it is, and the advice mends it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import lineage
from lineage import schema
from lineage.cli import main
from lineage.errors import FailedPreconditionError, UnimplementedError
from tests.sql.fixtures import change, database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = database("v10", tmp_path / "x.db")
    lineage.open_store(found).close()
    return found


def test_databases_of_mlmd_and_of_ours_are_right(path: Path) -> None:
    assert lineage.check(path) == []
    schema.downgrade(path, to=6)
    schema.upgrade(path)
    assert lineage.check(path) == []


WRONG = [
    ("INSERT INTO Event VALUES (99, 77, 1, 3, 0)", "a row of Event names an artifact that there is not", "77 1"),
    ("INSERT INTO Event VALUES (99, 1, 77, 3, 0)", "a row of Event names an execution that there is not", "1 77"),
    ("INSERT INTO Attribution VALUES (99, 77, 1)", "a row of Attribution names a context that there is not", "1 77"),
    ("INSERT INTO Association VALUES (99, 1, 77)", "a row of Association names an execution that there is not", "77 1"),
    ("INSERT INTO ParentContext VALUES (1, 77)", "a row of ParentContext names a context that there is not", "1 77"),
    ("UPDATE Event SET type = 9 WHERE id = 1", "an event has a type that is none", "1"),
    ("INSERT INTO EventPath VALUES (99, 1, 0, NULL)", "a step of a path is of an event that there is not", "99"),
    ("UPDATE Artifact SET type_id = 77 WHERE id = 3", "an artifact has a type that there is not", "3"),
    ("UPDATE Execution SET last_known_state = 9 WHERE id = 2", "an execution has a state that is none", "2"),
    (
        "INSERT INTO ContextProperty (context_id, name, is_custom_property, int_value) VALUES (77, 'x', 1, 1)",
        "a property is of a context that there is not",
        "77 x",
    ),
    (
        "INSERT INTO lineage_property (node_kind, node_id, name, is_custom_property, is_nan) VALUES (1, 77, 'x', 1, 1)",
        "a property in lineage_property is of an artifact that there is not",
        "77 x",
    ),
    (
        "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property) VALUES (1, 'x', 1)",
        "a property of an artifact has no value, or several, so that MLMD cannot read the artifact",
        "1 x",
    ),
    (
        "INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, int_value) VALUES (1, 'x', 0, 1)",
        "a property of an artifact is not declared by its type, or of another type",
        "1 x",
    ),
    (
        "INSERT INTO Type (id, name, version, type_kind) SELECT 99, name, version, type_kind FROM Type WHERE id = 10",
        "two types have one name",
        "10,99 DataSet",
    ),
    ("INSERT INTO TypeProperty VALUES (77, 'x', 1)", "a property is declared for a type that there is not", "77 x"),
    ("UPDATE TypeProperty SET data_type = 9 WHERE name = 'p_int' AND type_id = 10", "a declared property is of", "10"),
    ("INSERT INTO ParentType VALUES (10, 77)", "a base type is missing", "10"),
    ("INSERT INTO Type (id, name, type_kind) VALUES (99, 'x', 5)", "a type is of a kind that is none", "99"),
    ("DROP INDEX idx_artifact_uri", "an index is missing", "CREATE INDEX idx_artifact_uri ON Artifact(uri)"),
    ("ALTER TABLE Artifact DROP COLUMN state", "a table is not as MLMD makes it", "a table Artifact without state"),
    ("DROP TABLE EventPath", "a table is not as MLMD makes it", "no table EventPath"),
    ("UPDATE sqlite_sequence SET seq = 3 WHERE name = 'Artifact'", "the next artifact would get an id", "11"),
]


@pytest.mark.parametrize(("statement", "what", "where"), WRONG, ids=[each[0][:40] for each in WRONG])
def test_what_is_wrong_is_found_where_it_is(path: Path, statement: str, what: str, where: str) -> None:
    change(path, statement)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    found = [problem for problem in lineage.check(path) if problem.what.startswith(what)]
    assert len(found) == 1, lineage.check(path)
    assert any(example.startswith(where) for example in found[0].examples)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    if found[0].advice.startswith("DELETE") and " WHERE " in found[0].advice:
        change(path, found[0].advice)
        assert lineage.check(path) == []


def test_what_cannot_be_checked(tmp_path: Path) -> None:
    with pytest.raises(UnimplementedError, match="only databases with MLMD's tables can"):
        lineage.check("memory:")
    with pytest.raises(FailedPreconditionError, match="schema version 5"):
        lineage.check(database("v5", tmp_path / "x.db"))
    with pytest.raises(FailedPreconditionError, match="there is no file"):
        lineage.check(tmp_path / "none.db", mode="ro")


def test_lineage_check(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(path)]) == 0
    assert capsys.readouterr().out == "nothing is wrong\n"
    change(path, "INSERT INTO TypeProperty VALUES (77, 'x', 1)")
    assert main(["check", str(path)]) == 1
    assert capsys.readouterr().out == (
        "1 x a property is declared for a type that there is not: 77 x\n"
        "  DELETE FROM TypeProperty WHERE type_id NOT IN (SELECT id FROM Type)\n"
    )
