# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""flip_bit.py FILE: flips a bit of the file's last byte."""

import sys

content = bytearray(open(sys.argv[1], "rb").read())
content[-1] ^= 1
open(sys.argv[1], "wb").write(content)
