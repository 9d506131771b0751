"""README's "Use it from Python", as it stands there, in a Python of its own."""

import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from conftest import ROOT, SETUP

SECONDS = 15


def snippet():
    text = (ROOT / "README.md").read_text()
    section = text.split("### Use it from Python", 1)[1]
    return re.search(r"```python\n(.*?)```", section, re.S)[1]


def program(body):
    """The printed set-up, then the snippet; whatever warns after the imports ends it."""
    strict = "import warnings; warnings.simplefilter('error'); import logging; logging.basicConfig(level='WARNING')"
    imports = [line for line in body.splitlines() if line.startswith(("from ", "import "))]
    rest = [line for line in body.splitlines() if not line.startswith(("from ", "import ", "cloud", "workspace", "ml_client ="))]
    printed = SETUP.splitlines()
    own = [line for line in printed if line.startswith("from ")]
    setup = [line for line in printed if not line.startswith("from ")]
    return "\n".join([*own, *imports, strict, *setup, *rest])


def test_the_snippet_of_the_readme_runs_in_time_without_a_warning_or_a_retry(app_log, tmp_path):
    script = tmp_path / "snippet.py"
    script.write_text(program(snippet()))
    began = time.monotonic()
    done = subprocess.run([sys.executable, script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    seconds = time.monotonic() - began
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.strip() == "" or "Uploading" in done.stderr, done.stderr
    requests = app_log.requests()
    print(f"{seconds:.1f} s, {len(requests)} requests")
    assert [request for request in requests if request[2] >= 400 and request[2] != 404] == []
    assert seconds < SECONDS
    assert (ROOT / "out").exists() is False
