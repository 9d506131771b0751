"""ml_client.models, .data, .environments, .components: what is registered once and referred to by name and version."""

import pytest
from azure.ai.ml import load_component, load_data, load_environment, load_model
from azure.ai.ml.entities import Data, Environment, Model
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError

COMPONENT = """
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: {name}
version: "{version}"
display_name: Adds
type: command
inputs:
  number: {{type: integer, default: 1}}
command: echo ${{{{inputs.number}}}}
environment: azureml:AzureML-Minimal:1
"""


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "folder"
    (made / "below").mkdir(parents=True)
    (made / "a.csv").write_text("a\n1\n")
    (made / "below" / "b.csv").write_text("a\n2\n")
    return made


def model(name, sample_model, **more):
    return Model(name=name, path=str(sample_model), type="mlflow_model", **more)


def component(tmp_path, name, version):
    file = tmp_path / f"{name}-{version}.yml"
    file.write_text(COMPONENT.format(name=name, version=version))
    return load_component(file)


def kinds(client):
    return {
        "models": client.models,
        "data": client.data,
        "environments": client.environments,
        "components": client.components,
    }


@pytest.fixture(params=["models", "data", "environments", "components"])
def kind(request, client, name, folder, sample_model, tmp_path):
    """The operations of a kind of asset, and how to make a version of one."""
    make = {
        "models": lambda version: model(name, sample_model, version=version),
        "data": lambda version: Data(name=name, version=version, path=str(folder), type="uri_folder"),
        "environments": lambda version: Environment(name=name, version=version, image="ubuntu:24.04"),
        "components": lambda version: component(tmp_path, name, version),
    }[request.param]
    return kinds(client)[request.param], make


def test_create_get_and_list(kind, name):
    operations, make = kind
    for version in ("1", "2"):
        made = operations.create_or_update(make(version))
        assert (made.name, made.version) == (name, version)
    assert operations.get(name, version="1").id.endswith(f"/{name}/versions/1")
    assert sorted(one.version for one in operations.list(name=name)) == ["1", "2"]
    assert name in [one.name for one in operations.list()]


def test_the_label_latest(kind, name):
    operations, make = kind
    for version in ("1", "2"):
        operations.create_or_update(make(version))
    assert operations.get(name, label="latest").version == "2"


def test_archive_and_restore(kind, name):
    operations, make = kind
    operations.create_or_update(make("1"))
    operations.archive(name, version="1")
    assert [one.version for one in operations.list(name=name)] == []
    operations.restore(name, version="1")
    assert [one.version for one in operations.list(name=name)] == ["1"]


def test_an_unknown_one(kind):
    operations, _make = kind
    with pytest.raises(ResourceNotFoundError):
        operations.get("nobody", version="1")


@pytest.mark.parametrize("what", ["models", "data"])
def test_without_a_version_the_next_one(client, what, name, folder, sample_model):
    operations = kinds(client)[what]
    make = {
        "models": lambda: model(name, sample_model),
        "data": lambda: Data(name=name, path=str(folder), type="uri_folder"),
    }[what]
    assert [operations.create_or_update(make()).version for _ in range(2)] == ["1", "2"]


def test_an_environment_without_a_version_is_a_new_one_when_it_differs(client, name):
    images = ["ubuntu:24.04", "ubuntu:24.04", "debian:13"]
    made = [client.environments.create_or_update(Environment(name=name, image=image)).version for image in images]
    assert made == ["1", "1", "2"]


def test_a_model_comes_back_whole(client, name, sample_model):
    made = client.models.create_or_update(
        model(name, sample_model, version="1", description="d", tags={"a": "b"}, properties={"c": "d"})
    )
    got = client.models.get(name, version="1")
    assert (got.type, got.description, got.tags) == ("mlflow_model", "d", {"a": "b"})
    assert got.properties.items() >= {"c": "d"}.items()
    assert got.path == made.path


def test_the_same_model_again_and_another_one(client, name, sample_model, folder):
    client.models.create_or_update(model(name, sample_model, version="1"))
    client.models.create_or_update(model(name, sample_model, version="1"))
    with pytest.raises((HttpResponseError, ResourceExistsError), match=name):
        client.models.create_or_update(Model(name=name, version="1", path=str(folder), type="custom_model"))


def test_a_data_file(client, name, folder):
    made = client.data.create_or_update(Data(name=name, version="1", path=str(folder / "a.csv"), type="uri_file"))
    assert made.path.endswith("/a.csv")
    assert client.data.get(name, version="1").type == "uri_file"


def test_download_a_component(client, name, tmp_path):
    client.environments.create_or_update(Environment(name="AzureML-Minimal", version="1", image="ubuntu:24.04"))
    made = client.components.create_or_update(component(tmp_path, name, "1"))
    client.components.download(name, tmp_path / "out", version=made.version)
    assert [file.name for file in (tmp_path / "out").rglob("*.y*ml")] != []


def test_download_a_model(client, name, sample_model, tmp_path):
    client.models.create_or_update(model(name, sample_model, version="1"))
    client.models.download(name, version="1", download_path=tmp_path)
    found = {file.name: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert found["model.onnx"] == (sample_model / "model.onnx").read_bytes()


@pytest.mark.parametrize(
    "load, operations, text",
    [
        (load_model, "models", "name: x\nversion: 1\npath: {path}\ntype: custom_model\n"),
        (load_data, "data", "name: x\nversion: 1\npath: {path}\ntype: uri_folder\n"),
        (load_environment, "environments", "name: x\nversion: 1\nimage: ubuntu:24.04\n"),
    ],
    ids=["model", "data", "environment"],
)
def test_from_a_file_with_params_override(client, name, folder, tmp_path, load, operations, text):
    file = tmp_path / "asset.yml"
    file.write_text(text.format(path=folder))
    made = kinds(client)[operations].create_or_update(load(file, params_override=[{"name": name}]))
    assert (made.name, made.version) == (name, "1")


def test_the_generic_call(client, name, sample_model):
    for asset in (model(name, sample_model, version="1"), Environment(name=name, version="1", image="ubuntu:24.04")):
        made = client.create_or_update(asset)
        assert (made.name, made.version) == (name, "1")


def test_code_is_uploaded_once(client, name, tmp_path):
    from azure.ai.ml.entities._assets import Code

    (tmp_path / "score.py").write_text(f"# {name}\n")
    made = client._code.create_or_update(Code(path=str(tmp_path)))
    again = client._code.create_or_update(Code(path=str(tmp_path)))
    assert made.id == again.id
