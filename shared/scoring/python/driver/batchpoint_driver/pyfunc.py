"""Scores files with an MLflow model, whatever its flavour: a file is read, predicted and written in chunks."""

from .columns import FileFault
from .faults import StartFault, describe, print_traceback
from .parts import Parts
from .predictions import PredictionWriter
from .record_files import chunks_of
from .signature import Signature


class Pyfunc:
    def __init__(self, start):
        self.folder = start["modelFolder"]
        try:
            import mlflow.pyfunc
            import pandas  # noqa: F401 - what files are read with
        except ImportError as error:
            raise StartFault(
                "The environment cannot load MLflow models (%s). Add mlflow, or mlflow-skinny and pandas, to it." % error
            )
        try:
            self._model = mlflow.pyfunc.load_model(self.folder)
        except Exception as error:
            print_traceback(error)
            advice = " Add it to the deployment's environment." if isinstance(error, ImportError) else ""
            raise StartFault("The model cannot be loaded: %s.%s" % (describe(error, self.folder), advice))
        self._signature = Signature(self._model.metadata)

    def handle(self, request, channel):
        parts = Parts(channel)
        writer = PredictionWriter(parts, request, self._signature.outputs)
        results = 0
        try:
            for chunk in chunks_of(request, self._signature):
                if chunk.failures:
                    channel.send({"type": "failures", "failures": chunk.failures})
                if len(chunk.rows):
                    writer.write(chunk.rows, self._model.predict(self._signature.model_input(chunk.frame)))
                    results += len(chunk.rows)
        except FileFault as fault:
            return {"type": "fileFault", "code": fault.code, "reason": str(fault)}
        parts.flush()
        return {"type": "returned", "results": results, "items": []}

    def describe(self, error):
        if isinstance(error, MemoryError):
            return "The model ran out of memory: %s." % describe(error, self.folder)
        return "predict() raised %s" % describe(error, self.folder)

    def shutdown(self):
        pass
