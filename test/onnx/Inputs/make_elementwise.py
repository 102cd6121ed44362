# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a model whose entry applies every element-wise op of a type to its inputs.

    make_elementwise.py f32|f64|i32|i64 > model.apir
"""
import sys

UNARY = ("neg abs sign floor ceil round sqrt rsqrt exp expm1 log log1p sin cos tanh sigmoid erf exp2 "
         "log2 tan asin acos atan sinh cosh softplus silu gelu gelu_tanh stop_gradient").split()
BINARY = "add sub mul div min max pow atan2".split()
COMPARE = "eq ne lt le gt ge".split()
POSITIVE = {"sqrt", "rsqrt", "log", "log2", "log1p"}
# x is any number, u lies in [-1, 1], p is positive, c is bool; z is a copy of x with some changes.
PARTIAL = {"asin", "acos"}


def main(dtype):
    lines = []
    results = []

    def add(name, to, text):
        lines.append(f"  %{name}: {to}[B,5] = {text}")
        results.append(name)

    is_float = dtype[0] == "f"
    for op in UNARY if is_float else "neg abs sign not stop_gradient".split():
        x = "p" if op in POSITIVE else "u" if op in PARTIAL else "x"
        add(f"r_{op}", dtype, f"{op} %{x}")
    for op in BINARY if is_float else "add sub mul div rem min max".split():
        x = "p" if op == "pow" else "x"
        add(f"r_{op}", dtype, f"{op} %{x}, %z")
    for op in COMPARE:
        add(f"r_{op}", "bool", f"{op} %x, %z")
    add("r_select", dtype, "select %c, %x, %z")
    if is_float:
        add("r_fma", dtype, "fma %x, %z, %p")
        add("r_clip", dtype, "max %x, %zero")
    for to in ("f32", "f64", "i32", "i64", "bool"):
        add(f"r_to_{to}", to, "convert %x")
    for op in ("and", "or", "xor"):
        add(f"r_{op}", "bool", f"{op} %c, %d")
    add("r_not", "bool", "not %c") if is_float else None
    add("r_choose", "bool", "select %c, %d, %r_lt")
    # Constants and repeated rows stay small until something needs them in full.
    lines.append(f"  %scaled: {dtype}[B,5] = mul %rows, %two")
    add("r_repeated", dtype, "add %x, %scaled")
    add("r_whole", dtype, "add %rows, %two")
    print("module elementwise\nstate seed: i64 counter")
    print("func @init as init (%seed: i64) {\n  update seed = %seed\n}")
    print(f"func @all dims(B) (%x: {dtype}[B,5], %z: {dtype}[B,5], "
          f"%p: {dtype}[B,5], %u: {dtype}[B,5], %c: bool[B,5], %d: bool[B,5], %row: {dtype}[B]) {{")
    print(f"  %zero: {dtype}[B,5] = constant {{value = 0}}")
    print(f"  %two: {dtype}[B,5] = constant {{value = 2}}")
    print(f"  %rows: {dtype}[B,5] = broadcast %row {{axes = [0]}}")
    print("\n".join(lines))
    print("  return " + ", ".join(f"{name} = %{name}" for name in results))
    print("}")


main(sys.argv[1])
