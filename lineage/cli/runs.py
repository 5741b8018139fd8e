"""``lineage runs``."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any

from lineage.cli import output, stores
from lineage.cli.ls import positive
from lineage.errors import InvalidArgumentError

if TYPE_CHECKING:
    from lineage.model import Execution
    from lineage.store import Store

__all__ = ["add_arguments", "run"]

_ROWS = 100
_DESCRIPTION = f"""\
List the steps that ran or run, the newest first: state, start, duration, and their parameters and metrics as columns.

  lineage runs                                                    the newest {_ROWS}
  lineage runs "properties.rate.double_value > 0.1" --type Trainer
  lineage runs --context run-1 --columns rate,accuracy
  lineage runs "last_known_state = FAILED" -o jsonl | head -n 3
  lineage runs --limit 2 -o ids | lineage show -
  lineage runs --stale --close                                    put what has stopped as FAILED

RUN is the name of the contexts that hold a step and whose type is a run: Run, pipeline_run, system.PipelineRun.
A step is STALE if it is RUNNING and its recorder gave no sign of life for four times as long as it promised: its
process was killed, or its machine stopped. --stale lists only these, and is exact as far as the clocks of machines are.

FILTER is one of executions (docs/filter_query.md). A table has {_ROWS} rows and says when there are more; the other
formats have all rows.
"""
_FIELDS = ("address", "type", "name", "runs", "state", "is_stale", "started", "duration_s")
_AT_ONCE = 100
"""For how many steps the runs are asked for in one call."""

if TYPE_CHECKING:
    Step = tuple[Execution, Sequence[str]]
    """A step, and the names of the runs that it is in."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.description = _DESCRIPTION
    parser.add_argument("filter", nargs="?", metavar="FILTER", help="which (default: all)")
    parser.add_argument("--type", metavar="NAME", help="only steps of this type")
    parser.add_argument("--context", metavar="CONTEXT", help="only steps in this context: context/3, Run/run-1, run-1")
    parser.add_argument("--stale", action="store_true", help="only those that run no more and could not say so")
    parser.add_argument("--close", action="store_true", help="with --stale: put them as FAILED")
    parser.add_argument("--columns", metavar="NAMES", help="of the parameters and metrics these, by commas")
    parser.add_argument("--limit", type=positive, metavar="N", help="at most so many")
    output.add_option(parser)
    stores.add_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """List. Returns 3 if nothing was found."""
    from lineage.model import NodeKind

    if arguments.close and not arguments.stale:
        raise InvalidArgumentError("--close closes stale runs; ask for them with --stale")
    columns = None if arguments.columns is None else [each.strip() for each in arguments.columns.split(",")]
    with stores.opened(arguments, to_write=arguments.close) as store:
        options: dict[str, Any] = {"type": arguments.type, "descending": True}
        if arguments.context is not None:
            (context,) = stores.nodes_of(store, [arguments.context], [NodeKind.CONTEXT])
            options["context_id"] = context.id
        if arguments.stale:
            count = _stale(store, arguments, options, columns)
        elif arguments.output == "table":
            page = store.list_executions(arguments.filter, limit=arguments.limit or _ROWS, **options)
            count = _write_table(_with_runs(store, page), columns)
            if arguments.limit is None and page.next_page_token is not None:
                output.say_more(count)
        else:
            found = islice(store.iter_executions(arguments.filter, **options), arguments.limit)
            count = _write(store, found, arguments.output, columns)
    if not count:
        output.say("no runs found")
    return 0 if count else 3


def _stale(
    store: Store, arguments: argparse.Namespace, options: Mapping[str, Any], columns: Sequence[str] | None
) -> int:
    from lineage.recorder.heartbeat import close_stale, is_stale

    where = "last_known_state = RUNNING" + (f" AND ({arguments.filter})" if arguments.filter else "")
    now_ms = time.time_ns() // 1_000_000
    stale = [each for each in store.iter_executions(where, **options) if is_stale(each, now_ms)][: arguments.limit]
    if arguments.close:
        stale = [each for each in stale if close_stale(store, each)]
    if arguments.output == "table":
        count = _write_table(_with_runs(store, stale), columns)
    else:
        count = _write(store, stale, arguments.output, columns)
    if arguments.close and count:
        output.say(f"{count} closed")
    return count


def _with_runs(store: Store, executions: Iterable[Execution]) -> Iterator[Step]:
    """Ask for the runs of each execution, many at a time."""
    rest = iter(executions)
    while some := list(islice(rest, _AT_ONCE)):
        graph = store.upstream(*some, max_hops=0)
        names = {each.id: each.name or "" for each in graph.contexts if (each.type or "").lower().endswith("run")}
        held: dict[int | None, list[str]] = {}
        for link in graph.associations:
            if link.context_id in names:
                held.setdefault(link.execution_id, []).append(names[link.context_id])
        yield from ((each, held.get(each.id, ())) for each in some)


def _write(store: Store, executions: Iterable[Execution], form: str, columns: Sequence[str] | None) -> int:
    if form == "ids":
        return output.write_nodes(executions, form)
    steps = _with_runs(store, executions)
    if form == "csv":
        return _write_csv(list(steps), columns)
    count = 0

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        for count, (execution, runs) in enumerate(steps, 1):  # noqa: B007  # it is what the caller gets
            yield {**_facts(execution, runs), "properties": {key: execution.properties.get(key) for key in columns}
                   if columns is not None else dict(execution.properties)}  # fmt: skip

    if form == "jsonl":
        output.write_lines(json.dumps(row, ensure_ascii=False) for row in rows())
    else:
        output.write_lines([json.dumps(list(rows()), ensure_ascii=False, indent=2)])
    return count


def _write_csv(steps: Sequence[Step], columns: Sequence[str] | None) -> int:
    names = _names(steps, columns)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([*_FIELDS, *names])
    for execution, runs in steps:
        facts = {**_facts(execution, runs), "runs": ", ".join(runs)}
        writer.writerow(
            [*(facts[field] for field in _FIELDS), *(_cell(execution.properties.get(key)) for key in names)]
        )
    return len(steps)


def _write_table(found: Iterable[Step], columns: Sequence[str] | None) -> int:
    from lineage.viewing.text import address, moment, plain, table, value_text

    steps = list(found)
    names = _names(steps, columns)
    has_runs = any(runs for _, runs in steps)
    rows = [
        [
            address(execution),
            execution.type or "",
            *([", ".join(map(plain, runs))] if has_runs else []),
            "STALE" if facts["is_stale"] else facts["state"],
            moment(_started_ms(execution)),
            _duration(facts["duration_s"]),
            *(value_text(_cell(execution.properties.get(key))) for key in names),
        ]
        for execution, runs in steps
        for facts in [_facts(execution, runs)]
    ]
    if rows:
        run = ("RUN",) if has_runs else ()
        heads = ("ADDRESS", "TYPE", *run, "STATE", "STARTED", "DURATION", *(plain(name) for name in names))
        output.write_lines([table(heads, rows, output.terminal_width())])
    return len(rows)


def _names(steps: Iterable[Step], columns: Sequence[str] | None) -> list[str]:
    """Return the names of the properties that the executions have, in the order in which they come."""
    return list(columns) if columns else list(dict.fromkeys(key for each, _ in steps for key in each.properties))


def _facts(execution: Execution, runs: Sequence[str]) -> dict[str, Any]:
    from lineage.recorder.heartbeat import is_stale
    from lineage.viewing.text import address

    now_ms = time.time_ns() // 1_000_000
    stale = is_stale(execution, now_ms)
    duration: Any = execution.custom_properties.get("duration_s")
    if not isinstance(duration, float):
        is_running = execution.last_known_state == "RUNNING" and not stale
        duration = max(0.0, (now_ms - _started_ms(execution)) / 1000) if is_running else None
    return {
        "address": address(execution),
        "type": execution.type,
        "name": execution.name,
        "runs": list(runs),
        "state": str(execution.last_known_state or "UNKNOWN"),
        "is_stale": stale,
        "started": _iso(_started_ms(execution)),
        "duration_s": duration,
    }


def _started_ms(execution: Execution) -> int:
    """Return when it began: what a recorder noted, else when it was put."""
    noted = execution.custom_properties.get("start_ms")
    return noted if isinstance(noted, int) else execution.create_time_ms or 0


def _iso(time_ms: int) -> str | None:
    try:
        return datetime.fromtimestamp(time_ms / 1000, timezone.utc).isoformat().replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):  # a year that no calendar here has
        return None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _duration(seconds: float | None) -> str:
    """Return a duration as people say it; nothing for one that nobody noted."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
