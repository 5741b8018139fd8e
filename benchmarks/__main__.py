"""The command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol, TypeVar

from benchmarks import compare, scale
from benchmarks.report import Table, machine


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
        choices=("compare", "facade", "scale", "million"),
        default="compare",
        help="compare: ours and ml-metadata, workload by workload (default); facade: lineage.mlmd and ml-metadata, by "
        "the same calls; scale: 10,000 and 100,000 artifacts; million: a large graph in a Neo4j of its own",
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="only workloads of this name or pattern; may be repeated"
    )
    parser.add_argument(
        "--rounds", type=int, default=7, help="how often to measure each; the median counts (default 7)"
    )
    parser.add_argument(
        "--seconds", type=float, default=0.2, help="how long to measure each side in a round (default 0.2)"
    )
    parser.add_argument("--quick", action="store_true", help="one short round, and small stores: does it run?")
    parser.add_argument("--profile", metavar="NAME", help="print where the time of our side of this workload goes")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there as well")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a goal is missed")
    parser.add_argument(
        "--artifacts", type=int, default=1_000_000, help="how many artifacts `million` loads (default 1,000,000)"
    )
    parser.add_argument("--heap", default="2g", help="the heap of the Neo4j that `million` starts (default 2g)")
    parser.add_argument("--list", action="store_true", help="list the workloads")
    return parser


def _chosen(workloads: Sequence[AnyNamed], patterns: Sequence[str] | None) -> list[AnyNamed]:
    chosen = [each for each in workloads if not patterns or any(fnmatch(each.name, pattern) for pattern in patterns)]
    if not chosen:
        sys.exit(f"error: no workload is called {' or '.join(map(repr, patterns or ()))}; --list shows them")
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    rounds, seconds = (1, 0.002) if options.quick else (options.rounds, options.seconds)
    if options.what == "million":
        return _million(options, rounds, seconds)
    module = scale if options.what == "scale" else compare
    facade = options.what == "facade"
    if options.list:
        for each in module.WORKLOADS:
            print(f"{each.name:22}  {each.shape}")
        return 0
    patterns = [options.profile] if options.profile else options.only
    print(machine())
    if options.what != "scale":
        workloads = _chosen(compare.WORKLOADS, patterns)
        if options.profile:
            for workload in workloads:
                compare.profile_ours(workload, seconds, facade=facade)
            return 0
        table, reached = compare.compare(workloads, rounds=rounds, seconds=seconds, facade=facade)
    else:
        probes = _chosen(scale.WORKLOADS, patterns)
        sizes = scale.QUICK_SIZES if options.quick else scale.SIZES
        if options.profile:
            scale.profile_ours(probes, sizes[-1], seconds)
            return 0
        table, reached = scale.scale(probes, sizes, rounds=rounds, seconds=seconds)
    return _finish(options, [table], reached)


def _million(options: argparse.Namespace, rounds: int, seconds: float) -> int:
    from benchmarks import million  # it needs what starts a Neo4j

    print(machine())
    artifacts = 4_000 if options.quick else options.artifacts
    tables, reached = million.million(artifacts, heap=options.heap, rounds=rounds, seconds=seconds)
    return _finish(options, tables, reached)


def _finish(options: argparse.Namespace, tables: Sequence[Table], reached: bool) -> int:
    if options.markdown:
        text = "\n".join(table.markdown() for table in tables)
        options.markdown.write_text(f"{machine()}\n\n{text}", encoding="utf-8")
    if not reached:
        print("\nnot every goal was reached")
    return int(options.check and not reached)


if __name__ == "__main__":
    sys.exit(main())
