"""Prints results byte for byte as Azure ML's append_row does: a DataFrame between single spaces without header and index
(pandas' own writer), of anything else str() of each item on a line of its own."""

from .kinds import is_frame
from .table import PREDICTION


def write_azureml(result, chosen, parts):
    for item in [result] if is_frame(result) else result:
        if is_frame(item):
            _write_frame(item, chosen, parts)
        else:
            parts.columns([PREDICTION])
            parts.write(str(item) + "\n")


def _write_frame(frame, chosen, parts):
    if chosen is not None:
        frame = frame.reindex(columns=chosen)
    if len(frame):
        parts.columns([str(name) for name in frame.columns])
        frame.to_csv(parts, sep=" ", header=False, index=False)
