"""Writes bench/models/images/model.onnx, a small network over 64 x 64 colour images that `npm run bench:peers` scores with: two
convolutions, a mean over what is left of the image, ten classes. Nobody trained it: its weights are random, and its speed is that
of any of its shape.

Run: python bench/models/make_images.py   (needs onnx; the model is committed, so that nobody has to)
"""

from pathlib import Path

import numpy
from onnx import TensorProto, checker, helper, numpy_helper

SIDE = 64
CLASSES = 10
PATH = Path(__file__).parent / "images" / "model.onnx"

random = numpy.random.default_rng(1)


def weights(name, *shape):
    scale = numpy.sqrt(2 / numpy.prod(shape[1:]))
    return numpy_helper.from_array((random.standard_normal(shape) * scale).astype(numpy.float32), name)


node = helper.make_node
around = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
halves = {"kernel_shape": [2, 2], "strides": [2, 2]}
graph = helper.make_graph(
    [
        node("Conv", ["pixels", "first"], ["a"], **around),
        node("Relu", ["a"], ["b"]),
        node("MaxPool", ["b"], ["c"], **halves),
        node("Conv", ["c", "second"], ["d"], **around),
        node("Relu", ["d"], ["e"]),
        node("MaxPool", ["e"], ["f"], **halves),
        node("GlobalAveragePool", ["f"], ["g"]),
        node("Flatten", ["g"], ["h"]),
        node("Gemm", ["h", "dense"], ["i"], transB=1),
        node("Softmax", ["i"], ["probabilities"], axis=1),
    ],
    "images",
    [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["images", 3, SIDE, SIDE])],
    [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["images", CLASSES])],
    [weights("first", 8, 3, 3, 3), weights("second", 16, 8, 3, 3), weights("dense", CLASSES, 16)],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
checker.check_model(model)
PATH.parent.mkdir(exist_ok=True)
PATH.write_bytes(model.SerializeToString())
print(f"{PATH}: {PATH.stat().st_size} bytes")
