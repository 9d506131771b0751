"""Remakes everything in this folder that is not source: model/, data/ and labels.csv.

Python is needed only for this; scoring the files does not use it. With Python 3.11 or later:

    python -m venv .venv
    .venv/bin/pip install scikit-learn==1.9.1 skl2onnx==1.20.0 onnx==1.23.2 onnxruntime==1.31.1
    .venv/bin/python train.py

Nothing is downloaded while it runs: the data comes with scikit-learn.
"""

import csv
from pathlib import Path

import numpy as np
import onnxruntime
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split

from onnx_folder import column, save_classifier

HERE = Path(__file__).resolve().parent
SEED = 20
# Uneven on purpose, one file of a single row among them: a batch of files is rarely of one size.
ROWS_PER_FILE = [64, 48, 37, 21, 1]


def write_csv(path: Path, header: list[str], rows: list[list]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_held_out(features: list[str], rows: np.ndarray, labels: np.ndarray) -> None:
    """Write the held-out rows to data/patients-NN.csv and their true labels to labels.csv."""
    folder = HERE / "data"
    folder.mkdir(exist_ok=True)
    truth, start = [], 0
    for number, count in enumerate(ROWS_PER_FILE, 1):
        name, end = f"patients-{number:02}.csv", start + count
        write_csv(folder / name, features, rows[start:end].tolist())
        truth += [[name, row, label] for row, label in enumerate(labels[start:end])]
        start = end
    assert start == len(rows), f"{len(rows)} rows are held out, the files take {start}"
    write_csv(HERE / "labels.csv", ["file", "row", "label"], truth)


def main() -> None:
    source = load_breast_cancer()
    features = [str(name) for name in source.feature_names]
    labels = source.target_names[source.target]
    train_rows, test_rows, train_labels, test_labels = train_test_split(
        source.data, labels, test_size=sum(ROWS_PER_FILE), random_state=SEED, stratify=labels
    )
    # Trees need no scaling, so the model takes the columns as they stand in the files.
    model = GradientBoostingClassifier(n_estimators=100, max_depth=2, subsample=0.8, random_state=SEED)
    model.fit(train_rows, train_labels)

    onnx_bytes = save_classifier(
        HERE / "model",
        "breast-cancer",
        model,
        [("input", FloatTensorType([None, len(features)]))],
        [column(feature, "double") for feature in features],
        "string",
    )
    write_held_out(features, test_rows, test_labels)

    session = onnxruntime.InferenceSession(onnx_bytes, providers=["CPUExecutionProvider"])
    by_sklearn = model.predict(test_rows)
    by_onnx, probabilities = session.run(["label", "probabilities"], {"input": test_rows.astype(np.float32)})
    assert (by_sklearn == by_onnx).all(), "scikit-learn and ONNX Runtime disagree on a label"
    np.testing.assert_allclose(probabilities, model.predict_proba(test_rows), atol=1e-5)
    print(f"trained on {len(train_rows)} rows, held out {len(test_rows)}; model.onnx has {len(onnx_bytes)} bytes")
    print(f"accuracy by scikit-learn: {(by_sklearn == test_labels).mean():.4f}")
    print(f"accuracy by ONNX Runtime: {(by_onnx == test_labels).mean():.4f}")
    print(f"right: {(by_onnx == test_labels).sum()} of {len(test_rows)}")


if __name__ == "__main__":
    main()
