"""The life of a worker: start, requests one after another, end."""

import faulthandler
import signal
import sys

from .channel import Channel, FrameTooLong
from .faults import ResultFault, StartFault, print_traceback
from .pyfunc import Pyfunc
from .script import Script

KINDS = {"script": Script, "pyfunc": Pyfunc}


def main():
    channel = Channel()
    # A fault in native code, and a run that took too long, leave in the log where they were.
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    start = channel.receive()
    channel.folder = start["folder"]
    try:
        code = KINDS[start["kind"]](start)
    except StartFault as error:
        _flush()
        channel.send({"type": "startFault", "reason": str(error)})
        return
    _flush()
    channel.send({"type": "ready"})
    while True:
        request = channel.receive()
        if request["type"] == "stop":
            break
        _answer(code, request, channel)
    _shut_down(code)


def _answer(code, request, channel):
    try:
        answer = code.handle(request, channel)
    except (ResultFault, FrameTooLong) as error:
        reason = str(error) or "A row of the result is longer than 64 MB."
        answer = {"type": "failed", "reason": reason, "usable": True}
    except BaseException as error:
        print_traceback(error)
        # After sys.exit() or without memory nobody knows in what state the code is.
        usable = isinstance(error, Exception) and not isinstance(error, MemoryError)
        answer = {"type": "failed", "reason": code.describe(error), "usable": usable}
    _flush()
    channel.send(answer)


def _shut_down(code):
    try:
        code.shutdown()
    except Exception as error:
        print_traceback(error)
    _flush()


def _flush():
    """A script may have put anything in the place of the streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
