"""The steps of a small pipeline. They know files and parameters, and nothing of lineage.

A step writes files into its folder, and returns what it made, by name.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # joblib declares no types
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import train_test_split

TARGET = "is_benign"


@dataclass(frozen=True)
class Output:
    """A file that a step made, with what is worth knowing about it without opening it."""

    type: str
    file: Path
    properties: Mapping[str, int | float | str] = field(default_factory=dict[str, int | float | str])


def ingest(folder: Path) -> dict[str, Output]:
    """Write scikit-learn's breast cancer data set (569 tumours, 30 measurements) to a CSV file."""
    data = load_breast_cancer()
    names = [*(str(name).replace(" ", "_") for name in data.feature_names), TARGET]
    rows = [[*(float(value) for value in row), float(label)] for row, label in zip(data.data, data.target, strict=True)]
    return {"raw": _write_table(folder / "raw.csv", names, rows)}


def validate(folder: Path, raw: Path, *, max_missing: float) -> dict[str, Output]:
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
    file = _write_json(folder / "statistics.json", {"missing": missing, "columns": columns})
    properties = {"rows": len(values), "missing": missing, "positive": float(labels.mean())}
    return {"statistics": Output("Statistics", file, properties)}


def split(folder: Path, raw: Path, statistics: Path, *, test_share: float, seed: int) -> dict[str, Output]:
    """Split the validated rows into a training and a test set with the same share of each class."""
    names, values = _read_table(raw)
    if names != list(json.loads(statistics.read_text())["columns"]):
        raise ValueError("the statistics are of other data; validate this")
    train_rows, test_rows = train_test_split(values, test_size=test_share, random_state=seed, stratify=values[:, -1])
    return {
        "train": _write_table(folder / "train.csv", names, train_rows),
        "test": _write_table(folder / "test.csv", names, test_rows),
    }


def train(folder: Path, data: Path, *, trees: int, max_depth: int, seed: int) -> dict[str, Output]:
    """Fit a random forest."""
    _, values = _read_table(data)
    forest = RandomForestClassifier(n_estimators=trees, max_depth=max_depth, random_state=seed)
    forest.fit(values[:, :-1], values[:, -1])
    file = folder / "model.joblib"
    joblib.dump(forest, file)
    return {"model": Output("Model", file, {"algorithm": "random forest", "bytes": file.stat().st_size})}


def evaluate(folder: Path, model: Path, data: Path) -> dict[str, Output]:
    """Measure a model on data that it has not seen."""
    _, values = _read_table(data)
    predicted = joblib.load(model).predict(values[:, :-1])
    scores = {
        "accuracy": float(accuracy_score(values[:, -1], predicted)),
        "f1": float(f1_score(values[:, -1], predicted)),
    }
    file = _write_json(folder / "metrics.json", {"model": fingerprint(model.read_bytes()), **scores})
    return {"metrics": Output("Metrics", file, scores)}


def choose(folder: Path, metrics: Sequence[Path]) -> dict[str, Output]:
    """Choose the model with the highest accuracy, the first one of equals."""
    accuracies = [float(json.loads(file.read_text())["accuracy"]) for file in metrics]
    best = accuracies.index(max(accuracies))
    file = _write_json(folder / "choice.json", {"best": best, "accuracies": accuracies})
    return {"choice": Output("Choice", file, {"best": best, "accuracy": accuracies[best]})}


def push(folder: Path, chosen: Path, choice: Path, *, destination: str) -> dict[str, Output]:
    """Copy the chosen model to where it is served from, as the next version."""
    target = Path(destination)
    target.mkdir(parents=True, exist_ok=True)
    version = 1 + sum(1 for _ in target.glob("v*.joblib"))
    pushed = target / f"v{version}.joblib"
    shutil.copyfile(chosen, pushed)
    shutil.copyfile(choice, folder / "why.json")
    return {"pushed": Output("PushedModel", pushed, {"version": version})}


def fingerprint(content: bytes) -> str:
    """Name content by what it is: equal content, equal name."""
    return hashlib.sha256(content).hexdigest()[:16]


def _write_table(file: Path, names: Sequence[str], rows: Sequence[Sequence[float]]) -> Output:
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([names, *rows])
    return Output("Table", file, {"rows": len(rows), "columns": len(names)})


def _read_table(file: Path) -> tuple[list[str], NDArray[np.float64]]:
    with file.open(newline="") as stream:
        names, *rows = csv.reader(stream)
    return names, np.array([[float(value or "nan") for value in row] for row in rows])


def _write_json(file: Path, content: Mapping[str, Any]) -> Path:
    file.write_text(json.dumps(content, indent=2))
    return file
