# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a model whose entry nests scans: nested_scans.py DEPTH START."""
import sys

depth, start = int(sys.argv[1]), sys.argv[2]
print("model M {")
print("  entry f(x: real[3]) -> real {")
print("    let c = x[0]")
for level in range(depth):
    print(f"    let (r{level}, _) = scan({start}, x, fn (c, x{level}) {{")
    print("      let x = x + c")
for level in reversed(range(depth)):
    print("      (c + x[1], none)" if level == depth - 1 else f"      (r{level + 1} + c, none)")
    print("    })")
print("    r0")
print("  }")
print("}")
