"""Makes the models of pyfunc.test.ts below the folder of the first argument, with input files and what predict() says of them."""

import json
import os
import sys

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

folder = sys.argv[1]
iris = load_iris(as_frame=True)
data = iris.data.astype("float64")
data.columns = ["sl", "sw", "pl", "pw"]


class Named(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        print("predicting", len(model_input))
        return pd.DataFrame({"label": model_input["text"].str.upper(), "twice": model_input["n"] * 2})


def save(name, model, signature=None):
    path = os.path.join(folder, name)
    mlflow.sklearn.save_model(
        model, path, signature=signature, pip_requirements=[], serialization_format="cloudpickle"
    )


def expected(name, values):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(np.asarray(values).tolist(), file)


classifier = LogisticRegression(max_iter=500).fit(data, iris.target)
save("classifier", classifier, infer_signature(data, classifier.predict(data)))
save("unsigned", classifier)
targets = np.stack([data["sl"] * 2, data["sw"] + 0.5], axis=1)
several = LinearRegression().fit(data, targets)
save("several", several, infer_signature(data, several.predict(data)))
matrix = LinearRegression().fit(data.to_numpy(), targets[:, 0])
save("tensor", matrix, infer_signature(data.to_numpy(), matrix.predict(data.to_numpy())))
table = pd.DataFrame({"text": ["a", "b"], "n": [1, 2]})
mlflow.pyfunc.save_model(
    os.path.join(folder, "named"), python_model=Named(), pip_requirements=[], signature=infer_signature(table, Named().predict(None, table))
)

data.to_csv(os.path.join(folder, "iris.csv"), index=False)
data.to_csv(os.path.join(folder, "iris.csv.gz"), index=False)
data.to_json(os.path.join(folder, "iris.jsonl"), orient="records", lines=True)
data.to_parquet(os.path.join(folder, "iris.parquet"), row_group_size=40)
expected("classifier.json", classifier.predict(data))
expected("several.json", several.predict(data))
expected("tensor.json", matrix.predict(data.to_numpy()))
