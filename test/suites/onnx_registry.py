# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The converters by operator, and what they share."""

import numpy as np

OPERATORS = {}
OUT_OF_SCOPE = {}


def out_of_scope(reason, *names):
    for name in names:
        OUT_OF_SCOPE[name] = reason


out_of_scope("quantised", "DequantizeLinear", "QuantizeLinear", "QLinearMatMul", "QLinearConv",
             "DynamicQuantizeLinear", "ConvInteger", "MatMulInteger")
out_of_scope("strings", "StringSplit", "StringNormalizer", "StringConcat", "RegexFullMatch",
             "TfIdfVectorizer", "LabelEncoder")
out_of_scope("sequences and optional values", "SequenceMap", "SequenceInsert", "SplitToSequence",
             "OptionalHasElement", "OptionalGetElement", "ConcatFromSequence", "SequenceEmpty",
             "SequenceConstruct", "SequenceAt", "SequenceLength", "Optional")
out_of_scope("control flow of the graph", "If", "Loop", "Scan")
out_of_scope("training as an operator", "Momentum", "Adagrad", "Adam", "Gradient")
out_of_scope("decoding of images", "ImageDecoder")
out_of_scope("random draws", "Bernoulli", "RandomNormal", "RandomUniform", "RandomNormalLike",
             "RandomUniformLike", "Multinomial")
out_of_scope("trees", "TreeEnsemble")
out_of_scope("sizes that depend on values", "NonZero", "Unique", "Compress", "NonMaxSuppression")


def operator(*names):
    def register(function):
        for name in names:
            OPERATORS[name] = function
        return function

    return register


def number(value):
    value = float(np.float32(value))
    return "inf" if value == np.inf else "-inf" if value == -np.inf else f"({value!r})"


# Broadcasting: the language lines up equal ranks and ends of shapes; ONNX does what NumPy does.


def lined_up(p, values):
    """The names of the values, with axes of size 1 where NumPy would add them."""
    rank = max(v.rank for v in values)
    biggest = max(values, key=lambda v: (v.rank, v.array.size))
    texts = []
    for v in values:
        p.use(v)
        if v.rank == rank or v.shape == biggest.shape[biggest.rank - v.rank:]:
            texts.append(v.text)
        else:
            texts.append(f"reshape({v}, {[1] * (rank - v.rank) + v.shape})")
    return texts


def stretched(p, value, shape):
    p.use(value)
    if value.shape == shape:
        return str(value)
    if value.rank < len(shape) and value.shape != shape[len(shape) - value.rank:]:
        full = [1] * (len(shape) - value.rank) + value.shape
        return f"broadcast(reshape({value}, {full}), {shape})"
    return f"broadcast({value}, {shape})"
