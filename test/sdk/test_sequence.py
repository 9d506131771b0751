"""README's "Use it from Python", as it stands there, in a Python of its own."""

import os
import re
import subprocess
import sys
import time

import pytest
from conftest import ROOT, SETUP

SECONDS = 15

# Whatever warns once the client is imported ends the program; logged warnings go to stderr.
STRICT = """
import logging, warnings
logging.basicConfig(level="WARNING")
warnings.simplefilter("error")
warnings.simplefilter("ignore", DeprecationWarning)
"""


def snippet():
    section = (ROOT / "README.md").read_text().split("### Use it from Python", 1)[1]
    return re.search(r"```python\n(.*?)```", section, re.S)[1]


def is_import(line):
    return line.startswith(("from ", "import "))


def is_setup(line):
    return line.startswith(("cloud = ", "workspace = ", "ml_client = "))


def test_the_three_lines_of_the_readme_are_the_printed_ones():
    def lines(text):
        without_ports = re.sub(r"localhost:\d+", "localhost:PORT", text)
        return [line.replace(" ", "") for line in without_ports.splitlines() if is_setup(line)]

    assert len(lines(SETUP)) == 3
    assert lines(snippet()) == lines(SETUP)


@pytest.fixture
def folder(tmp_path):
    """Where the snippet finds the examples and leaves its output."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    return tmp_path


def test_the_snippet_of_the_readme_runs_in_time_without_a_warning_or_a_retry(app_log, folder, capsys):
    lines = snippet().splitlines()
    body = [line for line in lines if not is_import(line) and not is_setup(line)]
    program = [*filter(is_import, lines), STRICT, *filter(is_setup, SETUP.splitlines()), *body]
    (folder / "snippet.py").write_text("\n".join(program))
    # This process's own client has left it there, and a fresh one would look for that cloud while it is imported.
    env = {name: value for name, value in os.environ.items() if name != "AZUREML_CURRENT_CLOUD"}
    began = time.monotonic()
    run = [sys.executable, "snippet.py"]
    done = subprocess.run(run, cwd=folder, env=env, capture_output=True, text=True, timeout=120)
    seconds = time.monotonic() - began
    requests = app_log.requests()
    with capsys.disabled():
        print(f"\nREADME's snippet: {seconds:.1f} s, {len(requests)} requests to the app")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stderr.splitlines() if re.match("WARNING|ERROR", line)] == []
    assert len((folder / "out" / "predictions.csv").read_text().splitlines()) == 172
    assert seconds < SECONDS
    # A retry would be a second request of the same kind within the client, after a fault that is not "not there yet".
    assert [request for request in requests if request[2] >= 400 and request[2] != 404] == []
