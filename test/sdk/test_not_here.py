"""Every method of the client that is not for this app: each call ends at once, with words, and nothing leaves the machine."""

import json
import socket

import pytest
from azure.ai.ml import Input, MLClient, command, load_component
from azure.ai.ml.data_transfer import Database
from azure.ai.ml.entities import (
    AzureMLOnlineInferencingServer,
    CapabilityHost,
    DataImport,
    Model,
    ModelPackage,
    VirtualMachineCompute,
    VirtualMachineSshSettings,
    Workspace,
)
from azure.ai.ml.exceptions import MlException, ValidationException
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

SHARED = {"share_with_name": "a", "share_with_version": "1", "registry_name": "r"}
SSH = VirtualMachineSshSettings(admin_username="a", admin_password="b")

# Operations, method, call, status and code of the app's answer.
BY_THE_APP = [
    ("azure_openai_deployments", "list", lambda c: list(c.azure_openai_deployments.list("x")), 404, "NotFound"),
    ("capability_hosts", "begin_delete", lambda c: c.capability_hosts.begin_delete("x").result(), 404, "NotFound"),
    ("capability_hosts", "get", lambda c: c.capability_hosts.get("x"), 404, "NotFound"),
    ("compute", "begin_attach",
     lambda c: c.compute.begin_attach(VirtualMachineCompute(name="vm", resource_id="/x", ssh_settings=SSH)).result(), 400,
     "UserError"),
    ("compute", "begin_restart", lambda c: c.compute.begin_restart("cpu").result(), 404, "NotFound"),
    ("compute", "begin_start", lambda c: c.compute.begin_start("cpu").result(), 404, "NotFound"),
    ("compute", "begin_stop", lambda c: c.compute.begin_stop("cpu").result(), 404, "NotFound"),
    ("compute", "enable_sso", lambda c: c.compute.enable_sso(name="cpu"), 404, "NotFound"),
    ("compute", "list_sizes", lambda c: list(c.compute.list_sizes()), 404, "NotFound"),
    ("compute", "list_usage", lambda c: list(c.compute.list_usage()), 404, "NotFound"),
    ("connections", "delete", lambda c: c.connections.delete("x"), 404, "NotFound"),
    ("connections", "get", lambda c: c.connections.get("x"), 404, "NotFound"),
    ("connections", "list", lambda c: list(c.connections.list()), 404, "NotFound"),
    ("data", "import_data",
     lambda c: c.data.import_data(
         DataImport(name="d", path="azureml://datastores/workspaceblobstore/paths/x", source=Database(connection="azureml:c", query="q"))
     ), 400, "UserError"),
    ("data", "share", lambda c: c.data.share("patients", "1", **SHARED), 404, "NotFound"),
    ("environments", "share", lambda c: c.environments.share("e", "1", **SHARED), 404, "NotFound"),
    ("feature_sets", "archive", lambda c: c.feature_sets.archive("x", "1"), 404, "NotFound"),
    ("feature_sets", "get", lambda c: c.feature_sets.get("x", "1"), 404, "NotFound"),
    ("feature_sets", "list", lambda c: list(c.feature_sets.list(name="x")), 404, "NotFound"),
    ("feature_store_entities", "archive", lambda c: c.feature_store_entities.archive("x", "1"), 404, "NotFound"),
    ("feature_store_entities", "get", lambda c: c.feature_store_entities.get("x", "1"), 404, "NotFound"),
    ("feature_store_entities", "list", lambda c: list(c.feature_store_entities.list(name="x")), 404, "NotFound"),
    ("feature_stores", "begin_delete", lambda c: c.feature_stores.begin_delete("x").result(), 404, "ResourceNotFound"),
    ("feature_stores", "get", lambda c: c.feature_stores.get("x"), 404, "ResourceNotFound"),
    ("feature_stores", "list", lambda c: list(c.feature_stores.list()), 404, "NotFound"),
    ("indexes", "get", lambda c: c.indexes.get("x", version="1"), 404, "NotFound"),
    ("indexes", "list", lambda c: list(c.indexes.list("x")), 404, "NotFound"),
    ("marketplace_subscriptions", "begin_delete", lambda c: c.marketplace_subscriptions.begin_delete("x").result(), 404,
     "NotFound"),
    ("marketplace_subscriptions", "get", lambda c: c.marketplace_subscriptions.get("x"), 404, "NotFound"),
    ("marketplace_subscriptions", "list", lambda c: list(c.marketplace_subscriptions.list()), 404, "NotFound"),
    ("models", "package",
     lambda c: c.models.package(
         "patients", "1", ModelPackage(target_environment="e", inferencing_server=AzureMLOnlineInferencingServer())
     ), 404, "NotFound"),
    ("models", "share", lambda c: c.models.share("patients", "1", **SHARED), 404, "NotFound"),
    ("registries", "begin_delete", lambda c: c.registries.begin_delete(name="x").result(), 404, "NotFound"),
    ("registries", "get", lambda c: c.registries.get("x"), 404, "NotFound"),
    ("registries", "list", lambda c: list(c.registries.list()), 404, "NotFound"),
    ("schedules", "begin_delete", lambda c: c.schedules.begin_delete("x").result(), 404, "NotFound"),
    ("schedules", "begin_disable", lambda c: c.schedules.begin_disable("x").result(), 404, "NotFound"),
    ("schedules", "begin_enable", lambda c: c.schedules.begin_enable("x").result(), 404, "NotFound"),
    ("schedules", "get", lambda c: c.schedules.get("x"), 404, "NotFound"),
    ("schedules", "list", lambda c: list(c.schedules.list()), 404, "NotFound"),
    ("schedules", "trigger", lambda c: c.schedules.trigger("x"), 404, "NotFound"),
    ("serverless_endpoints", "begin_delete", lambda c: c.serverless_endpoints.begin_delete("x").result(), 404, "NotFound"),
    ("serverless_endpoints", "get", lambda c: c.serverless_endpoints.get("x"), 404, "NotFound"),
    ("serverless_endpoints", "get_keys", lambda c: c.serverless_endpoints.get_keys("x"), 404, "NotFound"),
    ("serverless_endpoints", "list", lambda c: list(c.serverless_endpoints.list()), 404, "NotFound"),
    ("workspace_outbound_rules", "begin_remove",
     lambda c: c.workspace_outbound_rules.begin_remove(c.workspace_name, "x").result(), 404, "NotFound"),
    ("workspace_outbound_rules", "get", lambda c: c.workspace_outbound_rules.get(c.workspace_name, "x"), 404, "NotFound"),
    ("workspace_outbound_rules", "list", lambda c: list(c.workspace_outbound_rules.list(c.workspace_name)), 404, "NotFound"),
    ("workspaces", "begin_create", lambda c: c.workspaces.begin_create(Workspace(name="w")).result(), 404, "NotFound"),
    ("workspaces", "begin_delete",
     lambda c: c.workspaces.begin_delete("w", delete_dependent_resources=False).result(), 404, "ResourceNotFound"),
    ("workspaces", "begin_diagnose", lambda c: c.workspaces.begin_diagnose(c.workspace_name).result(), 404, "NotFound"),
    ("workspaces", "begin_provision_network", lambda c: c.workspaces.begin_provision_network().result(), 404, "NotFound"),
    ("workspaces", "begin_sync_keys", lambda c: c.workspaces.begin_sync_keys().result(), 404, "NotFound"),
    ("workspaces", "begin_update", lambda c: c.workspaces.begin_update(Workspace(name=c.workspace_name)).result(), 404,
     "NotFound"),
    ("workspaces", "get_keys", lambda c: c.workspaces.get_keys(), 404, "NotFound"),
    ("workspaces", "list", lambda c: list(c.workspaces.list()), 404, "NotFound"),
]

# Operations, method, call, what it raises, a part of what that says.
BY_THE_CLIENT = [
    ("batch_endpoints", "invoke",
     lambda c: invoke(c, "azureml://jobs/j/outputs/score/paths/"), ValidationException, "Version must be provided"),
    ("batch_endpoints", "invoke", lambda c: invoke(c, "runs:/r/p"), ValidationException, "Could not parse"),
    ("capability_hosts", "begin_create_or_update",
     lambda c: c.capability_hosts.begin_create_or_update(CapabilityHost(name="x")).result(), MlException, "Invalid workspace kind"),
    ("data", "list_materialization_status", lambda c: list(c.data.list_materialization_status("d")), TypeError, "asset_name"),
    ("data", "mount", lambda c: c.data.mount("azureml:d:1"), TypeError, "no_personal_data_message"),
    ("deployment_templates", "get", lambda c: c.deployment_templates.get("x", "1"), ResourceNotFoundError, "not found"),
    ("deployment_templates", "list", lambda c: list(c.deployment_templates.list()), ValueError, "No value"),
    ("datastores", "mount", lambda c: c.datastores.mount("workspaceblobstore"), MlException, "azureml-dataprep-rslex"),
]


def invoke(client, path):
    return client.batch_endpoints.invoke(endpoint_name="heart-of-all", input=Input(type="uri_folder", path=path))


def named(calls):
    return [pytest.param(*rest, id=f"{group}.{method}") for group, method, *rest in calls]


class LeavesTheMachine(Exception):
    """The client looked up a host that is not this machine."""


@pytest.fixture(autouse=True)
def looked_up(monkeypatch):
    """Hosts that the client looks for elsewhere, none of which it gets."""
    resolve, hosts = socket.getaddrinfo, []

    def local(host, *args, **kwargs):
        name = host.decode() if isinstance(host, bytes) else host
        if name in ("localhost", "127.0.0.1") or name.endswith(".localhost"):
            return resolve(host, *args, **kwargs)
        hosts.append(name)
        raise LeavesTheMachine(name)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    return hosts


@pytest.mark.parametrize("call, status, code", named(BY_THE_APP))
def test_the_app_says_that_it_is_not_here(client, heart, registered_model, caplog, looked_up, call, status, code):
    with pytest.raises(HttpResponseError) as refusal:
        call(client)
    answer = refusal.value.response
    assert answer.status_code == status
    assert json.loads(answer.body() if callable(answer.body) else answer.text())["error"]["code"] == code
    assert looked_up == []
    caplog.clear()


@pytest.mark.parametrize("call, kind, words", named(BY_THE_CLIENT))
def test_the_client_refuses_by_itself(client, heart, caplog, looked_up, call, kind, words):
    with pytest.raises(kind, match=words):
        call(client)
    assert looked_up == []
    caplog.clear()


def test_validate_a_job(client):
    assert client.jobs.validate(command(command="ls", environment="azureml:e:1", compute="cpu")).passed


COMPONENT = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: signed
version: "1"
type: command
command: python main.py
code: ./src
environment: azureml:any:1
"""


@pytest.fixture
def component(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("print(1)\n")
    file = tmp_path / "component.yml"
    file.write_text(COMPONENT)
    return load_component(file)


def test_validate_a_component(client, component):
    assert client.components.validate(component).passed


def test_prepare_a_component_for_signing(client, component, tmp_path):
    client.components.prepare_for_sign(component)
    assert {file.name for file in (tmp_path / "src").iterdir()} == {"main.py", "catalog.json", "catalog.json.sig"}


def test_a_client_from_a_file(client, tmp_path):
    scope = {
        "subscription_id": client.subscription_id,
        "resource_group": client.resource_group_name,
        "workspace_name": client.workspace_name,
    }
    (tmp_path / "config.json").write_text(json.dumps(scope))
    made = MLClient.from_config(client._credential, path=tmp_path, cloud="Local")
    assert made.workspaces.get(made.workspace_name).name == client.workspace_name


def test_an_evaluator_is_a_model(client, name, sample_model, tmp_path):
    made = client.evaluators.create_or_update(Model(name=name, path=str(sample_model), type="custom_model"))
    assert client.evaluators.get(name, version=made.version).properties["is-evaluator"] == "true"
    assert [one.version for one in client.evaluators.list(name)] == [made.version]
    client.evaluators.download(name, made.version, tmp_path)
    assert list(tmp_path.rglob("MLmodel")) != []
