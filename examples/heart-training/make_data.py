"""Makes CSV files that look like the UCI heart disease data: same columns, values of the same kind, no real patient.

    python make_data.py [folder]

writes `train/` (four files with a `target` column), `new/` (two files without) and `new-targets.csv`, which tells whether the
patients of `new/` are ill. Plain Python; a second run writes the same bytes.
"""

import csv
import math
import random
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED = 7
ROWS_PER_FILE = 100
TRAIN_FILES = 4
NEW_FILES = 2

FEATURES = "age sex cp trestbps chol fbs restecg thalach exang oldpeak slope ca thal".split()


def draw_patient(draw: random.Random) -> dict:
    """One row with its `target`, drawn by the odds below. The factors are made up; only their direction is medicine."""
    age = round(min(77, max(29, draw.gauss(54, 9))))
    patient = {
        "age": age,
        "sex": int(draw.random() < 0.68),
        "cp": draw.choices([1, 2, 3, 4], [8, 16, 28, 48])[0],
        "trestbps": round(min(200, max(94, draw.gauss(131, 17)))),
        "chol": round(min(564, max(126, draw.gauss(246, 50)))),
        "fbs": int(draw.random() < 0.15),
        "restecg": draw.choices([0, 1, 2], [50, 2, 48])[0],
        "thalach": round(min(202, max(71, draw.gauss(203 - age, 21)))),
        "exang": int(draw.random() < 0.33),
        "oldpeak": round(min(6.2, max(0.0, draw.gauss(1.0, 1.2))), 1),
        "slope": draw.choices([1, 2, 3], [47, 46, 7])[0],
        "ca": draw.choices([0, 1, 2, 3], [59, 22, 12, 7])[0],
        "thal": draw.choices(["normal", "fixed", "reversible"], [55, 6, 39])[0],
    }
    patient["target"] = int(draw.random() < 1 / (1 + math.exp(-log_odds(patient))))
    return patient


def log_odds(patient: dict) -> float:
    return 1.6 * (
        -2.1
        + 0.8 * patient["sex"]
        + {1: -0.6, 2: -0.9, 3: -0.6, 4: 1.3}[patient["cp"]]
        + 0.02 * (patient["trestbps"] - 131)
        + 0.004 * (patient["chol"] - 246)
        - 0.03 * (patient["thalach"] - 149)
        + 0.7 * patient["exang"]
        + 0.5 * patient["oldpeak"]
        + {1: -0.3, 2: 0.4, 3: 0.2}[patient["slope"]]
        + 1.1 * patient["ca"]
        + {"normal": -0.8, "fixed": 0.5, "reversible": 1.2}[patient["thal"]]
    )


def write_csv(path: Path, columns: list[str], rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def make_data(folder: Path) -> None:
    """Writes all files below `folder`."""
    draw = random.Random(SEED)
    truth = []
    for number in range(1, TRAIN_FILES + NEW_FILES + 1):
        rows = [draw_patient(draw) for _ in range(ROWS_PER_FILE)]
        name = f"heart-{number}.csv"
        if number <= TRAIN_FILES:
            write_csv(folder / "train" / name, [*FEATURES, "target"], rows)
        else:
            write_csv(folder / "new" / name, FEATURES, rows)
            truth += [{"file": name, "row": row, "target": patient["target"]} for row, patient in enumerate(rows)]
    write_csv(folder / "new-targets.csv", ["file", "row", "target"], truth)


if __name__ == "__main__":
    make_data(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "data")
