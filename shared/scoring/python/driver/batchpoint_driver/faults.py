"""How faults of the user's code are told: one line for the job, the traceback for its log."""

import os
import sys
import traceback

_HERE = os.path.dirname(os.path.abspath(__file__))
_LONGEST = 300


class ResultFault(Exception):
    """What the code returned cannot be written. The message says what to return instead."""


class StartFault(Exception):
    """The code or the model cannot be started. The message says what to do."""


def one_line(text, longest=_LONGEST):
    line = " ".join(str(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "\u2026"


def quoted(text):
    """A name or value of the user for a message."""
    return "'%s'" % one_line(text, 40)


def describe(error, folder):
    """`ValueError: no such column (driver.py, line 12)`: the innermost line that lies in the user's folder."""
    said = type(error).__name__
    try:
        text = one_line(error)
    except Exception:
        text = ""
    if text:
        said = "%s: %s" % (said, text)
    place = None
    if isinstance(error, SyntaxError) and error.filename:
        place = (error.filename, error.lineno)
    else:
        for frame, line in traceback.walk_tb(error.__traceback__):
            if _lies_in(frame.f_code.co_filename, folder):
                place = (frame.f_code.co_filename, line)
    if place is None:
        return said
    name = os.path.relpath(place[0], folder) if _lies_in(place[0], folder) else os.path.basename(place[0])
    return "%s (%s, line %s)" % (said, name, place[1])


def print_traceback(error):
    """To standard error, without the driver's own frames."""
    trace = error.__traceback__
    while trace is not None and _lies_in(trace.tb_frame.f_code.co_filename, _HERE):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace, file=sys.stderr)


def _lies_in(path, folder):
    # Code in C names itself by relative paths, which are none of this machine.
    return os.path.isabs(path) and os.path.abspath(path).startswith(os.path.join(os.path.abspath(folder), ""))
