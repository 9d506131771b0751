"""ml_client.batch_endpoints"""

import pytest
from azure.ai.ml import Input, load_batch_endpoint
from azure.ai.ml.entities import BatchEndpoint, ModelBatchDeployment
from azure.ai.ml.exceptions import MlException
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError


@pytest.fixture
def endpoint(client, name):
    made = BatchEndpoint(
        name=name,
        description="first",
        tags={"team": "heart", "empty": ""},
        properties={"owner": "tests", "ünï": "ø"},
    )
    yield client.batch_endpoints.begin_create_or_update(made).result()
    try:
        client.batch_endpoints.begin_delete(name).result()
    except ResourceNotFoundError:
        pass


def test_create_and_get(client, endpoint, name):
    got = client.batch_endpoints.get(name)
    for one in (endpoint, got):
        assert one.name == name
        assert one.description == "first"
        assert one.tags == {"team": "heart", "empty": ""}
        assert one.properties.items() >= {"owner": "tests", "ünï": "ø"}.items()
        assert one.auth_mode == "aad_token"
        assert one.provisioning_state == "Succeeded"
        assert one.scoring_uri.endswith(f"/endpoints/{name}/jobs")
    assert got.id == endpoint.id


def test_update(client, endpoint, name):
    endpoint.description = "second"
    endpoint.tags = {"team": "lung"}
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    got = client.batch_endpoints.get(name)
    assert (got.description, got.tags) == ("second", {"team": "lung"})


def test_list(client, endpoint, name):
    assert [one.name for one in client.batch_endpoints.list()].count(name) == 1


def test_list_jobs_of_none(client, endpoint, name):
    assert list(client.batch_endpoints.list_jobs(endpoint_name=name)) == []


def test_delete(client, endpoint, name):
    client.batch_endpoints.begin_delete(name).result()
    with pytest.raises(ResourceNotFoundError):
        client.batch_endpoints.get(name)
    assert name not in [one.name for one in client.batch_endpoints.list()]


def test_from_a_file_with_params_override(client, name, tmp_path):
    file = tmp_path / "endpoint.yml"
    file.write_text(
        "$schema: https://azuremlschemas.azureedge.net/latest/batchEndpoint.schema.json\n"
        "name: other\ndescription: of a file\nauth_mode: aad_token\ntags: {team: heart}\n"
    )
    endpoint = load_batch_endpoint(file, params_override=[{"name": name}, {"tags.team": "lung"}])
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    got = client.batch_endpoints.get(name)
    assert (got.description, got.tags) == ("of a file", {"team": "lung"})
    client.batch_endpoints.begin_delete(name).result()


def test_the_generic_call(client, name):
    made = client.begin_create_or_update(BatchEndpoint(name=name)).result()
    assert made.name == name
    client.batch_endpoints.begin_delete(name).result()


def test_a_name_that_azure_ml_refuses_is_refused_by_the_client(client):
    with pytest.raises(MlException, match="must start with an upper- or lowercase letter"):
        client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="a_b"))


def test_a_default_deployment_that_is_not_there(client, endpoint):
    endpoint.defaults = {"deployment_name": "absent"}
    with pytest.raises(HttpResponseError, match="absent"):
        client.batch_endpoints.begin_create_or_update(endpoint).result()


def test_get_an_unknown_one(client):
    with pytest.raises(ResourceNotFoundError):
        client.batch_endpoints.get("nobody")


def test_delete_takes_its_deployments_along(client, endpoint, name, cpu, registered_model):
    deployment = ModelBatchDeployment(name="blue", endpoint_name=name, model=registered_model, compute=cpu)
    client.batch_deployments.begin_create_or_update(deployment).result()
    client.batch_endpoints.begin_delete(name).result()
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    assert list(client.batch_deployments.list(name)) == []


def test_jobs_of_an_endpoint(client, heart, finished):
    (job,) = [job for job in client.batch_endpoints.list_jobs(endpoint_name=heart.name) if job.name == finished]
    assert job.status == "Completed"


def test_delete_is_refused_while_a_job_runs(client, endpoint, name, cpu, registered_model, sample_data):
    deployment = ModelBatchDeployment(name="blue", endpoint_name=name, model=registered_model, compute=cpu)
    client.batch_deployments.begin_create_or_update(deployment).result()
    folder = Input(type="uri_folder", path=str(sample_data))
    job = client.batch_endpoints.invoke(endpoint_name=name, deployment_name="blue", input=folder)
    with pytest.raises(HttpResponseError, match="job"):
        client.batch_endpoints.begin_delete(name).result()
    client.jobs.stream(job.name)
    assert client.jobs.get(job.name).status == "Completed"
