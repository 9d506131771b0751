"""A model's signature: which columns it reads, of which types, and what its outputs are called."""

# MLflow's types, as what a text or number has to become for them.
NUMBERS = {"integer": "int32", "long": "int64", "float": "float32", "double": "float64"}


class Signature:
    def __init__(self, metadata):
        inputs = metadata.get_input_schema()
        outputs = metadata.get_output_schema()
        self.tensor = None
        # Name and MLflow type of each column that the model names.
        self.columns = []
        self.optional = set()
        if inputs is not None and inputs.is_tensor_spec():
            self._read_tensors(inputs.inputs)
        elif inputs is not None and inputs.has_input_names():
            for spec in inputs.inputs:
                self.columns.append((spec.name, getattr(spec.type, "name", str(spec.type))))
                if not spec.required:
                    self.optional.add(spec.name)
        named = outputs is not None and not outputs.is_tensor_spec() and outputs.has_input_names()
        self.outputs = [str(name) for name in outputs.input_names()] if named else []

    def _read_tensors(self, specs):
        """One tensor is a matrix of the file's columns; several are columns by their names."""
        if len(specs) == 1:
            self.tensor = specs[0]
        else:
            self.columns = [(spec.name, _WORDS.get(str(spec.type), "double")) for spec in specs]

    def model_input(self, frame):
        """What predict() takes of a chunk."""
        if self.tensor is None:
            return frame
        array = frame.to_numpy(dtype=self.tensor.type)
        shape = tuple(self.tensor.shape)
        if len(shape) > 2 and all(size > 0 for size in shape[1:]):
            array = array.reshape((len(frame),) + shape[1:])
        return array if self.tensor.name is None else {self.tensor.name: array}


_WORDS = {"int32": "integer", "int64": "long", "float32": "float", "float64": "double", "str": "string", "object": "string"}
