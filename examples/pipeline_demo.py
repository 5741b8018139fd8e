"""Run a real small pipeline twice, recorded as it runs, and ask the record everything.

Start it with ``make demo``, or ``python examples/pipeline_demo.py --help``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # so that this file can be run by its path

import lineage
from examples.pipeline import questions, steps
from examples.pipeline.tables import show_run

PIPELINE = "tumours"
SEED = 1
FORESTS = (
    {"trees": 5, "max_depth": 1, "seed": SEED},
    {"trees": 50, "max_depth": 3, "seed": SEED},
    {"trees": 100, "max_depth": 4, "seed": SEED},
)


def run_pipeline(rec: lineage.Recorder, forests: Sequence[Mapping[str, int]], folder: Path) -> None:
    """Run each step, or reuse what it made before: the part to copy."""
    # Each call of these functions is a step. With reuse it is not called when it ran before on the same.
    ingest = rec.step("Ingest", reuse=True)(steps.ingest)
    validate = rec.step("Validate", reuse=True)(steps.validate)
    split = rec.step("Split", reuse=True)(steps.split)
    train = rec.step("Train", reuse=True)(steps.train)

    raw = ingest(folder)
    statistics = validate(folder, raw, max_missing=0.0)
    train_data, test_data = split(folder, raw, statistics, test_share=0.3, seed=SEED)
    models = [train(folder, train_data, **forest) for forest in forests]

    metrics: list[lineage.Artifact] = []
    for model in models:
        with rec.step("Evaluate") as step:  # or as a block, which says itself what it uses and makes
            scores = steps.evaluate(Path(step.use(model)), Path(step.use(test_data)))
            for name, score in scores.items():
                step.metric(name, score)
            file = steps.write_scores(folder / f"metrics-{Path(model).stem}.json", scores)
            metrics.append(step.made(file, "Metrics", properties=scores))

    served = folder / "served"
    with rec.step("Push", params={"destination": served}) as step:
        best = steps.choose([Path(step.use(each)) for each in metrics])
        pushed, version = steps.push(Path(step.use(models[best], role="chosen")), served)
        step.made(pushed, "PushedModel", properties={"version": version})


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--store", metavar="URL", help="where to record (default: $LINEAGE_STORE, or lineage.db here)")
    parser.add_argument("--workdir", type=Path, metavar="FOLDER", help="where files go (default: a temporary folder)")
    options = parser.parse_args()
    try:
        opened = lineage.open_store(options.store)
    except lineage.LineageError as error:
        parser.error(str(error))
    with opened as store, tempfile.TemporaryDirectory(prefix="lineage-demo-") as temporary:
        workdir = (options.workdir or Path(temporary)).resolve()
        workdir.mkdir(parents=True, exist_ok=True)
        deeper = [*FORESTS[:-1], {**FORESTS[-1], "max_depth": 6}]
        runs: list[lineage.Context] = []
        for note, forests in (("first run", FORESTS), ("max_depth of the last forest 4 -> 6", deeper)):
            number = 1 + len(store.list_contexts("type = 'Run'"))
            with lineage.record(store, pipeline=PIPELINE, run=f"run-{number}") as rec:
                run_pipeline(rec, forests, workdir)
            show_run(store, rec.run, note)
            runs.append(rec.run)
        questions.ask_all(store, PIPELINE, *runs)
        if options.store is None:
            print(f"\nAll of it is in {store.url}, and more with each run.")


if __name__ == "__main__":
    main()
