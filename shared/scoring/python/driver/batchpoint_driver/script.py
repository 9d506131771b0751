"""Loads a scoring script and runs it over mini-batches."""

import importlib.util
import os
import sys

from .faults import StartFault, describe, print_traceback
from .results import write_result


class Script:
    def __init__(self, start):
        folder, script = start["codeFolder"], start["script"]
        self.folder = folder
        path = os.path.join(folder, script)
        sys.argv = [script, "--logging_level", start["loggingLevel"]]
        os.chdir(folder)
        for entry in (os.path.dirname(path), folder):
            if entry in sys.path:
                sys.path.remove(entry)
            sys.path.insert(0, entry)
        module = self._call("The scoring script", lambda: _load(path))
        self._run = _function(module, "run", script)
        init = _function(module, "init", script)
        self._shutdown = getattr(module, "shutdown", None)
        self._call("init()", init)

    # Results tell their columns.
    columns = None

    def _call(self, what, function):
        """Raises StartFault for whatever happens in the user's code."""
        try:
            return function()
        except SystemExit as error:
            raise StartFault("%s called sys.exit(%r) while it started." % (what, error.code))
        except BaseException as error:
            print_traceback(error)
            advice = ""
            if isinstance(error, ImportError):
                advice = " Add it to the deployment's environment, or to the code folder."
            raise StartFault("%s raised %s.%s" % (what, describe(error, self.folder), advice))

    def handle(self, request, channel):
        """Runs a mini-batch, sends its rows and returns the last message. What the code raises passes through."""
        results, items = write_result(self._run(list(request["paths"])), request, channel)
        return {"type": "returned", "results": results, "items": items}

    def describe(self, error):
        if isinstance(error, SystemExit):
            return "run() called sys.exit(%r). Return the results instead, or raise an error." % (error.code,)
        if isinstance(error, MemoryError):
            return "run() ran out of memory: %s. Use a smaller miniBatchSize." % describe(error, self.folder)
        return "run() raised %s" % describe(error, self.folder)

    def shutdown(self):
        if callable(self._shutdown):
            self._shutdown()


def _load(path):
    name = os.path.splitext(os.path.basename(path))[0]
    # A script named like a module that is in use must not take its place.
    if name in sys.modules:
        name = "batchpoint_script_" + name
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("%s is not a Python file" % os.path.basename(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _function(module, name, script):
    function = getattr(module, name, None)
    if not callable(function):
        raise StartFault("%s has no %s(). A scoring script defines init() and run(mini_batch)." % (script, name))
    return function
