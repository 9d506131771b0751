"""The script people would write for images: Pillow and onnxruntime."""

import csv
import io

import numpy
from PIL import Image

import storage
from onnx_model import session_of

SIDE = 64
IMAGES = 64


def pixels(content):
    image = Image.open(io.BytesIO(content)).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return numpy.asarray(image, dtype=numpy.float32).transpose(2, 0, 1) / 255


def score(folder, model, output):
    files = storage.names(folder)
    contents = storage.download_all(folder, files)
    parts = []
    for at in range(0, len(files), IMAGES):
        # zip takes no more of the downloads than there are names.
        images = [pixels(content) for _, content in zip(files[at : at + IMAGES], contents)]
        parts += session_of(model).run(None, {"pixels": numpy.stack(images)})
    probabilities = numpy.concatenate(parts)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["file", *(f"probability_{i}" for i in range(probabilities.shape[1]))])
    rows.writerows([file, *line] for file, line in zip(files, probabilities.tolist()))
    storage.upload(output, text.getvalue())
    return len(files)
