"""The same with polars."""

import io

import polars

import storage
from onnx_model import predict


def score(folder, model, output):
    files = storage.names(folder)
    scored = []
    for file, content in zip(files, storage.download_all(folder, files)):
        columns = polars.read_csv(content, n_rows=0).columns
        features = polars.read_csv(content, schema=dict.fromkeys(columns, polars.Float32))
        predictions = polars.DataFrame(predict(model, features.to_numpy(order="c")))
        scored.append(predictions.select(polars.lit(file).alias("file"), polars.int_range(polars.len()).alias("row"), polars.all()))
    table = polars.concat(scored)
    content = io.BytesIO()
    table.write_csv(content)
    storage.upload(output, content.getvalue())
    return len(table)
