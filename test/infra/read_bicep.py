"""Prints the syntax trees of Bicep files as one JSON object by path; a file that does not parse ends it with the parser's words."""

import json
import sys
from pathlib import Path

from pycep import BicepParser

folder = Path(sys.argv[1])
parser = BicepParser()
trees = {path.relative_to(folder).as_posix(): parser.parse(file_path=path) for path in sorted(folder.rglob("*.bicep"))}
json.dump(trees, sys.stdout)
