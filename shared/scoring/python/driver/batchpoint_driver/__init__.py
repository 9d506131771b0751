"""The side of a worker that runs in the user's Python: the standard library alone, Python 3.8 or later."""
