"""Which kind of result it is, without importing what the script did not import."""

import sys

from .faults import ResultFault, one_line


def is_frame(value):
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value):
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series)


def is_array(value):
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def plain(result, what="run()"):
    """A DataFrame, a Series, a numpy array of one or two dimensions, or an iterable. Raises ResultFault for anything else."""
    if is_frame(result) or is_series(result):
        return result
    if callable(getattr(result, "to_pandas", None)):
        return result.to_pandas()
    if hasattr(result, "__array__"):
        # Tensors of PyTorch and TensorFlow among others.
        import numpy

        array = numpy.asarray(result)
        if array.ndim not in (1, 2):
            advice = "Return one of 1 dimension (a column) or 2 (rows and columns)."
            raise ResultFault("%s returned an array of %d dimensions. %s" % (what, array.ndim, advice))
        return array
    if isinstance(result, (str, bytes, bytearray, dict)) or not hasattr(result, "__iter__"):
        shown = "None" if result is None else "%s (%s)" % (one_line(repr(result), 60), type(result).__name__)
        advice = "Return a list, a numpy array, a pandas DataFrame or an iterable of rows."
        raise ResultFault("%s returned %s, which is not rows. %s" % (what, shown, advice))
    return result
