"""docs/compatibility.md says what the table says, of every method there is, and every test that it names exists."""

import ast
import re
from pathlib import Path

from compatibility import ALL, ROWS, render, written

HERE = Path(__file__).parent


def methods_of(operations):
    return {name for name in dir(operations) if not name.startswith("_") and callable(getattr(operations, name))}


def methods_of_the_client(client):
    """Each method, as (operations, method)."""
    groups = {
        name: getattr(client, name) for name in dir(client) if not name.startswith("_") and not name.startswith("R_")
    }
    found = {
        (name, method)
        for name, operations in groups.items()
        if type(operations).__name__.endswith("Operations")
        for method in methods_of(operations)
    }
    return found | {("MLClient", name) for name in ("begin_create_or_update", "create_or_update", "from_config")}


def test_every_method_of_the_client_has_a_row(client):
    rows = {(group, method) for group, methods, *_ in ROWS for method in methods.split(", ")}
    methods = methods_of_the_client(client)
    missing = {one for one in methods if one not in rows and (one[0], ALL) not in rows}
    unknown = {one for one in rows if one not in methods and one[1] != ALL}
    assert (missing, unknown) == (set(), set())


def test_every_test_of_the_table_exists():
    def defined(file):
        return {node.name for node in ast.parse((HERE / file).read_text()).body if isinstance(node, ast.FunctionDef)}

    assert [test for *_, test, _remark in ROWS if test[1] not in defined(test[0])] == []


def test_the_document_shows_the_table():
    def cells(table):
        return [[cell.strip() for cell in line.split("|")] for line in table.splitlines() if not re.match(r"\|[ :-]+\|", line)]

    assert cells(written()) == cells(render())
