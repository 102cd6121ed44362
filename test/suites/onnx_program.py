# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A program of the language that computes an ONNX graph."""

import numpy as np

DTYPES = {
    "float32": "f32",
    "float64": "f64",
    "int32": "i32",
    "int64": "i64",
    "uint8": "u8",
    "bool": "bool",
    "bfloat16": "bf16",
}


class Unsupported(Exception):
    """The language has nothing for this, or nothing short."""


class Skipped(Exception):
    """Outside of what is measured, such as a dtype that the language does not have."""


class Value:
    """A tensor of the graph: its reference value and, once needed, its name in the program."""

    def __init__(self, array, text=None, static=False):
        self.array = np.asarray(array)
        self.text = text
        self.static = static

    @property
    def shape(self):
        return list(self.array.shape)

    @property
    def rank(self):
        return self.array.ndim

    @property
    def dtype(self):
        return dtype_of(self.array)

    @property
    def real(self):
        return self.dtype in ("f32", "f64")

    def numbers(self):
        return [int(v) for v in np.atleast_1d(self.array).ravel()]

    def number(self):
        return self.numbers()[0]

    def __str__(self):
        return self.text


def dtype_of(array):
    name = DTYPES.get(str(array.dtype))
    if name is None:
        raise Skipped(f"dtype {array.dtype}")
    return name


def type_of(array):
    return f"{dtype_of(array)}[{', '.join(str(n) for n in array.shape)}]"


class Program:
    """One entry that computes a graph, with every array it reads as an input."""

    def __init__(self):
        self.statements = []
        self.inputs = []
        self.members = []

    def use(self, value):
        """The value with a name: an array becomes an input."""
        if value.text is None:
            value.text = f"k{len(self.inputs)}"
            self.inputs.append((value.text, type_of(value.array), value.array))
        return value

    def constant(self, array):
        return self.use(Value(np.asarray(array)))

    def let(self, text, array=None):
        """Names an expression; with an array, of that type."""
        name = f"v{len(self.statements)}"
        note = f": {type_of(array)}" if array is not None else ""
        self.statements.append(f"let {name}{note} = {text}")
        return name

    def source(self, outputs):
        inputs = ", ".join(f"{name}: {kind}" for name, kind, _ in self.inputs)
        results = ", ".join(type_of(value.array) for value in outputs)
        names = ", ".join(str(value) for value in outputs)
        if len(outputs) > 1:
            results, names = f"({results})", f"({names})"
        lines = "".join(f"    {line}\n" for line in self.statements)
        members = "".join(f"  {member}\n" for member in self.members)
        head = f"model Case {{\n{members}  entry f({inputs}) -> {results} {{\n"
        return f"{head}{lines}    {names}\n  }}\n}}\n"


def convert(model, data, operators, evaluator):
    """The program of one case, the expected arrays and whether it took more than one construct."""
    feeds = {i.name: a for i, a in zip(model.graph.input, data[0])}
    for array in data[0] + data[1]:
        if not isinstance(array, np.ndarray):
            raise Skipped("sequences and optional values")
        dtype_of(array)
    program = Program()
    values = {name: Value(array) for name, array in feeds.items()}
    values[""] = None
    known = {o.name: a for o, a in zip(model.graph.output, data[1])}
    needs = len(model.graph.node) > 1
    if needs:
        known = {**evaluator(model).run(None, feeds, intermediate=True), **known}
    for initializer in model.graph.initializer:
        values[initializer.name] = Value(evaluator.array(initializer), static=True)
    run_nodes(program, model.graph.node, values, known, operators, evaluator)
    outputs = [program.use(values[o.name]) for o in model.graph.output]
    return program, outputs, data[1]


def run_nodes(program, nodes, values, known, operators, evaluator):
    for node in nodes:
        operands = [values[name] for name in node.input]
        arrays = [known.get(name) if name else None for name in node.output]
        attributes = evaluator.attributes(node)
        if node.op_type == "Constant":
            values[node.output[0]] = Value(evaluator.constant(attributes), static=True)
            continue
        inside = len(nodes) > 1 and all(a is not None for a, n in zip(arrays, node.output) if n)
        settled = operands and all(v is None or v.static for v in operands)
        if inside and (settled or node.op_type in ("Shape", "Size")):
            for name, array in zip(node.output, arrays):
                values[name] = Value(array, static=True)
            continue
        emit = operators.get(node.op_type)
        if emit is None:
            raise Unsupported(f"{node.op_type}: not converted")
        outputs = emit(program, Call(program, node.op_type, operands, attributes, arrays))
        if not isinstance(outputs, (list, tuple)):
            outputs = [outputs]
        for name, array, text in zip(node.output, arrays, outputs):
            if not name:
                continue
            if array is None:
                raise Skipped("a value that the reference does not give")
            dtype_of(np.asarray(array))
            values[name] = Value(array, program.let(text, np.asarray(array)))


class Call:
    """A node as its converter sees it."""

    def __init__(self, program, name, operands, attributes, results):
        self.program, self.name, self.results = program, name, results
        self.operands, self.attributes = operands, attributes

    def __getitem__(self, i):
        value = self.optional(i)
        if value is None:
            raise Unsupported(f"{self.name}: no operand {i}")
        return self.program.use(value)

    def __len__(self):
        return len(self.operands)

    def optional(self, i):
        return self.operands[i] if i < len(self.operands) else None

    def numbers(self, i, otherwise=None):
        """A list that stands in the program itself, such as a shape."""
        value = self.optional(i)
        if value is None:
            return otherwise
        if value.array.dtype.kind not in "iu":
            raise Unsupported(f"{self.name}: operand {i} is known at run time only")
        return value.numbers()

    def attribute(self, name, otherwise=None):
        return self.attributes.get(name, otherwise)

    @property
    def result(self):
        return np.asarray(self.results[0])
