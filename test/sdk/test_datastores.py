"""ml_client.datastores: those of the app's settings, and further containers of their accounts."""

import os
import re

import pytest
from azure.ai.ml import Input, Output, load_datastore
from azure.ai.ml.entities import (
    AccountKeyConfiguration,
    AzureBlobDatastore,
    AzureFileDatastore,
    Data,
    SasTokenConfiguration,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient

# Published; it opens nothing but an emulator.
AZURITE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
ACCOUNT = "devstoreaccount1"


def test_the_default_one(client):
    got = client.datastores.get_default()
    assert (got.name, got.container_name) == ("workspaceblobstore", "azureml-blobstore")


def test_get_with_its_secret_and_list(client):
    with_secret = client.datastores.get("workspaceblobstore", include_secrets=True)
    assert "sig=" in with_secret.credentials.sas_token
    assert "workspaceblobstore" in [store.name for store in client.datastores.list()]


def test_an_unknown_one(client):
    with pytest.raises(ResourceNotFoundError):
        client.datastores.get("nobody")


@pytest.fixture
def container(name):
    """A container beside the default one; its files by path."""
    endpoint = re.search(r"BlobEndpoint=([^;]+)", os.environ["SDK_STORAGE"])[1]
    key = {"account_name": ACCOUNT, "account_key": AZURITE_KEY}
    with BlobServiceClient(endpoint, credential=key) as account:
        with account.create_container(name) as made:
            yield made


def datastore(name, **more):
    return AzureBlobDatastore(name=name, account_name=ACCOUNT, container_name=name, **more)


@pytest.mark.parametrize(
    "credentials",
    [None, AccountKeyConfiguration(account_key=AZURITE_KEY), SasTokenConfiguration(sas_token="sv=2024-11-04&sig=c2VjcmV0")],
    ids=["none", "account key", "sas"],
)
@pytest.mark.parametrize("generic", [False, True], ids=["", "generic"])
def test_create_update_and_delete(client, name, container, credentials, generic):
    """`ml_client.create_or_update`, too; the client's `begin_create_or_update` takes no datastore."""
    create = client.create_or_update if generic else client.datastores.create_or_update
    made = create(datastore(name, description="further", tags={"a": "1"}, credentials=credentials))
    got = client.datastores.get(name)
    for one in (made, got):
        assert (one.name, one.account_name, one.container_name) == (name, ACCOUNT, name)
        assert (one.description, one.tags) == ("further", {"a": "1"})
    create(datastore(name, description="renewed", credentials=credentials))
    assert client.datastores.get(name).description == "renewed"
    assert name in [one.name for one in client.datastores.list()]
    client.datastores.delete(name)
    with pytest.raises(ResourceNotFoundError):
        client.datastores.get(name)


def test_begin_create_or_update_takes_none(client, name):
    with pytest.raises(TypeError, match="valid input types"):
        client.begin_create_or_update(datastore(name))


def test_from_a_file(client, name, container, tmp_path):
    file = tmp_path / "datastore.yml"
    file.write_text(f"name: x\ntype: azure_blob\naccount_name: {ACCOUNT}\ncontainer_name: {name}\n")
    made = client.datastores.create_or_update(load_datastore(file, params_override=[{"name": name}]))
    assert (made.name, made.container_name) == (name, name)
    client.datastores.delete(name)


def test_a_job_from_and_to_a_further_one(client, heart, name, container, sample_data, tmp_path):
    file = sample_data / "patients-01.csv"
    container.upload_blob("in/patients.csv", file.read_bytes())
    client.datastores.create_or_update(datastore(name))
    data = client.data.create_or_update(
        Data(name=name, path=f"azureml://datastores/{name}/paths/in/", type="uri_folder")
    )
    job = client.batch_endpoints.invoke(
        endpoint_name=heart.name,
        inputs={"patients": Input(type="uri_folder", path=data.id)},
        outputs={"score": Output(type="uri_file", path=f"azureml://datastores/{name}/paths/out/p.csv")},
    )
    client.jobs.stream(job.name)
    rows = container.download_blob("out/p.csv").readall().decode().splitlines()
    assert len(rows) == len(file.read_text().splitlines())
    client.jobs.download(job.name, download_path=tmp_path, output_name="score")
    assert (tmp_path / "p.csv").read_text().splitlines() == rows
    with pytest.raises(HttpResponseError, match=f"data asset '{name}' version '1'") as refusal:
        client.datastores.delete(name)
    assert refusal.value.status_code == 409


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda name: AzureBlobDatastore(name=name, account_name="foreign", container_name="con"), "BATCHPOINT_DATASTORE_ACCOUNTS"),
        (
            lambda name: AzureBlobDatastore(
                name=name,
                account_name="foreign",
                container_name="con",
                credentials=AccountKeyConfiguration(account_key=AZURITE_KEY),
            ),
            "BATCHPOINT_DATASTORE_ACCOUNTS",
        ),
        (lambda name: AzureBlobDatastore(name=name, account_name=ACCOUNT, container_name="batchpoint-jobs"), "of the app"),
        (lambda name: AzureBlobDatastore(name=name, account_name=ACCOUNT, container_name="azure-webjobs-secrets"), "of its host"),
        (lambda name: AzureFileDatastore(name=name, account_name=ACCOUNT, file_share_name="share"), "AzureBlob"),
    ],
    ids=["a foreign account", "a foreign account with its key", "the app's container", "the host's container", "a file share"],
)
def test_what_cannot_be_one(client, name, make, words):
    with pytest.raises(HttpResponseError, match=words) as refusal:
        client.datastores.create_or_update(make(name))
    assert refusal.value.status_code == 400
    assert AZURITE_KEY not in str(refusal.value)
    with pytest.raises(ResourceNotFoundError):
        client.datastores.get(name)


def test_the_default_one_is_not_deleted(client):
    with pytest.raises(HttpResponseError, match="BATCHPOINT_DATASTORES") as refusal:
        client.datastores.delete("workspaceblobstore")
    assert refusal.value.status_code == 409
    assert client.datastores.get_default().name == "workspaceblobstore"
