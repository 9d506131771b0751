"""Brings the columns of a file to what the model's signature says. A value that does not become its type fails its record."""

from .faults import one_line, quoted
from .signature import NUMBERS

_NAMES_SHOWN = 5
_TRUTHS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


class FileFault(Exception):
    """What is wrong with a file as a whole."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code


def matched(frame, signature):
    """The columns of the model in its order: by name, or in order where the file has none of the names."""
    frame.columns = [str(name).strip() for name in frame.columns]
    names = [name for name, _ in signature.columns]
    if not names or not len(frame):
        return frame
    if len(names) == len(frame.columns) and not set(names) & set(frame.columns):
        frame.columns = names
    missing = [name for name in names if name not in frame.columns and name not in signature.optional]
    if missing:
        shown = ", ".join(quoted(name) for name in missing[:_NAMES_SHOWN])
        more = " and %d more" % (len(missing) - _NAMES_SHOWN) if len(missing) > _NAMES_SHOWN else ""
        raise FileFault("MissingColumns", "The file lacks columns of the model: %s%s." % (shown, more))
    return frame[[name for name in names if name in frame.columns]]


def converted(frame, places, signature, missing):
    """The records that fit, their rows, and the failures of the others. `places`: row and line of each record."""
    import numpy

    columns = signature.columns
    if signature.tensor is not None and signature.tensor.type.kind in "fiu":
        columns = [(name, "double") for name in frame.columns]
    faults = {}
    result = frame.copy(deep=False)
    for name, kind in columns:
        if name in frame.columns and len(frame):
            allowed = name in signature.optional or (missing == "nan" and kind in ("float", "double"))
            result[name] = _converted(frame[name], name, kind, allowed, faults)
    failures = [_failure(places[at], *faults[at]) for at in sorted(faults)]
    if faults:
        kept = numpy.ones(len(frame), dtype=bool)
        kept[list(faults)] = False
        result = result[kept]
        places = [place for at, place in enumerate(places) if at not in faults]
    for name, kind in columns:
        if kind in NUMBERS and name in result.columns and not result[name].isna().any():
            result[name] = result[name].astype(NUMBERS[kind])
    return result, [row for row, _ in places], failures


def _converted(series, name, kind, allowed, faults):
    import pandas

    empty = series.isna()
    if kind == "string":
        return series.where(empty, series.astype(str)).fillna("") if not allowed else series
    if kind in NUMBERS:
        values = pandas.to_numeric(series, errors="coerce")
        code, expected = "NotANumber", "a number"
    elif kind == "boolean":
        values = series if series.dtype == bool else series.astype(str).str.strip().str.lower().map(_TRUTHS)
        code, expected = "NotABoolean", "true or false"
    elif kind == "datetime":
        values = pandas.to_datetime(series, errors="coerce")
        code, expected = "NotADate", "a date"
    else:
        return series
    wrong = values.isna() & ~empty
    if wrong.any() and kind in NUMBERS:
        wrong &= series.astype(str).str.strip().str.lower() != "nan"
    _note(wrong, faults, lambda at: (code, _says(series, name, at, expected)))
    if not allowed:
        _note(empty, faults, lambda at: ("MissingValue", "Column %s has no value." % quoted(name)))
    if kind in ("integer", "long"):
        _check_integers(series, values, name, kind, faults)
    return values


def _check_integers(series, values, name, kind, faults):
    bits = 31 if kind == "integer" else 63
    _note(values % 1 != 0, faults, lambda at: ("NotAnInteger", _says(series, name, at, "a whole number")), ~values.isna())
    beyond = (values >= 2**bits) | (values < -(2**bits))
    _note(beyond, faults, lambda at: ("NumberOutOfRange", _says(series, name, at, "%d bits at most" % (bits + 1))))


def _note(mask, faults, fault, only=None):
    """Keeps the first fault of each record."""
    if only is not None:
        mask = mask & only
    for at in mask.to_numpy().nonzero()[0].tolist():
        faults.setdefault(at, fault(at))


def _says(series, name, at, expected):
    return "Column %s has %s, expected %s." % (quoted(name), quoted(series.iloc[at]), expected)


def _failure(place, code, reason):
    row, line = place
    failure = {"row": row, "code": code, "reason": one_line(reason)}
    if line is not None:
        failure["line"] = line
    return failure
