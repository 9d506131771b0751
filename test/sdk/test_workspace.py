"""ml_client.workspaces, .datastores and .compute"""

import pytest
from azure.ai.ml import load_compute, load_datastore
from azure.ai.ml.entities import AccountKeyConfiguration, AmlCompute, AzureBlobDatastore
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError


def test_the_workspace(client):
    got = client.workspaces.get(client.workspace_name)
    assert (got.name, got.location) == (client.workspace_name, "local")
    assert got.discovery_url.endswith("/discovery")


def test_the_default_datastore(client):
    got = client.datastores.get_default()
    assert (got.name, got.container_name) == ("workspaceblobstore", "azureml-blobstore")


def test_a_datastore_and_its_secret(client):
    with_key = client.datastores.get("workspaceblobstore", include_secrets=True)
    assert with_key.credentials.account_key
    assert "workspaceblobstore" in [store.name for store in client.datastores.list()]


def test_an_unknown_datastore(client):
    with pytest.raises(ResourceNotFoundError):
        client.datastores.get("nobody")


@pytest.fixture
def compute(client, name):
    yield client.compute.begin_create_or_update(
        AmlCompute(name=name, size="STANDARD_DS3_V2", min_instances=0, max_instances=3, tags={"a": "b"})
    ).result()
    try:
        client.compute.begin_delete(name).wait()
    except ResourceNotFoundError:
        pass


def test_create_and_get_a_compute(client, compute, name):
    got = client.compute.get(name)
    for one in (compute, got):
        assert (one.name, one.type, one.size) == (name, "amlcompute", "STANDARD_DS3_V2")
        assert (one.min_instances, one.max_instances) == (0, 3)
    assert name in [one.name for one in client.compute.list()]


def test_update_a_compute(client, compute, name):
    compute.max_instances = 5
    client.compute.begin_create_or_update(compute).result()
    assert client.compute.get(name).max_instances == 5


def test_delete_a_compute(client, compute, name):
    client.compute.begin_delete(name).wait()
    with pytest.raises(ResourceNotFoundError):
        client.compute.get(name)


def test_a_compute_by_the_generic_call(client, name):
    made = client.begin_create_or_update(AmlCompute(name=name, max_instances=1)).result()
    assert made.name == name
    client.compute.begin_delete(name).wait()


def test_a_compute_from_a_file(client, name, tmp_path):
    file = tmp_path / "compute.yml"
    file.write_text("name: x\ntype: amlcompute\nsize: STANDARD_DS3_V2\nmin_instances: 0\nmax_instances: 2\n")
    made = client.compute.begin_create_or_update(load_compute(file, params_override=[{"name": name}])).result()
    assert (made.name, made.max_instances) == (name, 2)
    client.compute.begin_delete(name).wait()


def another(client, name):
    default = client.datastores.get("workspaceblobstore", include_secrets=True)
    return AzureBlobDatastore(
        name=name,
        description="another one",
        account_name=default.account_name,
        container_name="azureml-blobstore",
        endpoint=default.endpoint,
        protocol=default.protocol,
        credentials=AccountKeyConfiguration(account_key=default.credentials.account_key),
    )


def test_create_get_and_delete_a_datastore(client, name):
    made = client.datastores.create_or_update(another(client, name))
    got = client.datastores.get(name)
    for one in (made, got):
        assert (one.name, one.description, one.container_name) == (name, "another one", "azureml-blobstore")
    client.datastores.delete(name)
    with pytest.raises(ResourceNotFoundError):
        client.datastores.get(name)
