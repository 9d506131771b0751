"""Input and output in the storage that all sides share, by Azure's own client."""

import os
from concurrent.futures import ThreadPoolExecutor

from azure.storage.blob import ContainerClient

container = ContainerClient.from_connection_string(os.environ["STORAGE"], os.environ["CONTAINER"])
# One after another takes more than twice as long.
pool = ThreadPoolExecutor(16)


def names(folder):
    """Of the files in a folder, relative to it, in order."""
    return sorted(blob.name.removeprefix(folder) for blob in container.list_blobs(folder))


def download(name):
    """Parts of a large file in two threads: four are no faster."""
    return container.download_blob(name, max_concurrency=2).readall()


def download_all(folder, files):
    """Their bytes, in order, while later ones are on their way."""
    return pool.map(lambda file: download(folder + file), files)


def download_each(folder, files):
    """Their bytes, in order, each when it is asked for: a plain loop."""
    return (download(folder + file) for file in files)


def upload(name, content):
    container.upload_blob(name, content, overwrite=True, max_concurrency=2)
