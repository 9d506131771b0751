"""examples/heart-training: training and scoring in one workspace, its parts one by one and then its script as it is typed."""

import json
import os
import re
import subprocess
import sys
import time
import uuid
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
from azure.ai.ml import Input
from azure.ai.ml.entities import BatchEndpoint
from azure.ai.ml.entities._load_functions import load_pipeline_component_batch_deployment
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from conftest import ROOT, SETUP

EXAMPLE = ROOT / "examples" / "heart-training"
sys.path.insert(0, str(EXAMPLE))
import heart_pipelines  # noqa: E402
import make_data  # noqa: E402
import walkthrough  # noqa: E402


COLUMNS = {"ordinal": 13, "onehot": 22}


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("heart") / "data"
    make_data.make_data(folder)
    return folder


@pytest.fixture(scope="module")
def assets(client, data_folder):
    return walkthrough.create_assets(client, data_folder)


@pytest.fixture(scope="module")
def graphs(assets):
    _, prepare, train = assets
    return {encoding: heart_pipelines.training(prepare, train, encoding) for encoding in COLUMNS}


@pytest.fixture(scope="module")
def streamed(client, assets, graphs):
    """The ordinal pipeline as a job of its own, and what the client printed of its log meanwhile."""
    data = Input(type="uri_folder", path=assets[0].id)
    with redirect_stdout(StringIO()) as printed:
        job = walkthrough.run_once(client, graphs["ordinal"], input_data=data)
    return job, printed.getvalue()


@pytest.fixture(scope="module")
def tried(streamed):
    return streamed[0]


@pytest.fixture(scope="module")
def trainer(client, graphs, tried):
    """An endpoint with both variants; `ordinal` is the default."""
    name = f"train-{uuid.uuid4().hex[:8]}"
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result()
    walkthrough.deploy(client, name, "ordinal", client.components.create_or_update(graphs["ordinal"]().component))
    walkthrough.deploy(client, name, "onehot", graphs["onehot"]._pipeline_builder.build())
    walkthrough.make_default(client, name, "ordinal")
    return name


@pytest.fixture(scope="module")
def trainings(client, assets, trainer):
    return {
        "ordinal": walkthrough.train_by_endpoint(client, trainer, assets[0]),
        "onehot": walkthrough.train_by_endpoint(client, trainer, assets[0], deployment="onehot"),
    }


@pytest.fixture(scope="module")
def downloads(client, trainings, tmp_path_factory):
    """Folder of each variant's outputs."""
    folders = {name: tmp_path_factory.mktemp(name) for name in trainings}
    for name, job in trainings.items():
        walkthrough.download(client, job, folders[name])
    return folders


def steps_of(client, job):
    """The child jobs by the name of their component."""
    children = client.jobs.list(parent_job_name=job.name)
    return {child.properties["azureml.moduleName"]: child for child in children}


def metrics_of(child):
    """What a step told MLflow, as its job shows it."""
    prefix = "batchpoint.metric."
    return {
        key.removeprefix(prefix): float(value) for key, value in child.properties.items() if key.startswith(prefix)
    }


def test_a_pipeline_runs_as_a_job_with_a_child_for_each_step(client, tried):
    assert tried.status == "Completed"
    assert tried.experiment_name == "heart-training"
    steps = steps_of(client, tried)
    assert {name: step.status for name, step in steps.items()} == {
        "heart_prepare": "Completed",
        "heart_train": "Completed",
    }
    assert {step.properties["azureml.isreused"] for step in steps.values()} == {"false"}


def test_what_a_step_tells_mlflow_is_in_its_job_and_in_the_pipelines_log(client, streamed):
    job, printed = streamed
    train = client.jobs.get(steps_of(client, job)["heart_train"].name)
    metrics = metrics_of(train)
    assert set(metrics) == {"accuracy", "auc", "log_loss", "accuracy_by_chance"}
    assert metrics["accuracy"] > metrics["accuracy_by_chance"] + 0.15
    assert metrics["auc"] > 0.8
    assert train.properties["batchpoint.parameter.columns"] == "13"
    assert re.search(rf"step train completed .*\baccuracy={metrics['accuracy']}\b", printed)
    assert "pipeline completed" in printed


def test_an_unchanged_pipeline_is_not_run_again(client, assets, trainer, tried, capsys):
    inputs = {"input_data": Input(type="uri_folder", path=assets[0].id)}
    began = time.monotonic()
    job = client.batch_endpoints.invoke(endpoint_name=trainer, inputs=inputs)
    while client.jobs.get(job.name).status not in ("Completed", "Failed", "Canceled"):
        time.sleep(0.1)
    seconds = time.monotonic() - began
    with capsys.disabled():
        print(f"\nThe unchanged heart pipeline by its endpoint: {seconds:.2f} s")
    steps = steps_of(client, job)
    assert {name: step.properties["azureml.isreused"] for name, step in steps.items()} == {
        "heart_prepare": "true",
        "heart_train": "true",
    }
    earlier = {step.name for step in steps_of(client, tried).values()}
    assert {step.properties["azureml.reusedrunid"] for step in steps.values()} == earlier


def test_what_a_deployment_wrote_is_downloaded_by_name(downloads):
    for folder in downloads.values():
        outputs = folder / "named-outputs"
        assert {path.name for path in outputs.iterdir()} == set(walkthrough.OUTPUTS)
        assert {path.name for path in (outputs / "model").iterdir()} >= {"MLmodel", "model.ubj", "requirements.txt"}
        assert {path.name for path in (outputs / "evaluation_results").iterdir()} == {"metrics.json", "evaluated.csv"}
        assert {path.name for path in (outputs / "transformations").iterdir()} == {"transformations.json"}


def test_two_deployments_of_one_endpoint_train_on_other_columns(client, trainings, downloads):
    told = {name: steps_of(client, job)["heart_train"] for name, job in trainings.items()}
    columns = {name: int(step.properties["batchpoint.parameter.columns"]) for name, step in told.items()}
    assert columns == COLUMNS
    for name, folder in downloads.items():
        written = json.loads(next(folder.glob("**/metrics.json")).read_text())
        assert written == pytest.approx(metrics_of(told[name]))
        assert written["accuracy"] > written["accuracy_by_chance"] + 0.15
        encoding = json.loads(next(folder.glob("**/transformations.json")).read_text())["encoding"]
        assert encoding == name


def test_deployments_in_yaml_are_the_same_graphs(client, trainer, assets, trainings):
    for name, training in trainings.items():
        deployment = load_pipeline_component_batch_deployment(EXAMPLE / f"deployment-{name}.yml")
        deployment.name, deployment.endpoint_name = f"{name}-yaml", trainer
        client.batch_deployments.begin_create_or_update(deployment).result()
        job = walkthrough.train_by_endpoint(client, trainer, assets[0], deployment=deployment.name)
        again = steps_of(client, job).values()
        earlier = {step.properties.get("azureml.reusedrunid", step.name) for step in steps_of(client, training).values()}
        assert {step.properties["azureml.reusedrunid"] for step in again} == earlier


def test_only_the_pipelines_own_inputs_can_be_given(client, trainer, assets):
    inputs = {
        "input_data": Input(type="uri_folder", path=assets[0].id),
        "target_column": Input(type="string", default="age"),
    }
    with pytest.raises(HttpResponseError, match="target_column.*is no input of the pipeline") as refusal:
        client.batch_endpoints.invoke(endpoint_name=trainer, inputs=inputs)
    assert refusal.value.status_code == 400


def test_the_trained_model_scores_new_patients(client, assets, trainings, data_folder, tmp_path):
    scorer = f"score-{uuid.uuid4().hex[:8]}"
    training = trainings["onehot"]
    walkthrough.serve(client, scorer, training)
    predictions = walkthrough.score_new_patients(client, scorer, assets[1], training, data_folder / "new", tmp_path)
    targets = walkthrough.read_csv(data_folder / "new-targets.csv")
    assert [(row["file"], row["row"]) for row in predictions] == [(row["file"], row["row"]) for row in targets]
    assert walkthrough.share_right(predictions, targets) > 0.7
    client.batch_endpoints.begin_delete(name=scorer).result()


def test_the_default_is_switched_and_the_old_deployment_deleted(client, trainer, trainings):
    walkthrough.make_default(client, trainer, "onehot")
    client.batch_deployments.begin_delete(name="ordinal", endpoint_name=trainer).result()
    assert "ordinal" not in {deployment.name for deployment in client.batch_deployments.list(trainer)}
    assert client.batch_endpoints.get(trainer).defaults.deployment_name == "onehot"
    assert client.jobs.get(trainings["ordinal"].name).status == "Completed"
    client.batch_endpoints.begin_delete(name=trainer).result()
    with pytest.raises(ResourceNotFoundError):
        client.batch_endpoints.get(trainer)


def test_the_walk_through_runs_as_it_is_typed(tmp_path, capsys):
    app = re.search(r'"resource_manager": *"([^"]+)"', SETUP)[1]
    storage = re.search(r'"storage_endpoint": *"([^"]+)"', SETUP)[1]
    # This process's own client has left it there, and a fresh one would look for that cloud while it is imported.
    env = {name: value for name, value in os.environ.items() if name != "AZUREML_CURRENT_CLOUD"}
    script = [sys.executable, EXAMPLE / "walkthrough.py", "--app", app, "--storage", storage, "--folder", tmp_path]
    began = time.monotonic()
    done = subprocess.run(script, env=env, capture_output=True, text=True, timeout=300)
    with capsys.disabled():
        print(f"\nThe walk-through again, after all its steps ran before: {time.monotonic() - began:.1f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = (ROOT / "README.md").read_text().split("### Train and score in one place", 1)[1].split("```")[5]
    told = [line for line in shown.splitlines() if re.match("ordinal|onehot|The better|Scored", line)]
    assert len(told) == 4
    for line in told:
        assert line.split(" Predictions:")[0] in done.stdout
    assert len(walkthrough.read_csv(Path(tmp_path) / "predictions.csv")) == 200
