# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a random IR module over open dims N and M: random_graph.py SEED [OPS].

Unlike the random graphs of the pass tests, it uses every family of operations, in the mixes that
fusion and codegen care about: chains with several readers, row-wise passes, products with
element-wise producers and consumers, indexing, random numbers, updates of state.
"""

import random
import sys

FLOATS = ["f32", "f64"]
INTEGERS = ["i32", "i64", "u8"]
F32_FUNCTIONS = ("sqrt rsqrt exp exp2 expm1 log log2 log1p sin cos tan asin acos atan sinh cosh tanh "
                 "sigmoid erf erfinv softplus silu gelu gelu_tanh").split()


class Value:
    def __init__(self, name, dtype, shape):
        self.name, self.dtype, self.shape = name, dtype, tuple(shape)

    def __str__(self):
        return type_text(self.dtype, self.shape)


def type_text(dtype, shape):
    return dtype + ("[" + ",".join(shape) + "]" if shape else "")


class Generator:
    def __init__(self, seed, ops):
        self.random = random.Random(seed)
        self.lines, self.values, self.ops = [], [], ops
        self.indices = []
        self.depth = 0

    # ---- building blocks ----

    def emit(self, op, operands, dtype, shape, attributes=""):
        value = Value("%v{}".format(len(self.lines)), dtype, shape)
        names = ", ".join(v.name for v in operands)
        text = "  {}: {} = {}{}{}".format(value.name, value, op, " " + names if names else "",
                                          " {" + attributes + "}" if attributes else "")
        self.lines.append(text)
        self.values.append(value)
        return value

    def constant(self, dtype, shape):
        if dtype == "bool":
            literal = self.random.choice(["true", "false"])
        elif dtype in FLOATS:
            literal = self.random.choice(
                ["0", "-0.0", "1", "-1", "0.5", "2", "3.7", "-1e-40", "inf", "nan", "0.1", "1e30"])
        else:
            literal = self.random.choice(["0", "1", "2", "7", "31", "33", "200"])
        return self.emit("constant", [], dtype, shape, "value = " + literal)

    def pick(self, fits=lambda v: True):
        """Mostly a late value, so that operations form chains."""
        fitting = [v for v in self.values if fits(v)]
        if not fitting:
            return None
        if self.random.random() < 0.6:
            fitting = fitting[-8:]
        return self.random.choice(fitting)

    def like(self, v, dtype=None):
        """A value of v's shape: there is one, or a constant, or v converted."""
        dtype = dtype or v.dtype
        found = self.pick(lambda w: w.dtype == dtype and w.shape == v.shape)
        if found and self.random.random() < 0.8:
            return found
        if dtype != v.dtype and self.random.random() < 0.6:
            return self.emit("convert", [v], dtype, v.shape)
        return self.constant(dtype, v.shape)

    def axes_text(self, axes):
        return "axes = [" + ", ".join(str(a) for a in axes) + "]"

    def random_axes(self, rank):
        axes = [a for a in range(rank) if self.random.random() < 0.5]
        return axes or [self.random.randrange(rank)]

    def keep(self, shape, axes):
        return [d for i, d in enumerate(shape) if i not in axes]

    # ---- families ----

    def unary(self):
        v = self.pick()
        if v.dtype == "bool":
            return self.emit("not", [v], v.dtype, v.shape)
        if v.dtype in INTEGERS:
            name = self.random.choice(["neg", "abs", "sign", "not"])
            return self.emit(name, [v], v.dtype, v.shape)
        simple = ["neg", "abs", "sign", "floor", "ceil", "round", "sqrt", "stop_gradient"]
        rare = v.dtype == "f64" and self.random.random() < 0.9
        names = simple if rare else simple + F32_FUNCTIONS
        return self.emit(self.random.choice(names), [v], v.dtype, v.shape)

    def binary(self):
        v = self.pick()
        w = self.like(v)
        if self.random.random() < 0.5:
            v, w = w, v
        if v.dtype == "bool":
            names = ["and", "or", "xor"]
        elif v.dtype in FLOATS:
            names = ["add", "sub", "mul", "div", "min", "max"]
        else:
            names = ["add", "sub", "mul", "div", "rem", "min", "max", "and", "or", "xor", "shl",
                     "shr_arith", "shr_logical"]
        return self.emit(self.random.choice(names), [v, w], v.dtype, v.shape)

    def compare(self):
        v = self.pick()
        name = self.random.choice(["eq", "ne", "lt", "le", "gt", "ge"])
        return self.emit(name, [v, self.like(v)], "bool", v.shape)

    def ternary(self):
        v = self.pick()
        if v.dtype in FLOATS and self.random.random() < 0.5:
            return self.emit("fma", [v, self.like(v), self.like(v)], v.dtype, v.shape)
        return self.emit("select", [self.like(v, "bool"), v, self.like(v)], v.dtype, v.shape)

    def convert(self):
        v = self.pick()
        if self.random.random() < 0.3 and v.dtype in ("f32", "f64", "i32", "i64"):
            other = {"f32": "i32", "i32": "f32", "f64": "i64", "i64": "f64"}[v.dtype]
            return self.emit("bitcast", [v], other, v.shape)
        dtype = self.random.choice(FLOATS * 2 + INTEGERS + ["bool"])
        if self.random.random() < 0.2:
            # Stored and moved, and back to what can be computed with.
            narrow = self.emit("convert", [v], "bf16", v.shape)
            axes = self.axes_text(self.random_axes(len(v.shape)) if v.shape else [])
            moved = self.emit("reverse", [narrow], "bf16", v.shape, axes)
            self.values = [w for w in self.values if w.dtype != "bf16"]
            return self.emit("convert", [moved], dtype, v.shape)
        return self.emit("convert", [v], dtype, v.shape)

    def reduce(self):
        v = self.pick(lambda v: v.shape)
        if not v:
            return
        axes = self.random_axes(len(v.shape))
        name = self.random.choice(["reduce_max", "reduce_min"] + (
            [] if v.dtype == "bool" else ["sum", "sum", "product", "argmax", "argmin"]))
        attributes = self.axes_text(axes)
        if name in ("sum", "product") and self.random.random() < 0.2:
            attributes += ", order = " + self.random.choice(
                ["seq", "tree(seq(4))", "tree(lanes(4,8))", "tree(lanes(16,64))", "tree(seq(512))"])
        dtype = "i32" if name in ("argmax", "argmin") else v.dtype
        self.emit(name, [v], dtype, self.keep(v.shape, axes), attributes)

    def line(self):
        v = self.pick(lambda v: v.shape and v.dtype != "bool")
        if not v:
            return
        axis = "axis = {}".format(self.random.randrange(len(v.shape)))
        if self.random.random() < 0.5:
            return self.emit("cumsum", [v], v.dtype, v.shape, axis)
        self.emit("argsort", [v], "i32", v.shape, axis + self.random.choice(["", ", descending = 1"]))

    def matmul(self):
        a = self.pick(lambda v: len(v.shape) >= 2 and v.dtype != "bool")
        if not a:
            return
        fits = lambda v: (v.dtype == a.dtype and len(v.shape) == len(a.shape) and
                          v.shape[:-2] == a.shape[:-2])
        for _ in range(8):
            b = self.pick(fits) if self.random.random() < 0.8 else a
            ta, tb = self.random.randrange(2), self.random.randrange(2)
            m, k = (a.shape[-1], a.shape[-2]) if ta else (a.shape[-2], a.shape[-1])
            kb, n = (b.shape[-1], b.shape[-2]) if tb else (b.shape[-2], b.shape[-1])
            if k == kb:
                flags = ["transpose_a = 1"] * ta + ["transpose_b = 1"] * tb
                return self.emit("matmul", [a, b], a.dtype, a.shape[:-2] + (m, n), ", ".join(flags))

    def movement(self):
        v = self.pick(lambda v: v.shape)
        if not v:
            return
        kind = self.random.randrange(7)
        rank = len(v.shape)
        axis = self.random.randrange(rank)
        if kind == 0 and rank >= 2:
            perm = list(range(rank))
            self.random.shuffle(perm)
            self.emit("transpose", [v], v.dtype, [v.shape[p] for p in perm],
                      "perm = [" + ", ".join(map(str, perm)) + "]")
        elif kind == 1 and rank <= 2:
            shape = list(v.shape)
            at = self.random.randrange(rank + 1)
            shape.insert(at, self.random.choice(["N", "M", "4", "1"]))
            axes = [i for i in range(rank + 1) if i != at]
            self.emit("broadcast", [v], v.dtype, shape, self.axes_text(axes))
        elif kind == 2:
            self.slice(v, axis)
        elif kind == 3 and rank <= 2 and v.shape[axis] in ("N", "M", "4", "3"):
            self.pad(v, axis)
        elif kind == 4 and v.shape[axis] in ("4", "3"):
            shape = list(v.shape)
            shape[axis] = str(2 * int(shape[axis]))
            other = self.like(v)
            self.emit("concat", [v, other], v.dtype, shape, "axis = {}".format(axis))
        elif kind == 5:
            self.reshape(v)
        elif kind == 6:
            self.emit("reverse", [v], v.dtype, v.shape, self.axes_text(self.random_axes(rank)))

    def slice(self, v, axis):
        start, limit, stride = ["0"] * len(v.shape), list(v.shape), ["1"] * len(v.shape)
        shape = list(v.shape)
        size = shape[axis]
        if size.isdigit() and int(size) >= 2:
            first = self.random.randrange(int(size))
            step = self.random.choice([1, 2])
            start[axis], stride[axis] = str(first), str(step)
            shape[axis] = str((int(size) - first + step - 1) // step)
        elif size in ("N", "M"):
            stride[axis] = "2"
            shape[axis] = "({} + 1)//2".format(size)
        else:
            return
        self.emit("slice", [v], v.dtype, shape, "start = [{}], limit = [{}], stride = [{}]".format(
            ", ".join(start), ", ".join(limit), ", ".join(stride)))

    def pad(self, v, axis):
        low, high, stride = (["0"] * len(v.shape), ["0"] * len(v.shape), ["1"] * len(v.shape))
        shape = list(v.shape)
        low[axis], high[axis] = "1", "2"
        shape[axis] = str(int(shape[axis]) + 3) if shape[axis].isdigit() else shape[axis] + " + 3"
        fill = self.constant(v.dtype, [])
        self.emit("pad", [v, fill], v.dtype, shape, "low = [{}], high = [{}], stride = [{}]".format(
            ", ".join(low), ", ".join(high), ", ".join(stride)))

    def reshape(self, v):
        if len(v.shape) == 2 and all(d in ("N", "M", "4", "3") for d in v.shape):
            self.emit("reshape", [v], v.dtype, ["*".join(sorted(v.shape))])
        elif len(v.shape) <= 2:
            self.emit("reshape", [v], v.dtype, ["1"] + list(v.shape))

    def index(self):
        x = self.pick(lambda v: v.shape)
        if not x:
            return
        i = self.pick(lambda v: v.dtype in ("i32", "i64") and len(v.shape) <= 1)
        kind = self.random.randrange(4)
        if kind == 0 and i and len(x.shape) + len(i.shape) <= 4:
            # Computed, so that an entry does not check it.
            j = self.emit("xor", [i, self.constant(i.dtype, i.shape)], i.dtype, i.shape)
            axis = self.random.randrange(len(x.shape))
            shape = x.shape[:axis] + j.shape + x.shape[axis + 1:]
            taken = self.emit("gather", [x, j], x.dtype, shape, "axis = {}".format(axis))
            if x.dtype != "bool" and self.random.random() < 0.5:
                self.emit("scatter_add", [x, j, taken], x.dtype, x.shape, "axis = {}".format(axis))
            if self.random.random() < 0.5:
                other = self.like(taken)
                self.emit("scatter_set", [x, j, other], x.dtype, x.shape, "axis = {}".format(axis))
        elif kind == 1:
            last = [len(x.shape) - 1]
            base = x if x.dtype != "bool" else self.emit("convert", [x], "i32", x.shape)
            row = self.keep(x.shape, last)
            best = self.emit("argmax", [base], "i32", row, self.axes_text(last))
            self.emit("pick", [x, best], x.dtype, best.shape)
        elif kind == 2 and i:
            j = self.emit("neg", [i], i.dtype, i.shape)
            self.emit("one_hot", [j], self.random.choice(FLOATS + ["bool"]), j.shape + ("4",))
        else:
            axis = self.random.randrange(len(x.shape))
            self.emit("iota", [], self.random.choice(FLOATS + INTEGERS), x.shape,
                      "axis = {}".format(axis))

    def scan(self):
        """A loop whose body is a random graph of its own."""
        inputs = [self.pick(lambda v: v.shape) for _ in range(self.random.choice([0, 1, 2]))]
        inputs = [v for v in inputs if v]
        length = inputs[0].shape[0] if inputs else self.random.choice(["N", "3", "0", "M + 1"])
        inputs = [v for v in inputs if v.shape[0] == length]
        carries = [self.pick() for _ in range(self.random.choice([0, 1, 2, 3]))]
        captured = [self.pick() for _ in range(self.random.choice([1, 2]))]
        body = Generator(self.random.random(), self.random.randrange(2, 10))
        body.depth, number = self.depth + 1, len(self.lines)
        for v in carries + inputs + captured:
            shape = v.shape[1:] if len(body.values) in range(
                len(carries), len(carries) + len(inputs)) else v.shape
            body.values.append(Value("%s{}".format(len(body.values)), v.dtype, shape))
        arguments = list(body.values)
        body.grow()
        made = [body.pick(lambda w: str(w) == str(v)) for v in arguments[:len(carries)]]
        outputs = [body.pick() for _ in range(self.random.choice([1, 1, 2]))]
        results = [Value("%v{}.{}".format(number, i), v.dtype, v.shape)
                   for i, v in enumerate(arguments[:len(carries)])]
        results += [Value("%v{}.o{}".format(number, i), v.dtype, (length,) + v.shape)
                    for i, v in enumerate(outputs)]
        declare = lambda values: ", ".join("{}: {}".format(v.name, v) for v in values)
        text = "  {} = scan {} {{carries = {}, inputs = {}, length = [{}]{}}} region({}) {{\n".format(
            declare(results), ", ".join(v.name for v in carries + inputs + captured), len(carries),
            len(inputs), length, self.random.choice(["", ", backwards = 1"]), declare(arguments))
        text += "".join("  " + line.replace("\n", "\n  ") + "\n" for line in body.lines)
        text += "    yield {}\n  }}".format(", ".join(v.name for v in made + outputs))
        self.lines.append(text)
        self.values += [v for v in results if len(v.shape) <= 3]

    def draw(self):
        seed = [v for v in self.values if v.name in ("%seed", "%step", "%row_offset")]
        like = self.pick()
        name = self.random.choice(["random_bits", "uniform", "normal"])
        dtype = "i32" if name == "random_bits" else self.random.choice(["f32", "f32", "f64"])
        self.emit(name, seed, dtype, like.shape, 'stream = "s{}"'.format(self.random.randrange(3)))

    def rows(self):
        """Softmax or normalization over the last axis."""
        x = self.pick(lambda v: v.dtype == "f32" and len(v.shape) >= 1)
        if not x:
            return
        last = [len(x.shape) - 1]
        row = self.keep(x.shape, last)
        back = self.axes_text(range(len(row)))
        name = self.random.choice(["reduce_max", "sum"])
        top = self.emit(name, [x], "f32", row, self.axes_text(last))
        wide = self.emit("broadcast", [top], "f32", x.shape, back)
        moved = self.emit("sub", [x, wide], "f32", x.shape)
        power = self.emit(self.random.choice(["exp", "tanh", "abs"]), [moved], "f32", x.shape)
        total = self.emit("sum", [power], "f32", row, self.axes_text(last))
        wide = self.emit("broadcast", [total], "f32", x.shape, back)
        self.emit("div", [power, wide], "f32", x.shape)

    # ---- the module ----

    def module(self):
        arguments = [Value("%x", "f32", ["N", "M"]), Value("%y", "f32", ["N", "4"]),
                     Value("%z", "f64", ["M"]), Value("%i", "i32", ["N"]),
                     Value("%k", "i64", ["M", "3"]), Value("%b", "bool", ["N", "M"]),
                     Value("%u", "u8", ["N", "4"]), Value("%a", "f32", [])]
        state = [Value("%w", "f32", ["4", "3"]), Value("%v", "f32", ["3"]),
                 Value("%seed", "i64", []), Value("%step", "i64", [])]
        row = Value("%row_offset", "i64", [])
        self.values = arguments + state + [row]
        inputs = len(self.values)
        self.grow([self.draw])
        made = self.values[inputs:]
        results = [v for v in made if self.random.random() < 0.4] or made[-1:]
        updates = []
        for tensor in state:
            new = [v for v in made if v.dtype == tensor.dtype and v.shape == tensor.shape]
            if new:
                updates.append((tensor.name[1:], self.random.choice(new).name))
        declare = lambda values: ", ".join("{}: {}".format(v.name, v) for v in values)
        text = "module random\n"
        for tensor in state:
            text += "state {}: {} {}\n".format(tensor.name[1:], tensor,
                                               "counter" if tensor.dtype == "i64" else "parameter")
        text += "\nfunc @f dims(N, M) ({}) state({}) exec({}) {{\n".format(
            declare(arguments), declare(state), declare([row]))
        text += "\n".join(self.lines) + "\n"
        text += "  return " + ", ".join("r{} = {}".format(n, v.name) for n, v in enumerate(results))
        if updates:
            text += "\n  update " + ", ".join("{} = {}".format(*u) for u in updates)
        return text + "\n}\n"

    def grow(self, more=()):
        """Adds the lines of a graph."""
        steps = ([self.unary] * 4 + [self.binary] * 6 + [self.compare, self.ternary, self.convert] +
                 [self.reduce] * 3 + [self.line] + [self.matmul] * 2 + [self.movement] * 4 + [self.index] * 2 +
                 [self.rows] + list(more))
        if self.depth < 2:
            steps += [self.scan] * 2
        while len(self.lines) < self.ops:
            self.random.choice(steps)()


if __name__ == "__main__":
    op_count = int(sys.argv[2]) if len(sys.argv) > 2 else 40
    sys.stdout.write(Generator(int(sys.argv[1]), op_count).module())
