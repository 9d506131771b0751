"""docs/compatibility.md says what the table says, of every method there is, and every test that it names exists."""

import ast
from pathlib import Path

import pytest
import test_not_here
from compatibility import ABSENT, ALL, BEGIN, BY_THE_CLIENT, DOC, END, ROWS, cells, render, with_table

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


def test_each_refused_method_is_called():
    """Where a row stands for all methods of its operations, one of them."""
    called = {(group, method) for group, method, *_ in [*test_not_here.BY_THE_APP, *test_not_here.BY_THE_CLIENT]}
    asked = [(group, method) for group, methods, _, place, _ in ROWS if place in (ABSENT, BY_THE_CLIENT) for method in methods.split(", ")]
    missing = [one for one in asked if one not in called and not (one[1] == ALL and one[0] in {group for group, _ in called})]
    assert missing == []


def test_the_document_has_each_row_once():
    def row(line):
        return [cell.strip() for cell in line.strip("|").split("|")]

    groups = {f"`{group}`" for group, *_ in ROWS}
    shown = [row(line) for line in DOC.read_text().splitlines() if line.startswith("|") and row(line)[0] in groups]
    assert shown == [cells(*each) for each in ROWS]


def test_the_document_is_what_the_generator_writes():
    text = DOC.read_text()
    assert with_table(text) == text


@pytest.mark.parametrize("stale", ["", "x", "\n\n| operations |\n| --- |\n\n"], ids=["nothing", "a letter", "a table"])
def test_only_what_is_between_the_markers_is_replaced(stale):
    """The letter was replaced all over the document once."""
    text = with_table(f"an x before {BEGIN}{stale}{END} an x after")
    assert text == f"an x before {BEGIN}\n\n{render()}\n\n{END} an x after"
    assert with_table(text) == text


@pytest.mark.parametrize("text", ["", BEGIN, END, f"{BEGIN}{END}{BEGIN}{END}"], ids=["none", "begin", "end", "twice"])
def test_a_document_without_its_markers_is_refused(text):
    with pytest.raises(ValueError, match="once each"):
        with_table(text)
