"""Two tracked runs, by artitrack's own storage layer. Runs in the environment of `make consumers`.

    python artitrack_runs.py HOST PORT      ml_metadata is Google's, and talks to a server
    python artitrack_runs.py                ml_metadata is lineage.mlmd, in memory

Prints as JSON what artitrack then says of them.
"""

import json
import sys
from datetime import datetime, timezone

if len(sys.argv) == 1:
    import lineage.mlmd

    lineage.mlmd.install()

import ml_metadata
from artitrack.models.execution import JobExecution, PipelineRun
from artitrack.models.pipeline import ArtifactSpec
from artitrack.storage.metadata import MlmdMetadataStore
from artitrack.types import ArtifactType, EntityType, JobStatus, RunStatus

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc)
RAW, CLEAN, MODEL = "/data/raw.csv", "/data/clean.csv", "/models/ranker"


def job(run: str, number: int, step: str, source: str, result: ArtifactSpec) -> JobExecution:
    return JobExecution(
        job_id=f"{run}:{step}",
        ts_job_id=number,
        run_id=run,
        step_name=step,
        status=JobStatus.QUEUED,
        created_at=NOW,
        command=f"python {step}.py",
        arguments={"rate": 0.1},
        input_artifacts=(ArtifactSpec(source, ArtifactType.DATASET),),
        output_artifacts=(result,),
    )


if len(sys.argv) == 1:
    store = MlmdMetadataStore(db_path=":memory:")
else:
    store = MlmdMetadataStore(db_path="/nowhere", use_grpc=True, grpc_host=sys.argv[1], grpc_port=int(sys.argv[2]))
experiment = store.get_or_create_experiment("ranking", "learning rates")
for number, name in enumerate(("first", "second")):
    run = PipelineRun(name, f"ranking/{name}", "1", RunStatus.PENDING, NOW, config={"rate": 0.1})
    store.create_run(run, parent_context_id=experiment)
    clean, model = ArtifactSpec(CLEAN, ArtifactType.DATASET), ArtifactSpec(f"{MODEL}-{name}", ArtifactType.MODEL)
    store.create_job(job(name, 10 * number + 1, "clean", RAW, clean))
    store.create_job(job(name, 10 * number + 2, "train", CLEAN, model))
    for ts_job_id, exit_code in ((10 * number + 1, 0), (10 * number + 2, number)):
        update = store.update(EntityType.EXECUTION, ts_job_id)
        update.set_status(JobStatus.FAILED if exit_code else JobStatus.FINISHED).set_exit_code(exit_code).execute()
    store.persist_output_artifacts_on_success(f"{name}:clean")
    store.update(EntityType.RUN, name).set_status(RunStatus.FAILED if number else RunStatus.COMPLETED).execute()

print(
    json.dumps(
        {
            "ml_metadata": ml_metadata.__name__,
            "experiments": [found.name for found in store.list_experiments()],
            "runs": sorted((found.run_id, found.status.value) for found in store.get_runs_by_experiment("ranking")),
            "of raw": sorted(found.run_id for found in store.get_runs_by_artifacts([RAW], [])),
            "of the first model": [found.run_id for found in store.get_runs_by_artifacts([], [f"{MODEL}-first"])],
            "writers": sorted(found.job_id for found in store.get_jobs_writing_path(CLEAN)),
            "run of job 12": store.get_pipeline_from_job(12).run_id,
            "beside job 1": sorted(found.job_id for found in store.get_related_jobs(1)),
            "failed": [found.job_id for found in store.get_failed_jobs("second")],
            "active": [found.run_id for found in store.get_active_runs()],
        }
    )
)
