"""What the app refuses, and what the client itself refuses, each with the form that works."""

import pytest
from azure.ai.ml import Input
from azure.ai.ml.entities import (
    BatchDeployment,
    ManagedOnlineEndpoint,
    Pipeline,
    PipelineComponentBatchDeployment,
    PipelineJob,
)
from azure.core.exceptions import HttpResponseError


def test_an_online_endpoint(client, name):
    with pytest.raises(HttpResponseError) as refusal:
        client.online_endpoints.begin_create_or_update(ManagedOnlineEndpoint(name=name, auth_mode="key")).result()
    assert (refusal.value.status_code, refusal.value.error.code) == (501, "NotImplemented")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: list(client.online_endpoints.list()),
        lambda client: client.online_endpoints.get("some"),
        lambda client: list(client.online_deployments.list("some")),
    ],
    ids=["list endpoints", "get an endpoint", "list deployments"],
)
def test_online_endpoints(client, call):
    with pytest.raises(HttpResponseError) as refusal:
        call(client)
    assert refusal.value.status_code == 501


@pytest.mark.filterwarnings("ignore:This class is intended as a base class")
def test_the_client_refuses_a_pipeline_in_a_batch_deployment():
    """Works: PipelineComponentBatchDeployment(component=...)."""
    with pytest.raises(TypeError):
        BatchDeployment(name="blue", endpoint_name="heart", pipeline="azureml:my-pipeline:1")
    assert PipelineComponentBatchDeployment(name="blue", endpoint_name="heart", component="azureml:my-pipeline:1")


def test_the_client_refuses_jobs_in_a_pipeline():
    """Works: the decorator azure.ai.ml.dsl.pipeline, or PipelineJob(jobs=...)."""
    with pytest.raises(TypeError, match="component"):
        Pipeline(jobs={})
    assert PipelineJob(jobs={}).type == "pipeline"


def test_the_client_refuses_an_input_of_another_type(client, heart):
    """Works: `inputs=` with a name, or the types uri_folder and uri_file."""
    with pytest.raises(Exception, match="Unsupported input type"):
        client.batch_endpoints.invoke(endpoint_name=heart.name, input=Input(type="mltable", path="https://a/b"))
