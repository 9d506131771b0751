"""Cells of the output as text: numbers as the ONNX engine writes them, RFC 4180 quoting, ISO 8601 dates."""

import datetime
import re
import sys


class CellFault(Exception):
    """A value that no cell can hold."""


class Cells:
    """How cells are written: `space` between single spaces, as Azure ML does, else between commas."""

    def __init__(self, space, nan=""):
        self.separator = " " if space else ","
        self._nan = nan
        self._empty = '""' if space else ""
        self._special = re.compile('[" \r\n]' if space else '[",\r\n]').search

    def quote(self, text):
        if text == "":
            return self._empty
        return '"' + text.replace('"', '""') + '"' if self._special(text) else text

    def text(self, value):
        """The text of one value. Raises CellFault for what is not one value."""
        kind = type(value)
        if kind is str:
            return self.quote(value)
        if kind is float:
            return self._number(repr(value))
        if kind is int:
            return int.__repr__(value)
        if value is None:
            return self._empty
        return self._other(value)

    def texts(self, array):
        """The texts of a one-dimensional numpy array."""
        kind = array.dtype.kind
        if kind == "f":
            # numpy writes the shortest text of the array's own precision.
            values = map(repr, array.tolist()) if array.dtype.itemsize == 8 else array.astype(str).tolist()
            return list(map(self._number, values))
        if kind in "iu":
            return list(map(str, array.tolist()))
        if kind == "b":
            return ["true" if value else "false" for value in array.tolist()]
        return list(map(self.text, list(array)))

    def _number(self, text):
        """A float as JavaScript writes it, from the shortest text that Python or numpy give it."""
        if text.endswith(".0"):
            return text[:-2]
        if "e" in text:
            return _far(text)
        return self._nan_or_infinite(text) if text[-1] in "nf" else text

    def _nan_or_infinite(self, text):
        return self._nan or self._empty if text == "nan" else text

    def _other(self, value):
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, (bytes, bytearray, memoryview)):
            raise CellFault("is bytes; decode it to a str")
        if isinstance(value, (list, tuple, set, frozenset, dict)):
            raise CellFault("is a %s inside a cell; flatten it, or make it text with json.dumps" % type(value).__name__)
        if _is_missing(value):
            return self._empty
        if getattr(value, "shape", None) == () and hasattr(value, "dtype"):
            return self._of_array(value)
        if hasattr(value, "shape"):
            raise CellFault("is an array inside a cell; flatten it, or make it text")
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return self.quote(value.isoformat())
        if isinstance(value, int):
            return str(int(value))
        if isinstance(value, float):
            return self._number(repr(float(value)))
        if type(value).__str__ is object.__str__ and type(value).__repr__ is object.__repr__:
            raise CellFault("is an object of type %s; return numbers or text" % type(value).__name__)
        return self.quote(str(value))

    def _of_array(self, value):
        """A numpy scalar, or a tensor without dimensions."""
        kind = getattr(value.dtype, "kind", None)
        if kind == "f":
            return self._number(str(value))
        if kind == "M":
            return self.quote(str(value))
        return self.text(value.item())


def _is_missing(value):
    """pandas' NA and NaT, numpy's NaT."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and (value is pandas.NA or value is pandas.NaT):
        return True
    return type(value).__name__ in ("datetime64", "timedelta64") and str(value) == "NaT"


def _far(text):
    """`1e-05` as 0.00001, `1e+16` as 10000000000000000, `1e-07` as 1e-7: where JavaScript begins to use exponents."""
    mantissa, _, exponent = text.partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = (whole + fraction).rstrip("0") or "0"
    point = int(exponent) + len(whole)
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    shown = digits if len(digits) == 1 else digits[0] + "." + digits[1:]
    return "%s%se%s%d" % (sign, shown, "+" if point > 0 else "-", abs(point - 1))
