"""Run a real small pipeline twice, recorded as it runs, and ask the record everything.

Start it with ``make demo``, or ``python examples/pipeline_demo.py --help``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that this file can be run by its path

import lineage
from examples.pipeline import questions, steps
from examples.pipeline.tables import show_runs
from examples.pipeline.tracking import Run

PIPELINE = "tumours"
SEED = 1
FORESTS = {
    "small": {"trees": 5, "max_depth": 1, "seed": SEED},
    "medium": {"trees": 50, "max_depth": 3, "seed": SEED},
    "large": {"trees": 100, "max_depth": 4, "seed": SEED},
}


def run_pipeline(run: Run, forests: Mapping[str, Mapping[str, int]], destination: Path) -> None:
    """Run each step, or reuse what it made before."""
    raw = run.step(steps.ingest)["raw"]
    statistics = run.step(steps.validate, inputs={"raw": raw}, parameters={"max_missing": 0.0})["statistics"]
    parts = run.step(
        steps.split, inputs={"raw": raw, "statistics": statistics}, parameters={"test_share": 0.3, "seed": SEED}
    )
    models: list[lineage.Artifact] = []
    metrics: list[lineage.Artifact] = []
    for name, parameters in forests.items():
        variant = f"-{name}"
        trained = run.step(steps.train, variant=variant, inputs={"data": parts["train"]}, parameters=parameters)
        models.append(trained["model"])
        evaluated = run.step(steps.evaluate, variant=variant, inputs={"model": trained["model"], "data": parts["test"]})
        metrics.append(evaluated["metrics"])
    choice = run.step(steps.choose, inputs={"metrics": metrics})["choice"]
    chosen = models[cast(int, choice.properties["best"])]
    run.step(steps.push, inputs={"chosen": chosen, "choice": choice}, parameters={"destination": str(destination)})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", default="memory:", metavar="URL", help="where to record (default: %(default)s)")
    parser.add_argument("--workdir", type=Path, metavar="FOLDER", help="where files go (default: a temporary folder)")
    options = parser.parse_args()
    try:
        opened = lineage.open_store(options.store)
    except lineage.LineageError as error:
        parser.error(str(error))
    with opened as store, tempfile.TemporaryDirectory(prefix="lineage-demo-") as temporary:
        workdir = (options.workdir or Path(temporary)).resolve()
        deeper = {**FORESTS, "large": {**FORESTS["large"], "max_depth": 6}}
        runs: list[Run] = []
        for note, forests in (("first run", FORESTS), ("large: max_depth 4 -> 6", deeper)):
            run = Run(store, PIPELINE, f"run-{1 + len(store.get_contexts_by_type('Run'))}", note, workdir)
            run_pipeline(run, forests, workdir / "served")
            runs.append(run)
        show_runs(runs)
        questions.ask_all(store, PIPELINE, *(run.name for run in runs))


if __name__ == "__main__":
    main()
