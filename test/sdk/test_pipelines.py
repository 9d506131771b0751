"""Pipelines of commands of a shell: components, jobs and deployments, in the forms that the client has for them."""

import pytest
from azure.ai.ml import Input, Output, command, dsl, load_component, load_job
from azure.ai.ml.entities import BatchEndpoint, Data, Environment, PipelineComponentBatchDeployment
from azure.ai.ml.entities._load_functions import load_pipeline_component_batch_deployment
from azure.core.exceptions import HttpResponseError

# Its image is one of Azure ML's own, so the app's Python stands in for it.
CURATED = Environment(image="mcr.microsoft.com/azureml/minimal-ubuntu20.04-py38-cpu-inference:latest")

PLACES = "azureml://datastores/workspaceblobstore/paths"

pytestmark = pytest.mark.filterwarnings("ignore:.*experimental")


@pytest.fixture
def folder(tmp_path):
    """A command, a graph of it and a job of the graph in YAML, with code beside them."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "note.sh").write_text('printf "%s %s" "$1" "$(ls "$2" | wc -l)" > "$3/note"\n')
    (tmp_path / "note.yml").write_text(
        f"""type: command
name: note
version: "1"
inputs:
  data: {{type: uri_folder}}
  word: {{type: string, default: files, enum: [files, things]}}
outputs:
  out: {{type: uri_folder}}
code: ./src
environment: {{image: "{CURATED.image}"}}
command: sh note.sh ${{{{inputs.word}}}} ${{{{inputs.data}}}} ${{{{outputs.out}}}}
"""
    )
    steps = """jobs:
  count:
    type: command
    component: ./note.yml
    inputs: {data: "${{parent.inputs.data}}", word: "${{parent.inputs.word}}"}
    outputs: {out: "${{parent.outputs.counted}}"}
  again:
    type: command
    component: ./note.yml
    inputs: {data: "${{parent.jobs.count.outputs.out}}"}
"""
    ports = "inputs: {data: {type: uri_folder}, word: {type: string, default: things}}\n"
    (tmp_path / "graph.yml").write_text(
        f"type: pipeline\nname: graph\nversion: '1'\n{ports}outputs: {{counted: {{type: uri_folder}}}}\n{steps}"
    )
    (tmp_path / "job.yml").write_text(
        f"""type: pipeline
display_name: Count files
inputs: {{data: {{type: uri_folder, path: {PLACES}/pipelines-data}}, word: files}}
outputs: {{counted: {{type: uri_folder}}}}
settings: {{default_compute: "azureml:cpu"}}
{steps}"""
    )
    return tmp_path


@pytest.fixture(scope="module")
def data(client, sample_data):
    """A folder of the sample as a data asset."""
    return client.data.create_or_update(Data(name="counted-files", path=str(sample_data), type="uri_folder"))


@pytest.fixture
def endpoint(client, name):
    yield client.batch_endpoints.begin_create_or_update(BatchEndpoint(name=name)).result().name
    client.batch_endpoints.begin_delete(name).result()


def text_of(client, job, output, folder):
    client.jobs.download(job.name, output_name=output, download_path=str(folder / job.name))
    return (folder / job.name / "named-outputs" / output / "note").read_text()


def ended(client, job):
    client.jobs.stream(job.name)
    return client.jobs.get(job.name)


def test_a_component_in_yaml_and_as_an_object(client, folder, name):
    written = load_component(folder / "note.yml")
    written.name = name
    first = client.components.create_or_update(written)
    assert (first.name, first.version, first.type) == (name, "1", "command")
    assert client.components.get(name, "1").inputs["word"]["enum"] == ["files", "things"]

    @dsl.pipeline()
    def counted(data: Input(type="uri_folder"), word: str = "things"):
        step = first(data=data, word=word)
        return {"counted": step.outputs.out}

    built = counted().component
    built.name, built.version = f"{name}_graph", "1"
    graph = client.components.create_or_update(built)
    assert (graph.type, list(graph.jobs)) == ("pipeline", ["step"])
    # The same again is the same component.
    assert client.components.create_or_update(client.components.get(graph.name, "1")).id == graph.id


def test_a_component_that_could_not_run_is_refused(client, folder, name):
    file = folder / "graph.yml"
    file.write_text(file.read_text().replace("parent.jobs.count.outputs", "parent.jobs.nobody.outputs"))
    graph = load_component(file)
    graph.name = name
    with pytest.raises(HttpResponseError) as refusal:
        client.components.create_or_update(graph)
    assert "jobs.again.inputs.data: the pipeline has no step 'nobody'" in refusal.value.message


def test_a_job_in_yaml(client, cpu, data, folder, name):
    job = load_job(folder / "job.yml")
    job.name = name
    job.inputs.data = Input(type="uri_folder", path=data.path)
    made = client.jobs.create_or_update(job, experiment_name="counting")
    assert (made.name, made.type, made.experiment_name, made.display_name) == (name, "pipeline", "counting", "Count files")
    assert set(made.jobs) == {"count", "again"}
    got = ended(client, made)
    assert (got.status, set(got.jobs), got.settings.default_compute) == ("Completed", {"count", "again"}, "cpu")
    assert text_of(client, got, "counted", folder).startswith("files ")
    children = {child.display_name: child for child in client.jobs.list(parent_job_name=name)}
    assert {shown: child.status for shown, child in children.items()} == {"count": "Completed", "again": "Completed"}
    assert name in {one.name for one in client.jobs.list()}
    client.jobs.archive(name)
    assert name not in {one.name for one in client.jobs.list()}
    client.jobs.restore(name)


def test_a_job_by_code_with_a_place_for_its_output(client, cpu, data, folder, name):
    note = load_component(folder / "note.yml")

    @dsl.pipeline(default_compute=cpu)
    def counted(data):
        step = note(data=data)
        return {"counted": step.outputs.out}

    job = counted(data=Input(type="uri_folder", path=f"azureml:{data.name}:{data.version}"))
    job.outputs.counted = Output(type="uri_folder", path=f"{PLACES}/{name}/counted")
    got = ended(client, client.jobs.create_or_update(job))
    assert got.status == "Completed"
    assert text_of(client, got, "counted", folder).startswith("files ")


def test_one_command(client, cpu, name, capsys):
    job = command(
        name=name,
        command="echo ${{inputs.text}}; echo ${{inputs.text}} > ${{outputs.out}}/note",
        inputs={"text": "it's $(here)"},
        outputs={"out": Output(type="uri_folder")},
        environment=CURATED,
        compute=cpu,
        experiment_name="commands",
    )
    made = client.jobs.create_or_update(job)
    assert (made.name, made.type, made.command) == (name, "command", job.command)
    got = ended(client, made)
    assert (got.status, got.experiment_name) == ("Completed", "commands")


def test_a_job_of_a_component(client, cpu, data, folder, name):
    graph = load_component(folder / "graph.yml")
    graph.name = name
    registered = client.components.create_or_update(graph)
    file = folder / "of-component.yml"
    file.write_text(f"type: pipeline\ncomponent: azureml:{name}:1\ninputs:\n  data: {{type: uri_folder, path: azureml:{data.name}:1}}\n")
    got = ended(client, client.jobs.create_or_update(load_job(file)))
    assert (got.status, registered.version) == ("Completed", "1")
    assert text_of(client, got, "counted", folder).startswith("things ")


def test_a_job_that_cannot_be_is_refused(client, cpu, data, folder):
    job = load_job(folder / "job.yml")
    job.inputs.data = Input(type="uri_folder", path=data.path)
    job.inputs.word = "words"
    with pytest.raises(HttpResponseError) as refusal:
        client.jobs.create_or_update(job)
    assert refusal.value.status_code == 400
    assert "jobs.count.inputs.word: must be one of files, things, not 'words'" in refusal.value.message


def test_deployments_of_a_component_and_of_a_job(client, cpu, data, folder, endpoint):
    graph = load_component(folder / "graph.yml")
    graph.name = endpoint
    of_component = PipelineComponentBatchDeployment(
        name="graph",
        endpoint_name=endpoint,
        component=client.components.create_or_update(graph),
        settings={"default_compute": cpu, "continue_on_step_failure": "false"},
    )
    got = client.batch_deployments.begin_create_or_update(of_component).result()
    assert got.component.endswith(f"/components/{endpoint}/versions/1")
    assert got.settings == {"default_compute": cpu, "continue_on_step_failure": "false"}

    job = load_job(folder / "job.yml")
    job.inputs.data = Input(type="uri_folder", path=data.path)
    made = client.jobs.create_or_update(job)
    file = folder / "deployment.yml"
    file.write_text(
        f"type: pipeline\nname: job\nendpoint_name: {endpoint}\njob_definition: azureml:{made.name}\n"
        f"settings: {{default_compute: {cpu}}}\n"
    )
    client.batch_deployments.begin_create_or_update(load_pipeline_component_batch_deployment(file)).result()
    assert {one.name for one in client.batch_deployments.list(endpoint)} == {"graph", "job"}

    stored = client.batch_endpoints.get(endpoint)
    stored.defaults = {"deployment_name": "graph"}
    client.batch_endpoints.begin_create_or_update(stored).result()
    invoked = client.batch_endpoints.invoke(
        endpoint_name=endpoint,
        inputs={
            "data": Input(type="uri_folder", path=data.path),
            "word": Input(type="string", default="files"),
        },
        outputs={"counted": Output(type="uri_folder", path=f"{PLACES}/{endpoint}/counted")},
    )
    assert ended(client, invoked).status == "Completed"
    assert text_of(client, invoked, "counted", folder).startswith("files ")

    # What the job was given stands for what nobody gives.
    bare = client.batch_endpoints.invoke(endpoint_name=endpoint, deployment_name="job")
    assert ended(client, bare).status == "Completed"
    assert text_of(client, bare, "counted", folder).startswith("files ")
    assert {one.name for one in client.batch_endpoints.list_jobs(endpoint_name=endpoint)} == {invoked.name, bare.name}
    assert [one.name for one in client.batch_deployments.list_jobs(endpoint_name=endpoint, name="job")] == [bare.name]


def test_the_input_of_a_step_cannot_be_given(client, cpu, data, folder, endpoint):
    graph = load_component(folder / "graph.yml")
    graph.name = endpoint
    deployment = PipelineComponentBatchDeployment(name="graph", endpoint_name=endpoint, component=graph)
    client.batch_deployments.begin_create_or_update(deployment).result()
    with pytest.raises(HttpResponseError) as refusal:
        client.batch_endpoints.invoke(
            endpoint_name=endpoint,
            deployment_name="graph",
            inputs={"data": Input(type="uri_folder", path=data.path), "again": Input(type="string", default="x")},
        )
    assert "is no input of the pipeline (it has data, word)" in str(refusal.value)
