"""Looks at a scoring script without running it."""

import ast
import os
import sys

from .faults import one_line

REFUSED = 3


def main(path):
    """Prints one line and ends with REFUSED when the script cannot be a scoring script."""
    reason = fault_of(path)
    if reason is not None:
        sys.stdout.write(reason)
        sys.exit(REFUSED)


def fault_of(path):
    name = os.path.basename(path)
    with open(path, "rb") as file:
        source = file.read()
    try:
        tree = ast.parse(source, filename=name)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        place = name if line is None else "%s, line %s" % (name, line)
        said = one_line(getattr(error, "msg", None) or error)
        version = "%d.%d" % sys.version_info[:2]
        return "%s: Python %s cannot read it: %s. Correct the line and upload the code again." % (place, version, said)
    defined = _names(tree)
    if "*" in defined:
        return None
    for wanted in ("init()", "run(mini_batch)"):
        if wanted.split("(")[0] not in defined:
            return "%s: it has no %s. A scoring script defines init() and run(mini_batch)." % (name, wanted)
    return None


def _names(tree):
    """Names that the module may define, wherever in it; `*` when it imports what cannot be known here."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name)
    return names
