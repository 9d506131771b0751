"""Sends text as parts of bounded size."""

_PART_CHARACTERS = 256 * 1024


class Parts:
    """Gathers lines, each with its line end, and sends them with the number of rows that they are."""

    def __init__(self, channel):
        self._channel = channel
        self._columns = None
        self._lines = []
        self._characters = 0
        self.rows = 0

    def columns(self, names):
        """The names of the columns: said once, before the first row."""
        if self._columns is None:
            self._columns = names
            self._channel.send({"type": "columns", "names": names})

    def write(self, line):
        """One row. The name is that of files: csv writers call it once a row."""
        self._lines.append(line)
        self._characters += len(line)
        self.rows += 1
        if self._characters >= _PART_CHARACTERS:
            self.flush()

    def flush(self):
        if self._lines:
            # A lone surrogate is no text: it becomes a question mark rather than an error.
            data = "".join(self._lines).encode("utf-8", "replace")
            self._channel.send_rows(len(self._lines), data)
            self._lines = []
            self._characters = 0
