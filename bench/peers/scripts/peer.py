"""Runs a peer's script again and again, so that starting Python and importing libraries is not measured.

Run: python peer.py MODULE   (STORAGE: connection string, CONTAINER: its container). Each line of stdin is a task as JSON; the
answer is a line of JSON with the rows that were scored.
"""

import importlib
import json
import os
import signal
import sys

# Libraries print, too: what they print goes to stderr, and stdout has answers only.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
# An ordinary end, so that Ray ends its processes.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

script = importlib.import_module(sys.argv[1])
for line in sys.stdin:
    rows = script.score(**json.loads(line))
    print(json.dumps({"rows": rows}), file=answers, flush=True)
