"""The two ways in which notebooks read predictions.csv, and the property that gives each."""

import csv

import pytest
from azure.ai.ml import Input
from azure.ai.ml.entities import BatchEndpoint, ModelBatchDeployment

COLUMNS = ["file", "row", "label", "probabilities_0", "probabilities_1"]


@pytest.fixture
def predictions(client, cpu, registered_model, name, sample_data, tmp_path):
    """Scores one file by a deployment with these properties; answers where its predictions are."""

    def score(properties):
        client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
        deployment = ModelBatchDeployment(
            name="blue", endpoint_name=name, model=registered_model, compute=cpu, properties=properties
        )
        client.batch_deployments.begin_create_or_update(deployment).result()
        job = client.batch_endpoints.invoke(
            endpoint_name=name,
            deployment_name="blue",
            input=Input(type="uri_file", path=str(sample_data / "patients-01.csv")),
        )
        client.jobs.stream(job.name)
        client.jobs.download(name=job.name, output_name="score", download_path=tmp_path)
        return tmp_path / "predictions.csv"

    yield score
    client.batch_endpoints.begin_delete(name).result()


def test_with_commas_and_a_header(predictions):
    with open(predictions({"batchpoint.outputFormat": "csv"}), newline="") as text:
        rows = list(csv.DictReader(text))
    assert list(rows[0]) == COLUMNS
    assert {row["file"] for row in rows} == {"patients-01.csv"}
    assert [int(row["row"]) for row in rows] == list(range(len(rows)))


def test_with_spaces_and_without_a_header_as_azure_ml_writes(predictions):
    with open(predictions({"batchpoint.outputFormat": "azureml"}), newline="") as text:
        rows = [dict(zip(COLUMNS, row)) for row in csv.reader(text, delimiter=" ")]
    assert {row["label"] for row in rows} <= {"benign", "malignant"}
    assert {row["file"] for row in rows} == {"patients-01.csv"}
    assert [int(row["row"]) for row in rows] == list(range(len(rows)))
