# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares predictions at 0, 0.1, ... 1 with sin(pi x); the table comes from standard input."""

import math
import sys

values = [float(line) for line in sys.stdin.read().split()[1:]]
assert len(values) == 11, values
for i, value in enumerate(values):
    expected = math.sin(math.pi * i / 10)
    assert abs(value - expected) < 0.02, (i / 10, value, expected)
