"""A model in onnxruntime, with its defaults."""

from functools import cache

import numpy
import onnxruntime

# One call for a million rows is slower: what lies between two layers no longer fits the processor's cache.
ROWS = 65_536


@cache
def session_of(model):
    return onnxruntime.InferenceSession(model)


def predict(model, features):
    """Columns of the predictions by name, of a matrix of features."""
    session = session_of(model)
    name = session.get_inputs()[0].name
    parts = [session.run(None, {name: features[at : at + ROWS]}) for at in range(0, len(features), ROWS)]
    label, probabilities = (numpy.concatenate(output) for output in zip(*parts))
    return {"label": label, **{f"probabilities_{i}": column for i, column in enumerate(probabilities.T)}}
