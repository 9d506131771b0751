"""Results that are counted and not written, because the code writes its own files."""

from .faults import one_line
from .kinds import is_frame

_LONGEST = 1000


def summarize(result, most):
    """How many results there were, and the first `most` of them as text."""
    items = []
    count = 0
    for part in [result] if is_frame(result) else result:
        if is_frame(part):
            items.extend(_lines(part.head(most - len(items))))
            count += len(part)
        else:
            if len(items) < most:
                items.append(one_line(part, _LONGEST))
            count += 1
    return count, items


def _lines(frame):
    """One column as its values, several as Azure ML prints them."""
    if frame.shape[1] == 1:
        return [one_line(value, _LONGEST) for value in frame.iloc[:, 0]]
    lines = _Lines()
    frame.to_csv(lines, sep=" ", header=False, index=False)
    return lines.written


class _Lines:
    def __init__(self):
        self.written = []

    def write(self, line):
        self.written.append(one_line(line, _LONGEST))
