"""What the tests share: the client as `npm start -- --https` says to make it, and names of their own."""

import logging
import os
import re
import uuid
from pathlib import Path

import pytest
from azure.ai.ml import Input
from azure.ai.ml.constants._endpoint import EndpointInvokeFields
from azure.ai.ml.entities import AmlCompute, BatchEndpoint, Model, ModelBatchDeployment, ModelBatchDeploymentSettings

SETUP = os.environ["SDK_SETUP"]
ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "examples" / "breast-cancer"


def make_client():
    """Runs the printed lines and answers the client that they make."""
    names = {}
    exec(SETUP, names)
    return names["ml_client"]


@pytest.fixture(scope="session")
def client():
    return make_client()


@pytest.fixture
def name():
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def sample_data():
    return SAMPLE / "data"


@pytest.fixture(scope="session")
def sample_model():
    """Folder of a model that MLflow would load: an `MLmodel` file with the onnx flavour."""
    return SAMPLE / "model"


@pytest.fixture(scope="session")
def cpu(client):
    return client.compute.begin_create_or_update(AmlCompute(name="cpu", max_instances=2)).result().name


@pytest.fixture(scope="session")
def registered_model(client, sample_model):
    return client.models.create_or_update(Model(name="patients", path=str(sample_model), type="mlflow_model"))


@pytest.fixture(scope="session")
def heart(client, cpu, registered_model):
    """An endpoint whose default deployment scores; tests do not change it."""
    endpoint = client.batch_endpoints.begin_create_or_update(BatchEndpoint(name="heart-of-all")).result()
    deployment = ModelBatchDeployment(
        name="blue",
        endpoint_name=endpoint.name,
        model=registered_model,
        compute=cpu,
        settings=ModelBatchDeploymentSettings(mini_batch_size=2, max_concurrency_per_instance=2),
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    endpoint.defaults.deployment_name = deployment.name
    return client.batch_endpoints.begin_create_or_update(endpoint).result()


@pytest.fixture(scope="session")
def finished(client, heart, sample_data):
    """A job that has scored the sample."""
    job = client.batch_endpoints.invoke(endpoint_name=heart.name, input=Input(type="uri_folder", path=str(sample_data)))
    client.jobs.stream(job.name)
    return job.name


@pytest.fixture(autouse=True)
def no_warning(caplog):
    """The client warns in its log; a test that expects that clears `caplog`."""
    yield
    loud = [r for r in caplog.get_records("call") if r.levelno >= logging.WARNING]
    # Its telemetry also tells errors, which are raised; what is experimental is so in Azure ML too.
    own = ("azure.ai.ml._telemetry", "azure.ai.ml._utils._experimental")
    said = [r for r in loud if r.name.startswith("azure") and not r.name.startswith(own)]
    assert [f"{r.name}: {r.getMessage()}" for r in said] == []


@pytest.fixture(autouse=True)
def no_sticky_deployment():
    """The client keeps `deployment_name` of one invoke() in a module's dict and sends it with every later one."""
    EndpointInvokeFields.DEFAULT_HEADER.pop(EndpointInvokeFields.MODEL_DEPLOYMENT, None)


class AppLog:
    """The requests that the app answered, as its log tells them."""

    line = re.compile(r"^  (GET|PUT|POST|PATCH|DELETE|HEAD) (\S+) (\d{3}) \d+ ms$", re.M)

    def __init__(self):
        self.path = Path(os.environ["SDK_APP_LOG"])
        self.from_byte = self.path.stat().st_size

    def requests(self):
        text = self.path.read_bytes()[self.from_byte :].decode()
        return [(method, path, int(status)) for method, path, status in self.line.findall(text)]


@pytest.fixture
def app_log():
    return AppLog()
