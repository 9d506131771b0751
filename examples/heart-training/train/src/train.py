"""Trains a classifier on prepared CSV files, tells MLflow how well it does, and saves it as an MLflow model."""

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.models import infer_signature
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

SEED = 13
# One thread: of so few rows more would only wait for each other.
SETTINGS = {"n_estimators": 100, "max_depth": 2, "learning_rate": 0.2, "subsample": 0.8, "n_jobs": 1}
# What the model needs where it is loaded. Left to itself MLflow loads the model once more to find out, and adds both the
# `xgboost` package, which brings CUDA, and `xgboost-cpu`.
PACKAGES = ["mlflow-skinny", "pandas", "scikit-learn", "xgboost-cpu"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--target_column", required=True)
    parser.add_argument("--eval_size", type=float, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--evaluation_results", type=Path, required=True)
    given = parser.parse_args()

    rows = pd.concat([pd.read_csv(file) for file in sorted(given.data.glob("*.csv"))], ignore_index=True)
    targets = rows.pop(given.target_column).astype(int)
    train_rows, eval_rows, train_targets, eval_targets = train_test_split(
        rows, targets, test_size=given.eval_size, random_state=SEED, stratify=targets
    )
    with mlflow.start_run(nested=True):
        mlflow.log_params({**SETTINGS, "eval_size": given.eval_size, "columns": len(rows.columns)})
        model = XGBClassifier(**SETTINGS, random_state=SEED).fit(train_rows, train_targets)
        probabilities = model.predict_proba(eval_rows)[:, 1]
        metrics = {
            "accuracy": accuracy_score(eval_targets, probabilities > 0.5),
            "auc": roc_auc_score(eval_targets, probabilities),
            "log_loss": log_loss(eval_targets, probabilities),
            # What always saying the more frequent answer would give.
            "accuracy_by_chance": max(eval_targets.mean(), 1 - eval_targets.mean()),
        }
        mlflow.log_metrics(metrics)
    print(f"Trained on {len(train_rows)} rows, evaluated on {len(eval_rows)}: {json.dumps(metrics)}")

    given.evaluation_results.mkdir(parents=True, exist_ok=True)
    (given.evaluation_results / "metrics.json").write_text(json.dumps(metrics, indent=2))
    evaluated = pd.DataFrame({"target": eval_targets, "probability": probabilities})
    evaluated.to_csv(given.evaluation_results / "evaluated.csv", index=False)
    mlflow.xgboost.save_model(
        model,
        given.model,
        signature=infer_signature(train_rows, model.predict(train_rows)),
        pip_requirements=[f"{name}=={version(name)}" for name in PACKAGES],
    )


if __name__ == "__main__":
    main()
