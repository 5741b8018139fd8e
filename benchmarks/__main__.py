"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol, TypeVar

from benchmarks import compare, scale
from benchmarks.report import Table, machine, recorded
from benchmarks.sides import SIDES

DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> str: ...


AnyNamed = TypeVar("AnyNamed", bound=_Named)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure how fast the engine is.")
    parser.add_argument(
        "what",
        nargs="?",
        choices=(*SIDES, *RUNS),
        default="compare",
        help="compare: ours and ml-metadata, workload by workload (default); facade: lineage.mlmd and ml-metadata, by "
        "the same calls; neo4j: ours on Neo4j and ml-metadata on MariaDB; mysql: both on MariaDB; "
        "postgres: both on PostgreSQL; "
        "scale: 10,000 and 100,000 artifacts; questions: ways, impact and selections on SQLite; "
        "recorder: a step by the recorder and by hand; "
        "layout: pictures of 300 to 10,000 nodes; "
        "import: `import lineage`; "
        "parts: walks at once and in parts, and small reads beside them; "
        "million: a large graph in a Neo4j of its own; grpc: the server with 1, 8 and 64 clients; cost: the hits of "
        "Neo4j's database that filters cost, with 200 and with 2,000 runs; "
        "planning: how long Neo4j plans the longest filters",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="only workloads of this name or pattern; may be repeated"
    )
    parser.add_argument(
        "--rounds", type=int, default=7, help="how often to measure each; the median counts (default 7)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        help="how long to measure each side in a round (default 0.2), or each load of gRPC's (default 5)",
    )
    parser.add_argument("--alone", action="store_true", help="only our side, without the reference")
    parser.add_argument("--quick", action="store_true", help="one short round, and small stores: does it run?")
    parser.add_argument("--profile", metavar="NAME", help="print where the time of our side of this workload goes")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there as well")
    parser.add_argument(
        "--record", action="store_true", help=f"write the tables into {DOCUMENT.name}, over the last ones"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument(
        "--artifacts", type=int, default=1_000_000, help="how many artifacts `million` loads (default 1,000,000)"
    )
    parser.add_argument(
        "--nodes", type=int, default=100_000, help="how many nodes the closure of `parts` has (default 100,000)"
    )
    parser.add_argument("--heap", default="2g", help="the heap of the Neo4j that `million` starts (default 2g)")
    parser.add_argument("--list", action="store_true", help="list the workloads")
    return parser


def _chosen(workloads: Sequence[AnyNamed], options: argparse.Namespace) -> list[AnyNamed]:
    patterns = [options.profile] if options.profile else options.only
    chosen = [each for each in workloads if not patterns or any(fnmatch(each.name, pattern) for pattern in patterns)]
    if not chosen:
        sys.exit(f"error: no workload is called {' or '.join(map(repr, patterns or ()))}; --list shows them")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    if options.list:
        for each in _workloads(options.what):
            print(f"{each.name:22}  {each.shape}")
        return 0
    print(machine())
    tables, reached = RUNS.get(options.what, _compare)(options)
    text = "\n".join(table.markdown() for table in tables)
    if text and options.markdown:
        options.markdown.write_text(text, encoding="utf-8")
    if text and options.record:
        document = DOCUMENT.read_text(encoding="utf-8")
        DOCUMENT.write_text(recorded(document, options.what, text), encoding="utf-8")
    if not reached:
        print("\nnot every goal was reached")
    return int(options.check and not reached)


def _workloads(what: str) -> Sequence[_Named]:
    if what == "grpc":
        from benchmarks import grpc_load  # needs protobuf and gRPC

        return grpc_load.WORKLOADS
    return scale.WORKLOADS if what == "scale" else compare.WORKLOADS


# Each measures what the options say, and returns the tables, none of a profile, and whether every goal was reached.


def _compare(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    workloads, sides = _chosen(compare.WORKLOADS, options), SIDES[options.what]
    rounds, seconds = _time(options)
    if options.quick:
        sides = replace(sides, warm_up_s=0.0, first_warm_up_s=0.0)
    if options.profile:
        for workload in workloads:
            compare.profile_ours(workload, sides, seconds)
        return [], True
    table, reached = compare.compare(workloads, sides, rounds=rounds, seconds=seconds, alone=options.alone)
    return [table], reached


def _scale(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    probes = _chosen(scale.WORKLOADS, options)
    sizes = scale.QUICK_SIZES if options.quick else scale.SIZES
    rounds, seconds = _time(options)
    if options.profile:
        scale.profile_ours(probes, sizes[-1], seconds)
        return [], True
    table, reached = scale.scale(probes, sizes, rounds=rounds, seconds=seconds)
    return [table], reached


def _recorder(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks.recorder import recorder

    rounds, seconds = _time(options)
    return [recorder(rounds=rounds, seconds=seconds)], True


def _layout(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks.layout import QUICK_SIZES, SIZES, layout

    rounds, seconds = _time(options)
    return [layout(QUICK_SIZES if options.quick else SIZES, rounds=rounds, seconds=seconds)], True


def _questions(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks.questions import QUICK_SIZES, SIZES, questions

    rounds, seconds = _time(options)
    table, reached = questions(QUICK_SIZES if options.quick else SIZES, rounds=rounds, seconds=seconds)
    return [table], reached


def _import(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks.imports import imports

    return [imports(rounds=_time(options)[0])], True


def _million(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks import million  # it needs what starts a Neo4j

    rounds, seconds = _time(options)
    artifacts = 4_000 if options.quick else options.artifacts
    return million.million(artifacts, heap=options.heap, rounds=rounds, seconds=seconds)


def _grpc(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks import grpc_load

    if options.profile:
        sys.exit("error: the server is a process of its own, which --profile does not see; py-spy does")
    cases = _chosen(grpc_load.WORKLOADS, options)
    if options.quick:
        return [grpc_load.measure(cases, seconds=0.2, warm_up_s=0.0)], True
    return [grpc_load.measure(cases, seconds=options.seconds or 5.0)], True


def _parts(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks.parts import parts  # needs protobuf and gRPC

    return parts(3_000 if options.quick else options.nodes, seconds=0.2 if options.quick else options.seconds or 5.0)


def _cost(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks import cost  # it needs what starts a Neo4j

    table, reached = cost.cost(cost.QUICK_SIZES if options.quick else cost.SIZES)
    return [table], reached


def _planning(options: argparse.Namespace) -> tuple[Sequence[Table], bool]:
    from benchmarks import planning

    named = _chosen(planning.SHAPES if options.only else planning.MIXED, options)
    table, reached = planning.planning(named[::10] if options.quick else named)
    return [table], reached


def _time(options: argparse.Namespace) -> tuple[int, float]:
    """Return how many rounds to measure, and for how many seconds each."""
    return (1, 0.002) if options.quick else (options.rounds, options.seconds or 0.2)


RUNS = {
    "scale": _scale,
    "questions": _questions,
    "recorder": _recorder,
    "layout": _layout,
    "import": _import,
    "parts": _parts,
    "million": _million,
    "grpc": _grpc,
    "cost": _cost,
    "planning": _planning,
}
"""What is measured otherwise than side by side."""


if __name__ == "__main__":
    sys.exit(main())
