"""Turns the heart data's CSV files into CSV files of numbers, one for one.

Without `--transformations` the means, deviations and categories are learned from the data; with it those of an earlier run are
used, so that what is scored later is encoded as what was trained on. Either way they are written as an output.
"""

import argparse
import json
from pathlib import Path

import pandas as pd

SCALED = ["age", "trestbps", "chol", "thalach", "oldpeak"]
ENCODED = ["cp", "restecg", "slope", "thal"]
FILE = "transformations.json"


def learn(rows: pd.DataFrame, encoding: str) -> dict:
    return {
        "encoding": encoding,
        # A column of one value has no deviation to divide by.
        "scaled": {name: [float(rows[name].mean()), float(rows[name].std(ddof=0)) or 1.0] for name in SCALED},
        "categories": {name: sorted(rows[name].dropna().unique()) for name in ENCODED},
    }


def transform(rows: pd.DataFrame, transformations: dict) -> pd.DataFrame:
    """Numbers only; a category that was not there to learn is -1 (ordinal) or nowhere 1 (onehot)."""
    columns = {}
    for name, values in rows.items():
        if name in transformations["scaled"]:
            mean, deviation = transformations["scaled"][name]
            columns[name] = (values - mean) / deviation
        elif name not in transformations["categories"]:
            columns[name] = values
        elif transformations["encoding"] == "onehot":
            for category in transformations["categories"][name]:
                columns[f"{name}_{category}"] = values == category
        else:
            columns[name] = pd.Categorical(values, transformations["categories"][name]).codes
    return pd.DataFrame(columns).astype(float)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--transformations", type=Path)
    parser.add_argument("--categorical_encoding", choices=["ordinal", "onehot"], default="ordinal")
    parser.add_argument("--prepared_data", type=Path, required=True)
    parser.add_argument("--transformations_output", type=Path, required=True)
    given = parser.parse_args()

    files = sorted(given.data.glob("*.csv"))
    if not files:
        raise SystemExit(f"There is no CSV file in {given.data}.")
    # Categories are text also where they look like numbers.
    tables = {file.name: pd.read_csv(file, dtype=dict.fromkeys(ENCODED, str)) for file in files}
    if given.transformations:
        transformations = json.loads((given.transformations / FILE).read_text())
        print(f"Using the transformations of an earlier run ({transformations['encoding']}).")
    else:
        transformations = learn(pd.concat(tables.values()), given.categorical_encoding)
        print(f"Learned the transformations ({transformations['encoding']}).")

    given.prepared_data.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        prepared = transform(rows, transformations)
        prepared.to_csv(given.prepared_data / name, index=False)
        print(f"{name}: {len(prepared)} rows of {len(rows.columns)} columns became {len(prepared.columns)} columns.")
    given.transformations_output.mkdir(parents=True, exist_ok=True)
    (given.transformations_output / FILE).write_text(json.dumps(transformations, indent=2))


if __name__ == "__main__":
    main()
