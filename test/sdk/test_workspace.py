"""ml_client.workspaces and .compute"""

import pytest
from azure.ai.ml import load_compute
from azure.ai.ml.entities import AmlCompute
from azure.core.exceptions import ResourceNotFoundError


def test_the_workspace(client):
    got = client.workspaces.get(client.workspace_name)
    assert (got.name, got.location) == (client.workspace_name, "local")
    assert got.discovery_url.endswith("/discovery")


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


@pytest.mark.parametrize("method", ["begin_create_or_update", "begin_update"])
def test_update_a_compute(client, compute, name, method):
    """With a new object: one that the service has answered, the client cannot send again (its subnet is None)."""
    getattr(client.compute, method)(AmlCompute(name=name, size=compute.size, max_instances=5)).result()
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


def test_a_compute_has_no_nodes(client, compute, name):
    assert list(client.compute.list_nodes(name)) == []
