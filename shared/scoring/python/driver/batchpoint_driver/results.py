"""What run() returns, as rows of the output."""

from .azureml import write_azureml
from .kinds import is_array, is_frame, is_series, plain
from .parts import Parts
from .summary import summarize
from .table import TableWriter


def write_result(result, request, channel):
    """Sends the rows of a result. Returns how many results there were, and with summaryOnly the first of them as text."""
    result = plain(result)
    if request["summaryOnly"]:
        return summarize(result, len(request["paths"]))
    parts = Parts(channel)
    if request["outputFormat"] == "azureml":
        write_azureml(result, request.get("outputColumns"), parts)
    else:
        _write_table(result, TableWriter(parts, request.get("outputColumns")))
    parts.flush()
    return parts.rows, []


def _write_table(result, writer):
    if is_frame(result):
        writer.frame(result)
    elif is_series(result):
        writer.series(result)
    elif is_array(result):
        writer.array(result)
    else:
        for number, item in enumerate(result):
            # A script may give the rows of a file at a time.
            if is_frame(item):
                writer.frame(item)
            else:
                writer.item(number, item)
