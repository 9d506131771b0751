"""Trains on 100 flowers of the iris data and writes the MLflow model `model`; the other 50 become `data` and `labels.csv`."""

import shutil
from importlib.metadata import version
from pathlib import Path

import mlflow
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

folder = Path(__file__).parent
iris = load_iris(as_frame=True)
species = iris.target.map(dict(enumerate(iris.target_names)))
known, held_out, labels, truth = train_test_split(
    iris.data, species, train_size=100, random_state=0, stratify=species
)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(known, labels)

shutil.rmtree(folder / "model", ignore_errors=True)
mlflow.sklearn.save_model(
    model,
    folder / "model",
    signature=infer_signature(known, model.predict(known)),
    pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow-skinny", "pandas", "scikit-learn")],
    serialization_format="cloudpickle",
)

(folder / "data").mkdir(exist_ok=True)
rows = ["file,row,species"]
for number, start in enumerate(range(0, len(held_out), 20), start=1):
    name = f"flowers-{number}.csv"
    held_out[start : start + 20].to_csv(folder / "data" / name, index=False)
    rows += [f"{name},{row},{label}" for row, label in enumerate(truth[start : start + 20])]
(folder / "labels.csv").write_text("\n".join(rows) + "\n")
