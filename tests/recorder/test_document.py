"""docs/recorder.md says how many lines its grid takes. That its code runs is tested with that of all documents."""

from __future__ import annotations

import re
from pathlib import Path

from lineage.recorder import values

PAGE = (Path(__file__).parents[2] / "docs" / "recorder.md").read_text(encoding="utf-8")


def test_the_grid_takes_as_many_lines_as_the_page_says() -> None:
    recording, asking = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1:3]
    assert "\nSix lines" in PAGE
    assert len(recording.splitlines()) == 6
    assert "Asking takes six, too" in PAGE
    assert len(asking.splitlines()) == 6


def test_the_table_of_conversions_is_the_one_of_the_module() -> None:
    of_module = re.findall(r"^(\S.*?) {2,}\S", str(values.__doc__).split("=  =")[2], re.MULTILINE)
    of_page = re.findall(r"^\| (.*?) \|", PAGE.partition("## Values")[2], re.MULTILINE)[2:]
    assert len(of_page) > 10
    assert [row.replace("``", "`") for row in of_module] == of_page
