"""ml_client.jobs"""

import uuid

import pytest
from azure.ai.ml import Input
from azure.ai.ml.exceptions import JobException
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

FOLDER = "azureml://datastores/workspaceblobstore/paths/samples/breast-cancer/patients/"


@pytest.fixture
def job(client, heart):
    """A job that has just begun."""
    return client.batch_endpoints.invoke(endpoint_name=heart.name, input=Input(type="uri_folder", path=FOLDER))


@pytest.fixture(scope="module")
def failed(client, heart, tmp_path_factory):
    """A job whose one file is no input of the model; its name is in what the job logs."""
    folder = tmp_path_factory.mktemp("broken")
    name = f"{uuid.uuid4().hex}.csv"
    (folder / name).write_text("a,b\n1,2\n")
    made = client.batch_endpoints.invoke(endpoint_name=heart.name, input=Input(type="uri_folder", path=str(folder)))
    with pytest.raises(JobException):
        client.jobs.stream(made.name)
    return made.name, name


def test_get(client, heart, finished):
    job = client.jobs.get(finished)
    assert (job.name, job.status, job.type) == (finished, "Completed", "pipeline")
    assert job.experiment_name == heart.name
    assert job.tags["azureml.batchrun"] == "true"
    assert f"/jobs/{finished}?" in job.services["Studio"].endpoint
    assert job.creation_context.created_at is not None


def test_get_an_unknown_one(client):
    with pytest.raises(ResourceNotFoundError):
        client.jobs.get("nobody")


def test_list(client, finished):
    listed = {job.name: job for job in client.jobs.list()}
    assert listed[finished].status == "Completed"


def test_archive_and_restore(client, finished):
    names = lambda **views: [job.name for job in client.jobs.list(**views)]  # noqa: E731
    client.jobs.archive(finished)
    assert finished not in names()
    client.jobs.restore(finished)
    assert finished in names()


def test_stream_prints_what_the_job_logs(client, heart, tmp_path, sample_data, capsys):
    """The input's path is in the log: it has a random string."""
    output = uuid.uuid4().hex
    job = client.batch_endpoints.invoke(
        endpoint_name=heart.name,
        input=Input(type="uri_folder", path=FOLDER),
        params_override=[{"output_file_name": f"{output}.csv"}],
    )
    client.jobs.stream(job.name)
    printed = capsys.readouterr().out
    assert f"RunId: {job.name}" in printed
    assert output in printed
    assert "rows=171" in printed


def test_stream_of_a_job_that_fails(client, failed, capsys):
    name, file = failed
    with pytest.raises(JobException) as failure:
        client.jobs.stream(name)
    assert file in capsys.readouterr().out + str(failure.value)


def test_cancel(client, job):
    client.jobs.begin_cancel(job.name).result()
    assert client.jobs.get(job.name).status in ("CancelRequested", "Canceled", "Completed")


def test_children(client, finished):
    (child,) = client.jobs.list(parent_job_name=finished)
    assert child.properties["azureml.moduleName"] == "batchscoring"
    assert child.status == "Completed"
    assert child.display_name == "batchscoring"


def test_download_the_output_by_the_parent(client, finished, tmp_path):
    client.jobs.download(name=finished, output_name="score", download_path=tmp_path)
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 172


def test_download_without_a_name(client, finished, tmp_path):
    client.jobs.download(name=finished, download_path=tmp_path)
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 172


def test_download_all(client, finished, tmp_path):
    client.jobs.download(name=finished, download_path=tmp_path, all=True)
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 172


def test_download_by_the_child(client, finished, tmp_path):
    (child,) = client.jobs.list(parent_job_name=finished)
    client.jobs.download(name=child.name, output_name="score", download_path=tmp_path)
    assert len((tmp_path / "named-outputs" / "score" / "predictions.csv").read_text().splitlines()) == 172


def test_download_all_of_the_child_has_its_logs(client, finished, tmp_path):
    (child,) = client.jobs.list(parent_job_name=finished)
    client.jobs.download(name=child.name, download_path=tmp_path, all=True)
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert "named-outputs/score/predictions.csv" in files
    assert any(file.startswith("artifacts/") for file in files)


def test_show_services_finds_none(client, finished):
    assert client.jobs.show_services(finished) is None


def test_update(client, finished):
    client.jobs.update(finished, display_name="renamed", tags={"checked": "yes"})
    job = client.jobs.get(finished)
    assert (job.display_name, job.tags["checked"]) == ("renamed", "yes")


def test_delete_is_refused(client, finished):
    with pytest.raises(HttpResponseError) as refusal:
        client.jobs.begin_delete(finished).result()
    assert (refusal.value.status_code, refusal.value.error.code) == (405, "MethodNotAllowed")
    with pytest.raises(ResourceNotFoundError):
        client.jobs.begin_delete("nobody").result()
    assert client.jobs.get(finished).status == "Completed"


def test_the_times_of_a_child_can_be_subtracted(client, finished):
    runs = client.jobs._runs_operations._operation
    scope = (client.subscription_id, client.resource_group_name, client.workspace_name)
    (child,) = runs.get_child(*scope, finished)
    assert (child.last_modified_utc - child.created_utc).total_seconds() >= 0
    assert (child.status, child.display_name, child.parent_run_id) == ("Completed", "batchscoring", finished)
    assert set(child.services) >= {"Tracking", "Studio"}
