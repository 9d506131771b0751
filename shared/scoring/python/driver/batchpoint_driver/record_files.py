"""Reads a file of records in chunks, so that memory stays flat whatever its size."""

import json
import warnings

from .columns import FileFault, converted, matched
from .faults import one_line

_ROWS_AT_ONCE = 16384


class Chunk:
    """`frame` has the columns of the model; `rows` are the numbers of its records in the file, from 0."""

    def __init__(self, frame, rows, failures):
        self.frame = frame
        self.rows = rows
        self.failures = failures


def chunks_of(request, signature):
    """Raises FileFault for what is wrong with the file as a whole."""
    read = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[request["format"]]
    for frame, places, failures in read(request, signature):
        frame, rows, wrong = converted(matched(frame, signature), places, signature, request["missing"])
        yield Chunk(frame, rows, failures + wrong)


def _csv(request, signature):
    import pandas

    texts = {name: str for name, kind in signature.columns if kind == "string"}
    strict = {"keep_default_na": False, "na_values": [""]} if signature.columns or signature.tensor else {}
    try:
        with warnings.catch_warnings():
            # Of records that are longer than the header pandas would drop cells.
            warnings.simplefilter("error", pandas.errors.ParserWarning)
            reader = pandas.read_csv(
                request["path"],
                sep=request["csvDelimiter"],
                header=0 if request["csvHeader"] else None,
                index_col=False,
                dtype=texts if request["csvHeader"] else None,
                compression=None,
                chunksize=_ROWS_AT_ONCE,
                low_memory=False,
                **strict
            )
            with reader:
                row = 0
                for frame in reader:
                    yield frame.reset_index(drop=True), [(row + place, None) for place in range(len(frame))], []
                    row += len(frame)
    except pandas.errors.EmptyDataError:
        return
    except (pandas.errors.ParserError, pandas.errors.ParserWarning) as error:
        raise FileFault("NotCsv", "The file cannot be read as CSV: %s." % one_line(error).rstrip("."))
    except UnicodeDecodeError:
        raise FileFault("NotUtf8", "The file is not UTF-8 text.")


def _jsonl(request, signature):
    import pandas

    records, places, failures = [], [], []
    kind = None
    row = 0
    with open(request["path"], "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            record = _record(line)
            if record is None:
                failures.append(_failure(row, number, "NotJson", "The line is not a JSON object or array."))
            elif kind is not None and type(record) is not kind:
                reason = "The line and the first record of the file are not both objects or both arrays."
                failures.append(_failure(row, number, "MixedRecords", reason))
            else:
                kind = type(record)
                records.append(record)
                places.append((row, number))
            row += 1
            if len(records) + len(failures) >= _ROWS_AT_ONCE:
                yield pandas.DataFrame(records), places, failures
                records, places, failures = [], [], []
    if records or failures:
        yield pandas.DataFrame(records), places, failures


def _record(line):
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except ValueError:
        return None
    return record if isinstance(record, (dict, list)) else None


def _parquet(request, signature):
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise FileFault("NoPyarrow", "Parquet files need pyarrow: add it to the deployment's environment.")
    try:
        with pyarrow.parquet.ParquetFile(request["path"]) as file:
            wanted = {name for name, _ in signature.columns}
            columns = [name for name in file.schema_arrow.names if name in wanted] or None
            row = 0
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=columns):
                yield batch.to_pandas(), [(row + place, None) for place in range(batch.num_rows)], []
                row += batch.num_rows
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise FileFault("NotParquet", "The file cannot be read as Parquet: %s." % one_line(error).rstrip("."))


def _failure(row, line, code, reason):
    return {"row": row, "line": line, "code": code, "reason": reason}
