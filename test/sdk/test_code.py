"""Deployments that bring a scoring script, in both forms that the client has for it, up to their predictions."""

import csv
from pathlib import Path

import pytest
from azure.ai.ml import Input
from azure.ai.ml.entities import (
    BatchDeployment,
    BatchEndpoint,
    CodeConfiguration,
    Environment,
    Model,
    ModelBatchDeployment,
    ModelBatchDeploymentSettings,
)
from azure.core.exceptions import HttpResponseError

SCRIPT = """
import os
from suffix import SUFFIX

def init():
    global greeting
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "words", "greeting.txt")) as text:
        greeting = text.read()

def run(mini_batch):
    return [f"{greeting} {os.path.basename(path)}{SUFFIX}{os.environ['MARK']}" for path in mini_batch]
"""

# Its image is one of Azure ML's own, so the app's Python stands in for it.
CURATED = Environment(image="mcr.microsoft.com/azureml/minimal-ubuntu20.04-py38-cpu-inference:latest")


@pytest.fixture
def code(tmp_path):
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "score.py").write_text(SCRIPT)
    (folder / "suffix.py").write_text("SUFFIX = ' of the client'\n")
    return folder


@pytest.fixture
def greeting(client, name, tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "greeting.txt").write_text("hello")
    return client.models.create_or_update(Model(name=name, path=str(folder), type="custom_model"))


@pytest.fixture
def endpoint(client, name):
    yield client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result().name
    client.batch_endpoints.begin_delete(name).result()


def flat(code, script="score.py", **given):
    return BatchDeployment(
        code_path=str(code),
        scoring_script=script,
        environment=CURATED,
        mini_batch_size=2,
        environment_variables={"MARK": "!"},
        **given,
    )


def with_settings(code, script="score.py", **given):
    return ModelBatchDeployment(
        code_configuration=CodeConfiguration(code=str(code), scoring_script=script),
        environment=CURATED,
        settings=ModelBatchDeploymentSettings(mini_batch_size=2, environment_variables={"MARK": "!"}),
        **given,
    )


@pytest.mark.filterwarnings("ignore:This class is intended as a base class")
@pytest.mark.parametrize("form", [flat, with_settings])
def test_a_scoring_script_scores(client, cpu, endpoint, greeting, code, tmp_path, form):
    made = form(code, name="blue", endpoint_name=endpoint, model=greeting, compute=cpu)
    client.batch_deployments.begin_create_or_update(made).result()
    got = client.batch_deployments.get("blue", endpoint)
    assert got.code_configuration.scoring_script == "score.py"

    data = tmp_path / "data"
    data.mkdir()
    for file in ("a.txt", "b.txt", "c.txt"):
        (data / file).write_text(file)
    job = client.batch_endpoints.invoke(
        endpoint_name=endpoint, deployment_name="blue", input=Input(type="uri_folder", path=str(data))
    )
    client.jobs.stream(job.name)
    client.jobs.download(name=job.name, output_name="score", download_path=tmp_path)
    with open(Path(tmp_path) / "predictions.csv", newline="") as text:
        rows = list(csv.DictReader(text))
    assert rows == [{"prediction": f"hello {file} of the client!"} for file in ("a.txt", "b.txt", "c.txt")]


def test_a_script_that_is_no_python_is_refused_with_its_line(client, cpu, endpoint, greeting, code):
    (code / "score.py").write_text("def init(): pass\n\ndef run(mini_batch)\n    return mini_batch\n")
    made = with_settings(code, name="blue", endpoint_name=endpoint, model=greeting, compute=cpu)
    with pytest.raises(HttpResponseError, match="line 3") as refusal:
        client.batch_deployments.begin_create_or_update(made, skip_script_validation=True).result()
    assert refusal.value.status_code == 400


def test_an_environment_that_no_interpreter_is_named_for_is_refused(client, cpu, endpoint, greeting, code):
    made = with_settings(code, name="blue", endpoint_name=endpoint, model=greeting, compute=cpu)
    made.environment = Environment(name=f"{endpoint}-own", version="1", image="example.com/own:1")
    with pytest.raises(HttpResponseError, match="BATCHPOINT_PYTHON_ENVIRONMENTS") as refusal:
        client.batch_deployments.begin_create_or_update(made).result()
    assert refusal.value.status_code == 400


def test_a_model_that_nothing_can_score_is_refused(client, cpu, endpoint, tmp_path):
    (tmp_path / "MLmodel").write_text("flavors:\n  tensorflow: {}\n")
    model = Model(name=f"{endpoint}-flavour", version="1", path=str(tmp_path), type="mlflow_model")
    registered = client.models.create_or_update(model)
    deployment = ModelBatchDeployment(name="blue", endpoint_name=endpoint, model=registered, compute=cpu)
    with pytest.raises(HttpResponseError, match="it has: tensorflow") as refusal:
        client.batch_deployments.begin_create_or_update(deployment).result()
    assert refusal.value.status_code == 400


def test_a_python_function_model_needs_no_code(client, cpu, endpoint, tmp_path):
    (tmp_path / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n")
    model = Model(name=f"{endpoint}-pickle", version="1", path=str(tmp_path), type="mlflow_model")
    registered = client.models.create_or_update(model)
    deployment = ModelBatchDeployment(name="blue", endpoint_name=endpoint, model=registered, compute=cpu)
    assert client.batch_deployments.begin_create_or_update(deployment).result().provisioning_state == "Succeeded"
