"""Frames between the app and this process, on pipes of their own: nothing that is printed can look like one.

A frame is its payload's length (4 bytes, big-endian), its kind (1 byte) and the payload. The app sends JSON only.
"""

import fcntl
import json
import os
import queue
import shutil
import signal
import struct
import threading

JSON = b"J"
ROWS = b"R"

# Kept equal to MAX_FRAME_BYTES in frames.ts.
MAX_FRAME_BYTES = 64 * 1024 * 1024

# Above what a program takes for granted, so that none of its children opens or closes them by number.
_LOW_FDS = 100

_HEAD = struct.Struct(">Ic")
_COUNT = struct.Struct(">I")


class FrameTooLong(Exception):
    pass


class Channel:
    """Requests from fd 3 and answers to fd 4, both moved out of the way. Ends this process group when the app is gone."""

    def __init__(self):
        self._read_fd = _moved(3)
        self._write_fd = _moved(4)
        self._pid = os.getpid()
        self._requests = queue.SimpleQueue()
        # Removed when the app is gone and cannot do it.
        self.folder = None
        os.register_at_fork(after_in_child=self._leave)
        # A thread, so that the end of the app is seen while the script works.
        threading.Thread(target=self._read, name="batchpoint", daemon=True).start()

    def receive(self):
        """The next request of the app."""
        return self._requests.get()

    def send(self, message):
        self._write(JSON, json.dumps(message).encode("utf-8"))

    def send_rows(self, rows, data):
        self._write(ROWS, _COUNT.pack(rows) + data)

    def _write(self, kind, payload):
        if os.getpid() != self._pid:
            # A child that the script forked came back from run(): the answer is its parent's to give.
            os._exit(0)
        if len(payload) > MAX_FRAME_BYTES:
            raise FrameTooLong()
        view = memoryview(_HEAD.pack(len(payload), kind) + payload)
        while view:
            view = view[os.write(self._write_fd, view) :]

    def _read(self):
        try:
            while True:
                length, _ = _HEAD.unpack(self._read_exactly(_HEAD.size))
                self._requests.put(json.loads(self._read_exactly(length).decode("utf-8")))
        except OSError:
            pass
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        # The app made this process the leader of a group: nothing that the script started outlives it.
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(1)

    def _read_exactly(self, length):
        data = b""
        while len(data) < length:
            more = os.read(self._read_fd, length - len(data))
            if not more:
                raise OSError("the app is gone")
            data += more
        return data

    def _leave(self):
        for fd in (self._read_fd, self._write_fd):
            try:
                os.close(fd)
            except OSError:
                # The script has closed all descriptors, as daemons do.
                pass


def _moved(fd):
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LOW_FDS)
    os.close(fd)
    return moved
