"""Predictions as rows of the output: the file, the row in it, and what the model gave."""

from .cells import CellFault, Cells
from .faults import ResultFault, one_line
from .kinds import is_array, is_frame, is_series, plain
from .table import column_values

PREDICTIONS = "predictions"


class PredictionWriter:
    """`names`: what the model's signature calls its outputs."""

    def __init__(self, parts, request, names):
        self._parts = parts
        # As the ONNX engine writes them, `nan` among them.
        self._cells = Cells(space=request["outputFormat"] == "azureml", nan="nan")
        self._file = self._cells.quote(request["name"])
        self._names = names
        self._columns = None

    def write(self, rows, predictions):
        """Sends the predictions for these rows of the file, one each."""
        columns, values = self._table(predictions, len(rows))
        if self._columns is None:
            self._columns = columns
            self._parts.columns(columns)
        elif columns != self._columns:
            shown = (one_line(", ".join(columns), 80), one_line(", ".join(self._columns), 80))
            raise ResultFault("predict() gave the columns %s after it gave %s." % shown)
        texts = [self._texts(name, column) for name, column in zip(columns, values)]
        separator = self._cells.separator
        for row, line in zip(rows, zip(*texts)):
            self._parts.write(separator.join((self._file, str(row)) + line) + "\n")

    def _texts(self, name, column):
        try:
            return self._cells.texts(column)
        except CellFault as fault:
            raise ResultFault("A value of column %s that predict() gave %s." % (name, fault))

    def _table(self, predictions, count):
        """Names of columns, and their values as one-dimensional arrays of `count`."""
        if isinstance(predictions, dict):
            named = [(str(name), part) for name, part in predictions.items()]
        else:
            named = [(None, predictions)]
        columns, values = [], []
        for name, part in named:
            part = self._rows(part)
            if len(part) != count:
                raise ResultFault("predict() gave %d predictions for %d records; it must give one each." % (len(part), count))
            for column, array in self._split(name, part):
                columns.append(column)
                values.append(array)
        return columns, values

    def _rows(self, part):
        """A DataFrame, or an array of one or two dimensions."""
        import numpy
        import pandas

        part = plain(part, "predict()")
        if is_frame(part) or is_array(part):
            return part
        if is_series(part):
            return part.to_frame() if part.name is not None else part.to_numpy()
        part = list(part)
        if part and isinstance(part[0], dict):
            return pandas.DataFrame(part)
        if part and isinstance(part[0], (list, tuple)):
            return pandas.DataFrame(part).to_numpy()
        array = numpy.empty(len(part), dtype=object)
        array[:] = part
        return array

    def _split(self, name, part):
        if is_frame(part):
            values = [column_values(part.iloc[:, place]) for place in range(part.shape[1])]
            # A frame that was made of a list has no names of its own.
            names = [str(column) for column in part.columns]
            unnamed = all(isinstance(column, int) for column in part.columns)
        else:
            values = [part] if part.ndim == 1 else [part[:, place] for place in range(part.shape[1])]
            names = [PREDICTIONS] if len(values) == 1 else [str(place) for place in range(len(values))]
            unnamed = True
        if unnamed and name is not None:
            names = [name] if len(values) == 1 else ["%s_%d" % (name, place) for place in range(len(values))]
        elif unnamed and len(self._names) == len(values):
            names = self._names
        return zip(names, values)
