"""Writes the models that `npm run bench` scores with: bench/models/trees/model.onnx (a random forest of 100 trees of depth 6)
and bench/models/mlp/model.onnx (13-64-64-2), both with one float matrix of 13 columns as input.

Run: python bench/models/make.py   (needs scikit-learn and skl2onnx; the models are committed, so that nobody has to)
"""

from pathlib import Path

import numpy
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier

COLUMNS = 13
HERE = Path(__file__).parent

random = numpy.random.default_rng(1)
features = random.standard_normal((4000, COLUMNS)).astype(numpy.float32)
labels = (features @ random.standard_normal(COLUMNS) + random.standard_normal(4000) > 0).astype(numpy.int64)

MODELS = {
    "trees": RandomForestClassifier(n_estimators=100, max_depth=6, random_state=1),
    "mlp": MLPClassifier(hidden_layer_sizes=(64, 64), max_iter=30, random_state=1),
}

for name, model in MODELS.items():
    model.fit(features, labels)
    onnx = to_onnx(model, features[:1], options={"zipmap": False}, target_opset=17)
    path = HERE / name / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(onnx.SerializeToString())
    print(f"{path.relative_to(HERE)}: {path.stat().st_size} bytes")
