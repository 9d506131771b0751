"""cloud_metadata["aml_resource_id"]: the client asks for a token of the app's own audience (docs/security.md)."""

import os
import subprocess
import sys

from conftest import SETUP

INVOKE = """
import sys
from azure.ai.ml import Input
job = ml_client.batch_endpoints.invoke(endpoint_name=sys.argv[1], input=Input(type="uri_folder", path=sys.argv[2]))
ml_client.jobs.stream(job.name)
print("status:", ml_client.jobs.get(job.name).status.value)
"""


def test_the_client_asks_for_the_apps_own_audience(heart, sample_data):
    """In a process of its own, because the client keeps its cloud for the whole process."""
    own = SETUP.replace('"https://ml.azure.com"', '"api://batchpoint"')
    assert own != SETUP
    environment = {name: value for name, value in os.environ.items() if name != "AZUREML_CURRENT_CLOUD"}
    command = [sys.executable, "-c", own + INVOKE, heart.name, str(sample_data)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert run.stdout.strip().endswith("status: Completed"), run.stdout + run.stderr
