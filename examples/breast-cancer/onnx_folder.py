"""Saves a scikit-learn classifier as an MLflow model folder: model.onnx and the MLmodel file that describes it."""

import json
import uuid
from pathlib import Path

import onnx
from skl2onnx import to_onnx
from sklearn.base import ClassifierMixin

# Fixed, so that remaking a model changes its MLmodel only if the model changed.
CREATED = "2026-11-21 00:00:00.000000"
# The release whose reader and writer this MLmodel layout was checked against.
MLFLOW_VERSION = "3.17.2"


def column(name: str, kind: str) -> dict:
    """One scalar column of a signature; kind is an MLflow type such as "double", "long" or "string"."""
    return {"type": kind, "name": name, "required": True}


def array_column(name: str, kind: str) -> dict:
    """One column of a signature whose cells are lists of kind."""
    return {"type": "array", "items": {"type": kind}, "name": name, "required": True}


def save_classifier(
    folder: Path, name: str, model: ClassifierMixin, initial_types: list[tuple], inputs: list[dict], label_kind: str
) -> bytes:
    """Write model.onnx and MLmodel into folder and return the ONNX bytes.

    initial_types are skl2onnx's name and type of each ONNX input, inputs the signature's columns. The outputs are
    "label" (label_kind: "string" or "long") and "probabilities" (one float32 a class). The same model gives the same
    bytes in every run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    converted = to_onnx(
        model,
        name=name,  # skl2onnx draws a random name otherwise
        initial_types=initial_types,
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    # skl2onnx lists these from a set, so that their order would change from run to run.
    converted.opset_import.sort(key=lambda opset: opset.domain)
    onnx_bytes = converted.SerializeToString(deterministic=True)
    (folder / "model.onnx").write_bytes(onnx_bytes)
    outputs = [column("label", label_kind), array_column("probabilities", "float")]
    text = _mlmodel(name, len(onnx_bytes), json.dumps(inputs), json.dumps(outputs))
    (folder / "MLmodel").write_text(text, encoding="utf-8", newline="\n")
    return onnx_bytes


def _mlmodel(name: str, size: int, inputs: str, outputs: str) -> str:
    # The python_function flavor is left out: MLflow's ONNX wrapper flattens the two-dimensional probabilities.
    return f"""\
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_session_options: null
    onnx_version: {onnx.__version__}
    providers:
    - CPUExecutionProvider
mlflow_version: {MLFLOW_VERSION}
model_size_bytes: {size}
model_uuid: {uuid.uuid5(uuid.NAMESPACE_OID, name).hex}
signature:
  inputs: {_quoted(inputs)}
  outputs: {_quoted(outputs)}
  params: null
utc_time_created: '{CREATED}'
"""


def _quoted(text: str) -> str:
    """A single-quoted YAML scalar, in which a quote is written twice."""
    return "'" + text.replace("'", "''") + "'"
