"""ml_client.batch_deployments"""

import pytest
from azure.ai.ml import load_batch_deployment
from azure.ai.ml.constants import BatchDeploymentOutputAction
from azure.ai.ml.entities import (
    BatchDeployment,
    BatchEndpoint,
    BatchRetrySettings,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
)
from azure.ai.ml.entities._load_functions import load_model_batch_deployment
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

SETTINGS = {
    "mini_batch_size": 5,
    "max_concurrency_per_instance": 3,
    "output_action": BatchDeploymentOutputAction.APPEND_ROW,
    "output_file_name": "rows.csv",
    "error_threshold": 7,
    "logging_level": "Debug",
    "environment_variables": {"ONE": "1"},
}


@pytest.fixture
def endpoint(client, name):
    yield client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    client.batch_endpoints.begin_delete(name).result()


def settings_of(deployment):
    found = {key: getattr(deployment, key) for key in SETTINGS}
    return {**found, "logging_level": found["logging_level"].capitalize()}


def create(client, deployment):
    client.batch_deployments.begin_create_or_update(deployment).result()
    return client.batch_deployments.get(deployment.name, deployment.endpoint_name)


def test_create_from_an_object(client, endpoint, cpu, registered_model):
    got = create(
        client,
        ModelBatchDeployment(
            name="blue",
            endpoint_name=endpoint.name,
            description="first",
            tags={"a": "b"},
            properties={"c": "d"},
            model=registered_model,
            compute=cpu,
            settings=ModelBatchDeploymentSettings(
                **SETTINGS, instance_count=2, retry_settings=BatchRetrySettings(max_retries=4, timeout=60)
            ),
        ),
    )
    assert (got.name, got.description, got.tags) == ("blue", "first", {"a": "b"})
    assert got.properties.items() >= {"c": "d"}.items()
    assert got.model == registered_model.id
    assert got.compute.endswith(f"/computes/{cpu}")
    assert got.resources.instance_count == 2
    assert (got.retry_settings.max_retries, got.retry_settings.timeout) == (4, 60)
    assert settings_of(got) == SETTINGS
    assert got.provisioning_state == "Succeeded"


def test_settings_that_are_left_out_get_azure_mls(client, endpoint, cpu, registered_model):
    deployment = ModelBatchDeployment(name="plain", endpoint_name=endpoint.name, model=registered_model, compute=cpu)
    got = create(client, deployment)
    assert settings_of(got) == {
        "mini_batch_size": 10,
        "max_concurrency_per_instance": 1,
        "output_action": "append_row",
        "output_file_name": "predictions.csv",
        "error_threshold": -1,
        "logging_level": "Info",
        "environment_variables": {},
    }
    assert (got.retry_settings.max_retries, got.retry_settings.timeout) == (3, 30)
    assert got.resources.instance_count == 1


@pytest.mark.filterwarnings("ignore:This class is intended as a base class")
def test_create_from_the_older_flat_class(client, endpoint, cpu, registered_model):
    deployment = BatchDeployment(
        name="flat",
        endpoint_name=endpoint.name,
        model=registered_model,
        compute=cpu,
        instance_count=2,
        **SETTINGS,
    )
    got = create(client, deployment)
    assert settings_of(got) == SETTINGS
    assert got.resources.instance_count == 2


MODEL_FILE = """
$schema: https://azuremlschemas.azureedge.net/latest/modelBatchDeployment.schema.json
name: other
endpoint_name: {endpoint}
description: of a file
type: model
model: azureml:patients@latest
compute: azureml:{cpu}
resources:
  instance_count: 2
settings:
  max_concurrency_per_instance: 3
  mini_batch_size: 5
  output_action: append_row
  output_file_name: rows.csv
  retry_settings:
    max_retries: 4
    timeout: 60
  error_threshold: 7
  logging_level: debug
  environment_variables:
    ONE: "1"
"""

LEGACY_FILE = """
$schema: https://azuremlschemas.azureedge.net/latest/batchDeployment.schema.json
name: other
endpoint_name: {endpoint}
description: of a file
model: azureml:patients@latest
compute: azureml:{cpu}
resources:
  instance_count: 2
max_concurrency_per_instance: 3
mini_batch_size: 5
output_action: append_row
output_file_name: rows.csv
retry_settings:
  max_retries: 4
  timeout: 60
error_threshold: 7
logging_level: debug
environment_variables:
  ONE: "1"
"""


@pytest.mark.filterwarnings("ignore:This class is intended as a base class")
@pytest.mark.parametrize(
    "load, text",
    [(load_model_batch_deployment, MODEL_FILE), (load_batch_deployment, LEGACY_FILE)],
    ids=["with type", "without type"],
)
def test_create_from_a_file_with_params_override(client, endpoint, cpu, registered_model, tmp_path, load, text):
    file = tmp_path / "deployment.yml"
    file.write_text(text.format(endpoint=endpoint.name, cpu=cpu))
    deployment = load(file, params_override=[{"name": "filed"}])
    got = create(client, deployment)
    assert (got.name, got.description) == ("filed", "of a file")
    assert got.model == registered_model.id
    assert settings_of(got) == SETTINGS
    assert (got.retry_settings.max_retries, got.retry_settings.timeout) == (4, 60)


def test_list(client, endpoint, cpu, registered_model):
    assert list(client.batch_deployments.list(endpoint.name)) == []
    for name in ("one", "two"):
        create(client, ModelBatchDeployment(name=name, endpoint_name=endpoint.name, model=registered_model, compute=cpu))
    assert sorted(one.name for one in client.batch_deployments.list(endpoint.name)) == ["one", "two"]


def test_update(client, endpoint, cpu, registered_model):
    deployment = ModelBatchDeployment(name="blue", endpoint_name=endpoint.name, model=registered_model, compute=cpu)
    create(client, deployment)
    deployment.settings.mini_batch_size = 42
    deployment.description = "second"
    got = create(client, deployment)
    assert (got.mini_batch_size, got.description) == (42, "second")


def test_delete(client, endpoint, cpu, registered_model):
    create(client, ModelBatchDeployment(name="blue", endpoint_name=endpoint.name, model=registered_model, compute=cpu))
    client.batch_deployments.begin_delete("blue", endpoint.name).result()
    with pytest.raises(ResourceNotFoundError):
        client.batch_deployments.get("blue", endpoint.name)


def test_delete_the_default_one(client, endpoint, cpu, registered_model):
    create(client, ModelBatchDeployment(name="blue", endpoint_name=endpoint.name, model=registered_model, compute=cpu))
    endpoint.defaults.deployment_name = "blue"
    client.batch_endpoints.begin_create_or_update(endpoint).result()
    client.batch_deployments.begin_delete("blue", endpoint.name).result()
    assert client.batch_endpoints.get(endpoint.name).defaults.deployment_name is None


def test_jobs_of_a_deployment(client, heart, finished):
    jobs = client.batch_deployments.list_jobs(heart.name, name="blue")
    assert finished in [job.name for job in jobs]


def test_the_generic_call(client, endpoint, cpu, registered_model):
    deployment = ModelBatchDeployment(name="blue", endpoint_name=endpoint.name, model=registered_model, compute=cpu)
    assert client.begin_create_or_update(deployment).result().name == "blue"


def test_an_unknown_compute_is_refused_by_name(client, endpoint, registered_model):
    deployment = ModelBatchDeployment(name="blue", endpoint_name=endpoint.name, model=registered_model, compute="moon")
    with pytest.raises(HttpResponseError, match="moon"):
        client.batch_deployments.begin_create_or_update(deployment).result()


def test_an_unknown_endpoint(client, cpu, registered_model):
    deployment = ModelBatchDeployment(name="blue", endpoint_name="nobody", model=registered_model, compute=cpu)
    with pytest.raises(ResourceNotFoundError):
        client.batch_deployments.begin_create_or_update(deployment)
