"""The SQL of filters, word for word, in each kind of database. `test_fixtures_like_memory.py` executes them on each."""

from __future__ import annotations

from itertools import zip_longest

from tests.neo4j.make_golden import FILTERS
from tests.sql.make_golden import BESIDE, GOLDEN, lines, written


def test_the_sql_of_filters() -> None:
    kept = GOLDEN.read_text(encoding="utf-8").splitlines()
    for line, expected in zip_longest(map(written, lines()), kept):
        assert line == expected, "run `make golden` and read the difference"


def test_what_stands_beside_is_shown_for_filters_that_there_are() -> None:
    assert set(BESIDE) <= {where for _, where in FILTERS}


def test_servers_decide_all_but_what_they_lack() -> None:
    left = [
        (line["filter"], name)
        for line in lines()
        for name in ("sqlite", "mysql", "postgres")
        if "is_decided_in_python" in line[name]
    ]
    assert left == [
        ("CAST(custom_properties.loss.double_value AS STRING) = '0.0'", "mysql"),
        ("CAST(properties.accuracy.double_value AS STRING) = '0.91'", "mysql"),
    ]
