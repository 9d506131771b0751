"""Trains and scores in one workspace, with the unmodified azure-ai-ml client against a Batchpoint on this machine.

    BATCHPOINT_BUILD_ENVIRONMENTS=true npm start -- --https     # in one terminal
    python examples/heart-training/walkthrough.py               # in another, with the four exports that the first prints

A training pipeline is tried as a job, deployed behind an endpoint in two variants and invoked; the better of the two stays.
Its model is then registered and served by a deployment that scores new patients. README.md tells more.
"""

import argparse
import csv
import json
import uuid
from pathlib import Path

from azure.ai.ml import Input, MLClient, load_component, load_environment
from azure.ai.ml.constants import AssetTypes
from azure.ai.ml.entities import (
    AmlCompute,
    BatchEndpoint,
    Data,
    Model,
    ModelBatchDeployment,
    PipelineComponentBatchDeployment,
)
from azure.identity import DefaultAzureCredential

import heart_pipelines
from make_data import make_data

HERE = Path(__file__).resolve().parent
COMPUTE = "cpu"
OUTPUTS = ("model", "evaluation_results", "transformations")
SCORER = "xgboost"


def connect(app, storage):
    """The client for an app and its storage, as `npm start -- --https` prints it."""
    cloud = {
        "resource_manager": app,
        "aml_resource_id": "https://ml.azure.com",
        "storage_endpoint": storage,
        "azure_portal": app,
        "active_directory": app,
        "registry_discovery_endpoint": app,
    }
    workspace = ["00000000-0000-0000-0000-000000000000", "batchpoint", "local"]
    return MLClient(DefaultAzureCredential(), *workspace, cloud="Local", cloud_metadata=cloud)


def create_assets(client, folder):
    """Environment, compute, training data and components; answers data and components."""
    client.environments.create_or_update(load_environment(HERE / "environment" / "environment.yml"))
    client.compute.begin_create_or_update(AmlCompute(name=COMPUTE, max_instances=2)).result()
    data = client.data.create_or_update(
        Data(name="heart-training", path=str(folder / "train"), type=AssetTypes.URI_FOLDER)
    )
    prepare, train = (
        client.components.create_or_update(load_component(HERE / name / f"{name}.yml")) for name in ("prepare", "train")
    )
    return data, prepare, train


def finish(client, job):
    """Waits for a job while it prints its log; a job that fails raises."""
    client.jobs.stream(job.name)
    return client.jobs.get(job.name)


def show_steps(client, job):
    for step in client.jobs.list(parent_job_name=job.name):
        taken = step.properties["azureml.isreused"] == "true"
        print(f"  {step.display_name}: {'nothing had changed, taken over' if taken else step.status}")


def run_once(client, graph, **inputs):
    """Runs a pipeline as a job of its own, without an endpoint."""
    job = graph(**inputs)
    job.settings.default_compute = COMPUTE
    job.settings.default_datastore = "workspaceblobstore"
    return finish(client, client.jobs.create_or_update(job, experiment_name="heart-training"))


def deploy(client, endpoint, name, component):
    """Puts a pipeline component behind an endpoint."""
    deployment = PipelineComponentBatchDeployment(
        name=name,
        endpoint_name=endpoint,
        component=component,
        settings={"default_compute": COMPUTE, "continue_on_step_failure": False},
    )
    client.batch_deployments.begin_create_or_update(deployment).result()


def make_default(client, endpoint, deployment):
    changed = client.batch_endpoints.get(endpoint)
    changed.defaults.deployment_name = deployment
    client.batch_endpoints.begin_create_or_update(changed).result()


def train_by_endpoint(client, endpoint, data, deployment=None):
    """Invokes the endpoint's default deployment, or another by its name."""
    inputs = {"input_data": Input(type=AssetTypes.URI_FOLDER, path=data.id)}
    return finish(
        client, client.batch_endpoints.invoke(endpoint_name=endpoint, deployment_name=deployment, inputs=inputs)
    )


def download(client, job, folder):
    """Downloads the outputs of a training; answers its metrics."""
    for output in OUTPUTS:
        client.jobs.download(name=job.name, output_name=output, download_path=folder)
    (metrics,) = folder.glob("**/metrics.json")
    return json.loads(metrics.read_text())


def output_of(job, output):
    """Address of what a job has written."""
    return f"azureml://jobs/{job.name}/outputs/{output}"


def serve(client, endpoint, training):
    """Registers the model of a training and makes it the default deployment of an endpoint for scoring."""
    model = client.models.create_or_update(
        Model(name="heart", path=output_of(training, "model"), type=AssetTypes.MLFLOW_MODEL)
    )
    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=endpoint)).result()
    deployment = ModelBatchDeployment(
        name=SCORER,
        endpoint_name=endpoint,
        model=model,
        environment=client.environments.get("heart-training", label="latest"),
        compute=COMPUTE,
    )
    client.batch_deployments.begin_create_or_update(deployment).result()
    make_default(client, endpoint, deployment.name)


def score_new_patients(client, endpoint, prepare, training, patients, folder):
    """Prepares new patients as the model's own data was, scores them, and answers file, row and prediction of each."""
    preparation = run_once(
        client,
        heart_pipelines.preparation(prepare),
        input_data=Input(type=AssetTypes.URI_FOLDER, path=str(patients)),
        transformations=Input(type=AssetTypes.CUSTOM_MODEL, path=output_of(training, "transformations")),
    )
    # The client's invoke() takes data assets and datastores, but no outputs of jobs.
    prepared = client.data.create_or_update(
        Data(name="heart-prepared", path=output_of(preparation, "prepared_data"), type=AssetTypes.URI_FOLDER)
    )
    given = Input(type=AssetTypes.URI_FOLDER, path=prepared.id)
    # By name, though it is the default: the client sends the last deployment_name again with all that do not give one.
    job = client.batch_endpoints.invoke(endpoint_name=endpoint, deployment_name=SCORER, input=given)
    scoring = finish(client, job)
    client.jobs.download(name=scoring.name, output_name="score", download_path=folder)
    return read_csv(folder / "predictions.csv")


def read_csv(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def share_right(predictions, targets):
    truth = {(row["file"], row["row"]): row["target"] for row in targets}
    return sum(truth[row["file"], row["row"]] == row["predictions"] for row in predictions) / len(truth)


def show(title, metrics):
    print(f"{title}: " + ", ".join(f"{name} {value:.3f}" for name, value in metrics.items()))


def walk(client, folder):
    """All of it, one thing after another. Files go to `folder`."""
    suffix = uuid.uuid4().hex[:6]
    trainer, scorer = f"heart-training-{suffix}", f"heart-scoring-{suffix}"

    make_data(folder / "data")
    data, prepare, train = create_assets(client, folder / "data")
    print(f"Assets: data {data.name}:{data.version}, components {prepare.name} and {train.name}")

    ordinal = heart_pipelines.training(prepare, train, "ordinal")
    tried = run_once(client, ordinal, input_data=Input(type=AssetTypes.URI_FOLDER, path=data.id))
    print(f"Tried the pipeline as job {tried.name}")
    show_steps(client, tried)

    client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=trainer)).result()
    deploy(client, trainer, "ordinal", client.components.create_or_update(ordinal().component))
    make_default(client, trainer, "ordinal")
    first = train_by_endpoint(client, trainer, data)
    print(f"Invoked the default deployment, job {first.name}")
    show_steps(client, first)
    metrics = {"ordinal": download(client, first, folder / "ordinal")}

    deploy(client, trainer, "onehot", heart_pipelines.training(prepare, train, "onehot")._pipeline_builder.build())
    second = train_by_endpoint(client, trainer, data, deployment="onehot")
    print(f"Invoked the other one by its name, job {second.name}")
    show_steps(client, second)
    metrics["onehot"] = download(client, second, folder / "onehot")
    for name, of in metrics.items():
        show(name, of)

    better = min(metrics, key=lambda name: metrics[name]["log_loss"])
    print(f"The better one is {better}; the other is deleted")
    make_default(client, trainer, better)
    worse = next(name for name in metrics if name != better)
    client.batch_deployments.begin_delete(name=worse, endpoint_name=trainer).result()
    training = {"ordinal": first, "onehot": second}[better]
    client.batch_endpoints.begin_delete(name=trainer).result()

    serve(client, scorer, training)
    patients = folder / "data" / "new"
    predictions = score_new_patients(client, scorer, prepare, training, patients, folder)
    right = share_right(predictions, read_csv(folder / "data" / "new-targets.csv"))
    print(f"Scored {len(predictions)} new patients: {right:.1%} right. Predictions: {folder / 'predictions.csv'}")
    client.batch_endpoints.begin_delete(name=scorer).result()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", default="https://localhost:7071")
    parser.add_argument("--storage", default="core.localhost:10000", help="as in storage_endpoint of the printed lines")
    parser.add_argument("--folder", type=Path, default=HERE / "out", help="where data and downloads go")
    given = parser.parse_args()
    walk(connect(given.app, given.storage), given.folder)
