"""Rows of cells under columns."""

import sys

from .cells import CellFault, Cells
from .faults import ResultFault, one_line

PREDICTION = "prediction"

# Rows that are made text together: enough for numpy to be fast, few enough to be small.
_ROWS_AT_ONCE = 4096


class TableWriter:
    """Writes results of one mini-batch, all with the same columns. `chosen` are the output's columns, where they are given."""

    def __init__(self, parts, chosen=None):
        self._parts = parts
        self._chosen = chosen
        self._cells = Cells(space=False)
        self._names = None
        self._named = False
        self._scalar = False
        # For each column of the output where it is among the result's, or None for an empty one.
        self._places = None

    def frame(self, frame):
        names = [str(name) for name in frame.columns]
        if len(frame):
            self._same("a DataFrame", names, named=True)
            self._write_columns([column_values(frame.iloc[:, place]) for place in range(len(names))], len(frame))

    def series(self, series):
        if len(series):
            name = PREDICTION if series.name is None else str(series.name)
            self._same("a Series", [name], named=series.name is not None)
            self._write_columns([column_values(series)], len(series))

    def array(self, array):
        if not len(array):
            return
        columns = [array] if array.ndim == 1 else [array[:, place] for place in range(array.shape[1])]
        names = [PREDICTION] if array.ndim == 1 else _numbers(len(columns))
        self._same("an array", names, named=False)
        self._write_columns(columns, len(array))

    def item(self, number, item):
        """One row of an iterable: a value, values in order, or values by name."""
        what = "item %d" % number
        if isinstance(item, dict):
            names, cells = [str(name) for name in item], list(item.values())
            self._names_of_dict(what, names)
            if names != self._names:
                by_name = dict(zip(names, cells))
                cells = [by_name.get(name) for name in self._names]
        else:
            fields = getattr(item, "_fields", None)
            cells = _row(item)
            scalar = cells is None
            if scalar:
                cells = [item]
            names = [PREDICTION] if scalar else list(fields) if fields else _numbers(len(cells))
            self._same(what, names, named=bool(fields), scalar=scalar)
        if self._places is not None:
            cells = [None if place is None else cells[place] for place in self._places]
        try:
            line = self._cells.separator.join(map(self._cells.text, cells))
        except CellFault:
            raise self._cell_fault(what, cells)
        self._parts.write(line + "\n")

    def _names_of_dict(self, what, names):
        """Keys in any order; with chosen columns any keys."""
        known = self._names
        if known is not None and self._named and (self._chosen or sorted(names) == sorted(known)):
            if self._chosen and not set(names) <= set(known):
                self._names, self._places = None, None
                self._same(what, names, named=True)
            return
        self._same(what, names, named=True)

    def _same(self, what, names, named, scalar=False):
        """Notes the columns of the first rows; refuses other columns after them."""
        if not names:
            raise ResultFault("run() returned %s without a cell. Give each row at least one." % what)
        if self._names is None:
            self._names, self._named, self._scalar = names, named, scalar
            self._parts.columns(self._choose(names, named))
        elif names != self._names or scalar != self._scalar:
            if self._chosen and named and self._named:
                self._names, self._places = names, None
                self._choose(names, named)
            else:
                raise ResultFault(self._different(what, names, scalar))

    def _choose(self, names, named):
        if self._chosen is None:
            return names
        if named:
            self._places = [names.index(name) if name in names else None for name in self._chosen]
        elif len(self._chosen) != len(names):
            raise ResultFault(
                "run() returned %s and outputColumns names %d. Return one for each name, or correct outputColumns."
                % (_count(len(names), "column"), len(self._chosen))
            )
        return list(self._chosen)

    def _different(self, what, names, scalar):
        if scalar != self._scalar:
            return "run() returned rows of different kinds: %s is %s, the first was %s. Return rows of one kind." % (
                what,
                "a single value" if scalar else "a row of cells",
                "a single value" if self._scalar else "a row of cells",
            )
        if self._named or len(names) == len(self._names):
            return (
                "run() returned rows with different columns: %s has %s, the first had %s. Give all rows the same ones."
                % (what, one_line(", ".join(names), 80), one_line(", ".join(self._names), 80))
            )
        return "run() returned rows of different lengths: %s has %s, the first had %d. Give all rows as many." % (
            what,
            _count(len(names), "cell"),
            len(self._names),
        )

    def _write_columns(self, columns, count):
        if self._places is not None:
            columns = [None if place is None else columns[place] for place in self._places]
        for start in range(0, count, _ROWS_AT_ONCE):
            rows = min(_ROWS_AT_ONCE, count - start)
            try:
                texts = [
                    [""] * rows if column is None else self._cells.texts(column[start : start + rows])
                    for column in columns
                ]
            except CellFault:
                for row in range(start, start + rows):
                    self._raise_fault(row, [None if column is None else column[row] for column in columns])
                raise
            for line in zip(*texts):
                self._parts.write(self._cells.separator.join(line) + "\n")

    def _raise_fault(self, row, cells):
        try:
            list(map(self._cells.text, cells))
        except CellFault:
            raise self._cell_fault("row %d" % row, cells)

    def _cell_fault(self, what, cells):
        """Names the column of the cell that is at fault."""
        names = self._chosen or self._names
        for name, cell in zip(names, cells):
            try:
                self._cells.text(cell)
            except CellFault as fault:
                place = "%s of what run() returned" % what
                if not self._scalar:
                    place = "column %s in %s" % (one_line(name, 40), place)
                return ResultFault("%s %s." % (place[0].upper() + place[1:], fault))
        return ResultFault("%s of what run() returned cannot be written." % what)


def column_values(series):
    """The values of a Series as a numpy array; what numpy has no type for as objects."""
    is_plain = isinstance(series.dtype, sys.modules["numpy"].dtype) and series.dtype.kind in "fiub"
    return series.to_numpy() if is_plain else series.astype(object).to_numpy()


def _row(item):
    """The cells of a row, or None for a single value."""
    if isinstance(item, (list, tuple)):
        return item
    shape = getattr(item, "shape", None)
    if shape is not None and len(shape) == 1:
        return list(item)
    return None


def _numbers(count):
    return [str(number) for number in range(count)]


def _count(number, noun):
    return "1 %s" % noun if number == 1 else "%d %ss" % (number, noun)
