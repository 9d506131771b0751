"""ml_client.batch_endpoints.invoke: each way to name the input, the outputs and the overrides."""

import csv
import os
import re

import pytest
from azure.ai.ml import Input, Output
from azure.ai.ml.entities import Data
from azure.ai.ml.exceptions import JobException, ValidationException
from azure.core.exceptions import HttpResponseError

ROWS = 171


@pytest.fixture(scope="module")
def data(client, sample_data):
    return client.data.create_or_update(Data(name="patients", path=str(sample_data), type="uri_folder"))


@pytest.fixture
def rows(client, tmp_path):
    """Waits for a job, downloads its output and answers how many rows it has."""

    def read(job, file="predictions.csv"):
        client.jobs.stream(job.name)
        client.jobs.download(job.name, download_path=tmp_path, output_name="score")
        with open(tmp_path / file, newline="") as text:
            return sum(1 for _ in csv.reader(text)) - 1

    return read


@pytest.mark.parametrize(
    "path",
    [
        "{id}",
        "patients@latest",
        "azureml:patients:{version}",
        "{uri}",
        "{local}",
        "{relative}",
        "{short}",
        "{https}",
    ],
    ids=["data id", "data label", "data version", "long uri", "local folder", "relative folder", "short uri", "blob url"],
)
def test_a_folder_as_input(client, heart, data, sample_data, rows, path):
    below = data.path.split("/paths/", 1)[1].rstrip("/") + "/"
    places = {
        "id": data.id,
        "version": data.version,
        "uri": data.path,
        "local": str(sample_data),
        "relative": os.path.relpath(sample_data),
        "short": f"azureml://datastores/workspaceblobstore/paths/{below}",
        "https": blob_url(client, below),
    }
    job = client.batch_endpoints.invoke(
        endpoint_name=heart.name, input=Input(type="uri_folder", path=path.format(**places))
    )
    assert rows(job) == ROWS


def blob_url(client, path):
    """Where the default datastore's blobs are, by its account."""
    store = client.datastores.get_default()
    endpoint = re.search(r"BlobEndpoint=([^;]+)", os.environ["SDK_STORAGE"])[1]
    return f"{endpoint}/{store.container_name}/{path}"


def test_a_file_as_input(client, heart, sample_data, rows):
    file = sample_data / "patients-01.csv"
    job = client.batch_endpoints.invoke(endpoint_name=heart.name, input=Input(type="uri_file", path=str(file)))
    assert rows(job) == len(file.read_text().splitlines()) - 1


def test_named_inputs_and_outputs_and_a_deployment(client, heart, data, rows, name):
    job = client.batch_endpoints.invoke(
        endpoint_name=heart.name,
        deployment_name="blue",
        inputs={"patients": Input(type="uri_folder", path=data.id)},
        outputs={"score": Output(type="uri_file", path=f"azureml://datastores/workspaceblobstore/paths/{name}/mine.csv")},
    )
    assert rows(job, "mine.csv") == ROWS


def test_overrides(client, heart, data, rows, name):
    job = client.batch_endpoints.invoke(
        endpoint_name=heart.name,
        input=Input(type="uri_folder", path=data.id),
        params_override=[
            {"mini_batch_size": "1"},
            {"compute.instance_count": "2"},
            {"output_dataset.datastore_id": "azureml:workspaceblobstore"},
            {"output_dataset.path": f"/{name}/"},
            {"output_file_name": "overridden.csv"},
            {"retry_settings.max_retries": "2"},
            {"retry_settings.timeout": "45"},
        ],
    )
    assert rows(job, "overridden.csv") == ROWS


def test_a_job_name_and_an_experiment(client, heart, data, name):
    job = client.batch_endpoints.invoke(
        endpoint_name=heart.name,
        input=Input(type="uri_folder", path=data.id),
        job_name=name,
        experiment_name="trial",
    )
    got = client.jobs.get(job.name)
    assert got.display_name == name
    assert got.experiment_name == "trial"


def test_a_literal_that_a_model_deployment_has_no_use_for(client, heart, data):
    with pytest.raises(HttpResponseError):
        client.batch_endpoints.invoke(
            endpoint_name=heart.name,
            inputs={"mode": Input(type="string", default="append")},
        )


def test_an_output_of_an_earlier_job(client, heart, finished, rows, name):
    """As a data asset: the client takes `azureml://jobs/...` for no input of invoke() by itself."""
    output = f"azureml://jobs/{finished}/outputs/score/paths/predictions.csv"
    data = client.data.create_or_update(Data(name=name, path=output, type="uri_file"))
    assert data.path.endswith(f"/paths/azureml/{finished}/score/predictions.csv")
    job = client.batch_endpoints.invoke(endpoint_name=heart.name, input=Input(type="uri_file", path=data.id))
    with pytest.raises(JobException, match="TooFewColumns|MissingColumn|column"):
        client.jobs.stream(job.name)


def test_an_unknown_deployment_is_refused_by_the_client(client, heart, data):
    with pytest.raises(ValidationException, match="moon not found"):
        client.batch_endpoints.invoke(
            endpoint_name=heart.name, deployment_name="moon", input=Input(type="uri_folder", path=data.id)
        )


def test_an_endpoint_without_a_default_deployment(client, data, name):
    from azure.ai.ml.entities import BatchEndpoint

    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    with pytest.raises(HttpResponseError, match="No valid deployments to route to"):
        client.batch_endpoints.invoke(endpoint_name=name, input=Input(type="uri_folder", path=data.id))
    client.batch_endpoints.begin_delete(name).result()
