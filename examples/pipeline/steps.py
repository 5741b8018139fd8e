"""The steps of a small pipeline: functions that read files and write files, and run without lineage as well.

What is recorded of them stands in their annotations. A file's name says with which parameters it was made, so that a
run leaves the files of another one alone.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split

from lineage import Input, Output

TARGET = "is_benign"


# Paths to the functions; to the recorder the type of the artifact that they read (Input) or make (Output).
Table: TypeAlias = Annotated[Path, Input("Table"), Output("Table")]
Statistics: TypeAlias = Annotated[Path, Input("Statistics"), Output("Statistics")]
Model: TypeAlias = Annotated[Path, Output("Model")]


def ingest(folder: Path) -> Table:
    """Write scikit-learn's breast cancer data set (569 tumours, 30 measurements) to a CSV file."""
    data = load_breast_cancer()
    names = [*(str(name).replace(" ", "_") for name in data.feature_names), TARGET]
    rows = [[*(float(value) for value in row), float(label)] for row, label in zip(data.data, data.target, strict=True)]
    return _write_table(folder / "raw.csv", names, rows)


def validate(folder: Path, raw: Table, *, max_missing: float) -> Statistics:
    """Check schema, ranges and missing values; write statistics. Raises ValueError if the data is not fit for use."""
    names, values = _read_table(raw)
    features, labels = values[:, :-1], values[:, -1]
    missing = float(np.isnan(values).mean())
    anomalies: list[str] = []
    if names[-1] != TARGET or len(set(names)) != len(names):
        anomalies.append(f"the columns must be unique and end with {TARGET}")
    if missing > max_missing:
        anomalies.append(f"{missing:.1%} of the values are missing, {max_missing:.1%} are allowed")
    if (features < 0).any():
        anomalies.append("a measurement is negative")
    if not np.isin(labels, (0, 1)).all():
        anomalies.append(f"{TARGET} must be 0 or 1")
    if anomalies:
        raise ValueError(f"{raw.name} is not fit for use: {'; '.join(anomalies)}")
    columns = {
        name: {"min": float(column.min()), "mean": float(column.mean()), "max": float(column.max())}
        for name, column in zip(names, values.T, strict=True)
    }
    return _write_json(folder / "statistics.json", {"missing": missing, "columns": columns})


def split(folder: Path, raw: Table, statistics: Statistics, *, test_share: float, seed: int) -> tuple[Table, Table]:
    """Split the validated rows into a training and a test set with the same share of each class."""
    names, values = _read_table(raw)
    if names != list(json.loads(statistics.read_text())["columns"]):
        raise ValueError("the statistics are of other data; validate this")
    train_rows, test_rows = train_test_split(values, test_size=test_share, random_state=seed, stratify=values[:, -1])
    return (
        _write_table(folder / "train.csv", names, train_rows),
        _write_table(folder / "test.csv", names, test_rows),
    )


def train(folder: Path, data: Table, *, trees: int, max_depth: int, seed: int) -> Model:
    """Fit a random forest."""
    _, values = _read_table(data)
    forest = RandomForestClassifier(n_estimators=trees, max_depth=max_depth, random_state=seed)
    forest.fit(values[:, :-1], values[:, -1])
    file = folder / f"model-{trees}-{max_depth}.joblib"
    joblib.dump(forest, file)
    return file


def evaluate(model: Path, data: Path) -> dict[str, float]:
    """Measure a model on data that it has not seen."""
    _, values = _read_table(data)
    predicted = joblib.load(model).predict(values[:, :-1])
    return {
        "accuracy": float(accuracy_score(values[:, -1], predicted)),
        "f1": float(f1_score(values[:, -1], predicted)),
    }


def write_scores(file: Path, scores: Mapping[str, float]) -> Path:
    """Write what a model was measured at."""
    return _write_json(file, scores)


def choose(metrics: Sequence[Path]) -> int:
    """Return which of the models has the highest accuracy, the first one of equals."""
    accuracies = [float(json.loads(file.read_text())["accuracy"]) for file in metrics]
    return accuracies.index(max(accuracies))


def push(model: Path, destination: Path) -> tuple[Path, int]:
    """Copy a model to where it is served from, as the next version; return the copy and its version."""
    destination.mkdir(parents=True, exist_ok=True)
    version = 1 + sum(1 for _ in destination.glob("v*.joblib"))
    pushed = destination / f"v{version}.joblib"
    shutil.copyfile(model, pushed)
    return pushed, version


def _write_table(file: Path, names: Sequence[str], rows: Sequence[Sequence[float]]) -> Path:
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([names, *rows])
    return file


def _read_table(file: Path) -> tuple[list[str], NDArray[np.float64]]:
    with file.open(newline="") as stream:
        names, *rows = csv.reader(stream)
    return names, np.array([[float(value or "nan") for value in row] for row in rows])


def _write_json(file: Path, content: Mapping[str, Any]) -> Path:
    file.write_text(json.dumps(content, indent=2))
    return file
