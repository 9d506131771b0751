"""The same with Ray Data, all cores of this machine."""

import io
import os
from functools import cache

import numpy
import pyarrow
import pyarrow.csv
import ray
from azure.storage.blob import BlobServiceClient
from pyarrow.fs import AzureFileSystem
from ray.data import DataContext

import storage
from onnx_model import predict


@cache
def start():
    """Once, not when a worker imports this file."""
    ray.init(
        num_cpus=os.cpu_count(),
        _node_ip_address="127.0.0.1",
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
        _temp_dir=os.environ["RAY_FOLDER"],
        runtime_env={"env_vars": {"PYTHONPATH": os.path.dirname(os.path.abspath(__file__))}},
    )
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    # One file is one block of 128 MB by default, and one core scores it.
    context.target_max_block_size = 16 * 1024 * 1024


def file_system():
    """Arrow's own, in C++, as Ray's tasks can have it."""
    service = BlobServiceClient.from_connection_string(os.environ["STORAGE"])
    authority = service.primary_hostname.split("/")[0]
    return AzureFileSystem(
        account_name=service.account_name,
        account_key=service.credential.account_key,
        blob_storage_authority=authority,
        dfs_storage_authority=authority,
        blob_storage_scheme="http",
        dfs_storage_scheme="http",
    )


def score_batch(batch, model):
    """A function, not a class: a pool of actors starts anew for each dataset, and a worker keeps its session."""
    paths = batch.pop("path")
    features = numpy.column_stack(list(batch.values())).astype(numpy.float32)
    return {"file": paths, **predict(model, features)}


def score(folder, model, output):
    start()
    root = f"{os.environ['CONTAINER']}/{folder}"
    data = ray.data.read_csv(
        [root + name for name in storage.names(folder)], filesystem=file_system(), include_paths=True
    ).map_batches(score_batch, batch_size=None, fn_kwargs={"model": model})
    table = pyarrow.concat_tables(ray.get(data.to_arrow_refs()))
    paths = table["file"].to_pandas()
    table = table.set_column(0, "file", pyarrow.array(paths.str.removeprefix(root)))
    table = table.add_column(1, "row", pyarrow.array(paths.groupby(paths).cumcount()))
    content = io.BytesIO()
    pyarrow.csv.write_csv(table, content, pyarrow.csv.WriteOptions(quoting_style="none", quoting_header="none"))
    storage.upload(output, content.getvalue())
    return len(table)
