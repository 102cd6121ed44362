# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""All converters: importing them fills the registry."""

import onnx_elementwise  # noqa: F401
import onnx_movement  # noqa: F401
import onnx_networks  # noqa: F401
import onnx_windows  # noqa: F401
from onnx_registry import OPERATORS, OUT_OF_SCOPE  # noqa: F401
