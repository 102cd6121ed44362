# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cases that the onnx package brings, and what it says of their nodes."""

import warnings

import numpy as np
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

warnings.simplefilter("ignore")


def cases():
    """Name, operator, model and the first (inputs, results) of every node test."""
    from onnx.backend.test.loader import load_model_tests

    for test in load_model_tests(kind="node"):
        base = test.name.removeprefix("test_")
        nodes = test.model.graph.node
        operator = nodes[0].op_type if len(nodes) == 1 else "expanded"
        data = [[np.asarray(a) if isinstance(a, np.generic) else a for a in arrays]
                for arrays in test.data_sets[0]]
        yield base, operator, test.model, data


class Evaluator(ReferenceEvaluator):
    """The reference implementation, for the values inside graphs of several nodes."""

    @staticmethod
    def array(initializer):
        return numpy_helper.to_array(initializer)

    @staticmethod
    def attributes(node):
        found = {}
        for attribute in node.attribute:
            value = helper.get_attribute_value(attribute)
            found[attribute.name] = value.decode() if isinstance(value, bytes) else value
        return found

    @staticmethod
    def constant(attributes):
        for name, value in attributes.items():
            if name == "value":
                return numpy_helper.to_array(value)
            return np.array(value, dtype=np.float32 if "float" in name else np.int64)
        raise ValueError("a constant without a value")
