# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints a table of six words w0 to w5 and whether their sum is below the middle."""

import random

random.seed(1)
print(",".join(f"w{i}" for i in range(6)) + ",y")
for _ in range(256):
    words = [random.randrange(20) for _ in range(6)]
    print(*words, int(sum(words) < 57), sep=",")
