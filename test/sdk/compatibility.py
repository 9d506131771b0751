"""One table of the client's methods: what works, what differs, what is refused, and the test that shows it.

    python test/sdk/compatibility.py        # writes the table into docs/compatibility.md
"""

from pathlib import Path

DOC = Path(__file__).parents[2] / "docs" / "compatibility.md"
BEGIN, END = "<!-- methods: begin -->", "<!-- methods: end -->"

WORKS, DIFFERS, REFUSED = "works", "differs", "refused"
ALL = "*"

ENDPOINTS, DEPLOYMENTS, INVOKE = "test_endpoints.py", "test_deployments.py", "test_invoke.py"
CODE, PIPELINES = "test_code.py", "test_pipelines.py"
ASSETS, WORKSPACE, JOBS, REFUSALS = "test_assets.py", "test_workspace.py", "test_jobs.py", "test_refusals.py"

DATASTORES, ELSEWHERE = "test_datastores.py", "test_not_here.py"
ABSENT = (ELSEWHERE, "test_the_app_says_that_it_is_not_here")
BY_THE_CLIENT = (ELSEWHERE, "test_the_client_refuses_by_itself")
ONLINE = (REFUSALS, "test_online_endpoints")

# Operations, methods, verdict, test, remark.
ROWS = [
    ("batch_endpoints", "begin_create_or_update", WORKS, (ENDPOINTS, "test_create_and_get"), ""),
    ("batch_endpoints", "get", WORKS, (ENDPOINTS, "test_create_and_get"), ""),
    ("batch_endpoints", "list", WORKS, (ENDPOINTS, "test_list"), ""),
    ("batch_endpoints", "begin_delete", WORKS, (ENDPOINTS, "test_delete"), "refused while a job runs"),
    ("batch_endpoints", "invoke", WORKS, (INVOKE, "test_a_folder_as_input"), "inputs, outputs, overrides: test_invoke.py"),
    ("batch_endpoints", "list_jobs", WORKS, (ENDPOINTS, "test_jobs_of_an_endpoint"), ""),
    ("batch_deployments", "begin_create_or_update", DIFFERS, (CODE, "test_a_scoring_script_scores"),
     "scoring scripts run in the Python that the app's settings name, not in images"),
    ("batch_deployments", "get", WORKS, (DEPLOYMENTS, "test_create_from_an_object"), ""),
    ("batch_deployments", "list", WORKS, (DEPLOYMENTS, "test_list"), ""),
    ("batch_deployments", "begin_delete", WORKS, (DEPLOYMENTS, "test_delete_the_default_one"),
     "without its default deployment the endpoint has none"),
    ("batch_deployments", "list_jobs", WORKS, (DEPLOYMENTS, "test_jobs_of_a_deployment"), ""),
    ("jobs", "get", WORKS, (JOBS, "test_get"), ""),
    ("jobs", "list", WORKS, (JOBS, "test_list"), "the client itself ignores `max_results` without a parent"),
    ("jobs", "stream", WORKS, (JOBS, "test_stream_prints_what_the_job_logs"), ""),
    ("jobs", "begin_cancel", WORKS, (JOBS, "test_cancel"), ""),
    ("jobs", "archive", WORKS, (JOBS, "test_archive_and_restore"), ""),
    ("jobs", "restore", WORKS, (JOBS, "test_archive_and_restore"), ""),
    ("jobs", "download", WORKS, (JOBS, "test_download_the_output_by_the_parent"), ""),
    ("jobs", "update", WORKS, (JOBS, "test_update"), ""),
    ("jobs", "show_services", WORKS, (JOBS, "test_show_services_finds_none"), "there are no nodes, so none"),
    ("jobs", "begin_delete", REFUSED, (JOBS, "test_delete_is_refused"), "405: archive it"),
    ("jobs", "create_or_update", DIFFERS, (PIPELINES, "test_a_job_in_yaml"), "pipelines and commands; no sweeps, AutoML or Spark"),
    ("jobs", "validate", WORKS, (ELSEWHERE, "test_validate_a_job"), "runs in the client alone"),
    ("models", "create_or_update", WORKS, (ASSETS, "test_a_model_comes_back_whole"), ""),
    ("models", "get", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("models", "list", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("models", "archive", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("models", "restore", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("models", "download", WORKS, (ASSETS, "test_download_a_model"), ""),
    ("models", "package, share", REFUSED, ABSENT, "no registries"),
    ("data", "create_or_update", WORKS, (ASSETS, "test_a_data_file"), ""),
    ("data", "get", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("data", "list", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("data", "archive", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("data", "restore", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("data", "import_data, share", REFUSED, ABSENT, "no data imports, no registries"),
    ("data", "list_materialization_status, mount", REFUSED, BY_THE_CLIENT, "the client's own fault; private packages"),
    ("environments", "create_or_update", WORKS, (ASSETS, "test_create_get_and_list"), "images are not run"),
    ("environments", "get", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("environments", "list", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("environments", "archive", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("environments", "restore", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("environments", "share", REFUSED, ABSENT, "no registries"),
    ("components", "create_or_update", WORKS, (PIPELINES, "test_a_component_in_yaml_and_as_an_object"), "command, parallel with a deployment, pipeline"),
    ("components", "get", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("components", "list", WORKS, (ASSETS, "test_create_get_and_list"), ""),
    ("components", "archive", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("components", "restore", WORKS, (ASSETS, "test_archive_and_restore"), ""),
    ("components", "validate", WORKS, (ELSEWHERE, "test_validate_a_component"), "runs in the client alone"),
    ("components", "prepare_for_sign", WORKS, (ELSEWHERE, "test_prepare_a_component_for_signing"), "runs in the client alone"),
    ("components", "download", WORKS, (ASSETS, "test_download_a_component"), ""),
    ("datastores", "get", DIFFERS, (DATASTORES, "test_get_with_its_secret_and_list"), "the secret is a short SAS"),
    ("datastores", "get_default", WORKS, (DATASTORES, "test_the_default_one"), ""),
    ("datastores", "list", WORKS, (DATASTORES, "test_get_with_its_secret_and_list"), ""),
    ("datastores", "create_or_update", DIFFERS, (DATASTORES, "test_create_update_and_delete"),
     "blob containers of accounts in the settings; credentials are not kept"),
    ("datastores", "delete", WORKS, (DATASTORES, "test_create_update_and_delete"), "not those of the settings"),
    ("datastores", "mount", REFUSED, BY_THE_CLIENT, "needs a private package"),
    ("compute", "begin_create_or_update", WORKS, (WORKSPACE, "test_create_and_get_a_compute"),
     "a limit of instances, no machines"),
    ("compute", "begin_update", WORKS, (WORKSPACE, "test_update_a_compute"), ""),
    ("compute", "begin_delete", WORKS, (WORKSPACE, "test_delete_a_compute"), ""),
    ("compute", "get", WORKS, (WORKSPACE, "test_create_and_get_a_compute"), ""),
    ("compute", "list", WORKS, (WORKSPACE, "test_create_and_get_a_compute"), ""),
    ("compute", "list_nodes", WORKS, (WORKSPACE, "test_a_compute_has_no_nodes"), "there are none"),
    ("compute", "begin_attach, begin_restart, begin_start, begin_stop, enable_sso, list_sizes, list_usage", REFUSED,
     ABSENT, "no machines"),
    ("workspaces", "get", WORKS, (WORKSPACE, "test_the_workspace"), ""),
    ("workspaces", "begin_create, begin_delete, begin_diagnose, begin_provision_network, begin_sync_keys, begin_update, "
     "get_keys, list", REFUSED, ABSENT, "the app is one workspace"),
    ("MLClient", "begin_create_or_update", WORKS, (DEPLOYMENTS, "test_the_generic_call"), "takes no datastores"),
    ("MLClient", "create_or_update", WORKS, (ASSETS, "test_the_generic_call"), "datastores: test_datastores.py"),
    ("MLClient", "from_config", WORKS, (ELSEWHERE, "test_a_client_from_a_file"), ""),
    ("online_endpoints", ALL, REFUSED, ONLINE, "501"),
    ("online_deployments", ALL, REFUSED, ONLINE, "501"),
    ("schedules", ALL, REFUSED, ABSENT, "see docs/triggered-scoring.md"),
    ("connections", ALL, REFUSED, ABSENT, ""),
    ("serverless_endpoints", ALL, REFUSED, ABSENT, ""),
    ("marketplace_subscriptions", ALL, REFUSED, ABSENT, ""),
    ("deployment_templates", ALL, REFUSED, BY_THE_CLIENT, "of registries"),
    ("evaluators", ALL, WORKS, (ELSEWHERE, "test_an_evaluator_is_a_model"), "models with a property"),
] + [
    (name, ALL, REFUSED, ABSENT, "")
    for name in (
        "azure_openai_deployments capability_hosts feature_sets feature_store_entities feature_stores indexes registries "
        "workspace_outbound_rules"
    ).split()
]


def cells(group, methods, verdict, place, remark):
    """A row as it is shown."""
    names = "all" if methods == ALL else ", ".join(f"`{method}`" for method in methods.split(", "))
    file, test = place
    return [f"`{group}`", names, verdict, f"`{test}` in {file}", remark]


def render():
    """The table, its columns padded as prettier would."""
    shown = [["operations", "method", "verdict", "test", "remark"], *(cells(*row) for row in ROWS)]
    widths = [max(len(row[column]) for row in shown) for column in range(5)]

    def line(texts):
        return "| " + " | ".join(texts) + " |"

    padded = [line(text.ljust(width) for text, width in zip(row, widths)) for row in shown]
    return "\n".join([padded[0], line("-" * width for width in widths), *padded[1:]])


def with_table(text):
    """The document with the table between its markers, whatever stood there; all else stays."""
    if (text.count(BEGIN), text.count(END)) != (1, 1):
        raise ValueError(f"the document must have {BEGIN} and {END} once each")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{render()}\n\n{END}{after}"


if __name__ == "__main__":
    DOC.write_text(with_table(DOC.read_text()))
