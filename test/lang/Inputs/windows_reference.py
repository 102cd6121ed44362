# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolution and pooling by their definitions, one element at a time.

usage: windows_reference.py MODEL RUNS

Writes a model with an entry point per case, and run lines for apr-run with the values that the
definitions give. Operands are small integers, so sums are exact in any order.
"""
import itertools
import math
import random
import sys


class Tensor:
    def __init__(self, shape, data=None):
        self.shape = list(shape)
        self.data = data or {}

    def __getitem__(self, index):
        return self.data.get(tuple(index), 0)

    def add(self, index, value):
        index = tuple(index)
        self.data[index] = self.data.get(index, 0) + value

    def flat(self):
        return [self[i] for i in itertools.product(*map(range, self.shape))]


def make(rng, shape, least=-4):
    """No zeros, so that a sum of 0 is not -0."""
    tensor = Tensor(shape)
    for index in itertools.product(*map(range, shape)):
        tensor.data[index] = rng.choice([n for n in range(least, 5) if n != 0])
    return tensor


def counts(sizes, kernel, stride, pads, dilation):
    return [(n + lo + hi - (k - 1) * d - 1) // s + 1
            for n, k, s, (lo, hi), d in zip(sizes, kernel, stride, pads, dilation)]


def positions(window, k, stride, pads, dilation):
    return [i * s + j * d - lo for i, j, s, (lo, _), d in zip(window, k, stride, pads, dilation)]


def inside(position, sizes):
    return all(0 <= p < n for p, n in zip(position, sizes))


def conv(x, w, stride, pads, dilation, groups):
    batch, *sizes, channels = x.shape
    *kernel, per_group, outputs = w.shape
    result = Tensor([batch, *counts(sizes, kernel, stride, pads, dilation), outputs])
    for b, *window, o in itertools.product(*map(range, result.shape)):
        g = o // (outputs // groups)
        for k in itertools.product(*map(range, kernel)):
            at = positions(window, k, stride, pads, dilation)
            if inside(at, sizes):
                for i in range(per_group):
                    result.add([b, *window, o], x[[b, *at, g * per_group + i]] * w[[*k, i, o]])
    return result


def conv_transpose(x, w, stride, pads, dilation, groups, extra):
    """Every input element spreads its multiple of the kernel over the output."""
    batch, *sizes, channels = x.shape
    *kernel, _, per_group = w.shape
    out = [(n - 1) * s + (k - 1) * d + 1 + e - lo - hi
           for n, k, s, (lo, hi), d, e in zip(sizes, kernel, stride, pads, dilation, extra)]
    result = Tensor([batch, *out, per_group * groups])
    for b, *window, c in itertools.product(*map(range, x.shape)):
        g = c // (channels // groups)
        for k in itertools.product(*map(range, kernel)):
            at = positions(window, k, stride, pads, dilation)
            if inside(at, out):
                for o in range(per_group):
                    result.add([b, *at, g * per_group + o], x[[b, *window, c]] * w[[*k, c, o]])
    return result


def pool(x, kernel, stride, pads, dilation, reduce):
    batch, *sizes, channels = x.shape
    result = Tensor([batch, *counts(sizes, kernel, stride, pads, dilation), channels])
    for b, *window, c in itertools.product(*map(range, result.shape)):
        values = []
        for k in itertools.product(*map(range, kernel)):
            at = positions(window, k, stride, pads, dilation)
            if inside(at, sizes):
                values.append(x[[b, *at, c]])
        result.data[(b, *window, c)] = reduce(values, math.prod(kernel))
    return result


def adaptive(x, count, reduce):
    batch, *sizes, channels = x.shape
    result = Tensor([batch, *count, channels])
    for b, *window, c in itertools.product(*map(range, result.shape)):
        ranges = [range(i * n // m, -(-(i + 1) * n // m)) for i, n, m in zip(window, sizes, count)]
        values = [x[[b, *at, c]] for at in itertools.product(*ranges)]
        result.data[(b, *window, c)] = reduce(values, len(values))
    return result


def maximum(values, _):
    return max(values)


def mean(values, count):
    return sum(values) / count


def mean_inside(values, _):
    return sum(values) / len(values)


def text(number):
    return repr(float(number))


def array(tensor):
    return "[" + ", ".join(map(text, tensor.flat())) + "]"


class Cases:
    def __init__(self):
        self.rng = random.Random(7)
        self.members, self.entries, self.runs = [], [], []

    def add(self, call, operands, result, state={}):
        name = f"c{len(self.entries)}"
        shapes = [["B", *x.shape[1:]] if name == "x" else x.shape for name, x in operands.items()]
        parameters = ", ".join(f"{key}: f32[{', '.join(map(str, shape))}]"
                               for key, shape in zip(operands, shapes))
        self.entries.append(f"  entry {name}({parameters}) = {call}")
        values = ", ".join(f"{key} = {array(x)}" for key, x in {**operands, **state}.items())
        self.runs.append(f"// run: @{name} dims(B={result.shape[0]}) ({values}) -> "
                         f"result = {array(result)}")

    def conv(self, size, kernel, channels, outputs, batch=2, stride=1, padding=0, dilation=1,
             groups=1, given=None):
        n = len(size)
        x = make(self.rng, [batch, *size, channels])
        w = make(self.rng, [*kernel, channels // groups, outputs])
        stride, dilation = each(stride, n), each(dilation, n)
        pads = pairs(padding, n)
        call = f"conv(x, w{arguments(stride, given or padding, dilation, groups)})"
        self.add(call, {"x": x, "w": w}, conv(x, w, stride, pads, dilation, groups))

    def transposed(self, size, kernel, channels, outputs, batch=2, stride=1, padding=0, dilation=1,
                   groups=1, extra=0):
        n = len(size)
        x = make(self.rng, [batch, *size, channels], least=1)
        w = make(self.rng, [*kernel, channels, outputs // groups])
        stride, dilation, extra = each(stride, n), each(dilation, n), each(extra, n)
        pads = pairs(padding, n)
        call = f"conv_transpose(x, w{arguments(stride, padding, dilation, groups)}"
        call += f", output_padding = {extra})"
        self.add(call, {"x": x, "w": w},
                 conv_transpose(x, w, stride, pads, dilation, groups, extra))

    def pool(self, size, kernel, channels=3, batch=2, stride=None, padding=0, dilation=1):
        n = len(size)
        x = make(self.rng, [batch, *size, channels])
        steps = each(stride or kernel, n)
        pads, dilations = pairs(padding, n), each(dilation, n)
        rest = f"{kernel}" + (f", stride = {stride}" if stride else "")
        rest += f", padding = {show(padding)}, dilation = {dilation}"
        for name, extra, reduce in [("window_max", "", maximum), ("window_mean", "", mean),
                                    ("window_mean", ", count_padding = false", mean_inside)]:
            self.add(f"{name}(x, {rest}{extra})", {"x": x},
                     pool(x, each(kernel, n), steps, pads, dilations, reduce))

    def adaptive(self, size, count, channels=3, batch=2):
        x = make(self.rng, [batch, *size, channels])
        counts = each(count, len(size))
        for name, reduce in [("adaptive_max", maximum), ("adaptive_mean", mean)]:
            self.add(f"{name}(x, {count})", {"x": x}, adaptive(x, counts, reduce))


    def layer(self, constructor, size, channels, compute, weight=None, outputs=0, batch=2):
        """A layer with given parameters; `compute` is its definition without the bias."""
        name = f"m{len(self.members)}"
        self.members.append(f"  {name} = {constructor}")
        x = make(self.rng, [batch, *size, channels], least=1)
        parameters = {}
        if weight:
            parameters = {"weight": make(self.rng, weight), "bias": make(self.rng, [outputs])}
        result = compute(x, *list(parameters.values())[:1])
        for index in itertools.product(*map(range, result.shape)) if weight else []:
            result.add(index, parameters["bias"][[index[-1]]])
        self.add(f"{name}(x)", {"x": x}, result,
                 {f"{name}.{key}": value for key, value in parameters.items()})

    def layers(self):
        pair, one = [(1, 1), (1, 1)], [1, 1]
        self.layer("Conv1d(2, 3, 4, stride = 3)", [11], 2,
                   lambda x, w: conv(x, w, [3], [(0, 0)], [1], 1), [4, 2, 3], 3)
        self.layer("Conv2d(4, 6, [3, 2], padding = 1, dilation = [1, 2], groups = 2)", [5, 6], 4,
                   lambda x, w: conv(x, w, one, pair, [1, 2], 2), [3, 2, 2, 6], 6)
        self.layer("Conv3d(2, 3, 2)", [3, 4, 2], 2,
                   lambda x, w: conv(x, w, [1] * 3, [(0, 0)] * 3, [1] * 3, 1), [2, 2, 2, 2, 3], 3)
        self.layer("DepthwiseConv2d(3, 3, padding = 1, multiplier = 2)", [4, 5], 3,
                   lambda x, w: conv(x, w, one, pair, one, 3), [3, 3, 1, 6], 6)
        self.layer("ConvTranspose1d(2, 3, 4, stride = 2, padding = 1)", [5], 2,
                   lambda x, w: conv_transpose(x, w, [2], [(1, 1)], [1], 1, [0]), [4, 2, 3], 3)
        self.layer("ConvTranspose2d(4, 6, 3, stride = 2, padding = 1, output_padding = 1, "
                   "groups = 2)", [3, 4], 4, lambda x, w: conv_transpose(x, w, [2, 2], pair, one, 2, one),
                   [3, 3, 4, 3], 6)
        self.layer("ConvTranspose3d(2, 3, [1, 2, 2], stride = 2)", [2, 2, 3], 2,
                   lambda x, w: conv_transpose(x, w, [2] * 3, [(0, 0)] * 3, [1] * 3, 1, [0] * 3),
                   [1, 2, 2, 2, 3], 3)
        for n, size in [(1, [9]), (2, [6, 8]), (3, [4, 6, 4])]:
            none, ones = [(0, 0)] * n, [1] * n
            self.layer(f"MaxPool{n}d(2)", size, 3,
                       lambda x: pool(x, [2] * n, [2] * n, none, ones, maximum))
            self.layer(f"AvgPool{n}d(3, stride = 1, padding = 1, count_padding = false)", size, 3,
                       lambda x: pool(x, [3] * n, ones, [(1, 1)] * n, ones, mean_inside))
        self.layer("AdaptiveAvgPool1d(3)", [7], 3, lambda x: adaptive(x, [3], mean))
        self.layer("AdaptiveAvgPool2d([2, 3])", [7, 5], 3, lambda x: adaptive(x, [2, 3], mean))
        self.layer("AdaptiveMaxPool2d(2)", [7, 5], 3, lambda x: adaptive(x, [2, 2], maximum))


def each(value, n):
    return list(value) if isinstance(value, (list, tuple)) else [value] * n


def pairs(padding, n):
    return [p if isinstance(p, tuple) else (p, p) for p in each(padding, n)]


def show(value):
    return f'"{value}"' if isinstance(value, str) else str(value)


def arguments(stride, padding, dilation, groups):
    return (f", stride = {stride}, padding = {show(padding)}, dilation = {dilation}, "
            f"groups = {groups}")


def main():
    c = Cases()
    # One, two and three axes; stride, padding, dilation and groups by themselves and together.
    c.conv([9], [3], 2, 3)
    c.conv([9], [3], 2, 3, stride=2, padding=1)
    c.conv([11], [3], 4, 4, dilation=3, groups=2)
    c.conv([5, 6], [3, 3], 1, 2)
    c.conv([5, 6], [2, 3], 3, 17)
    c.conv([6, 7], [3, 2], 4, 6, stride=[2, 3], padding=[(1, 2), (0, 1)], dilation=[1, 2], groups=2)
    c.conv([6, 5], [3, 3], 5, 5, padding=1, groups=5)
    c.conv([6, 5], [3, 3], 3, 6, padding=1, groups=3, stride=2)
    c.conv([7, 7], [1, 1], 3, 4, stride=2)
    c.conv([7, 7], [7, 7], 2, 3)
    c.conv([3, 4, 5], [2, 2, 3], 2, 3, padding=1, stride=[1, 2, 2])
    c.conv([5, 6], [2, 3], 2, 2, padding=[(0, 1), (1, 1)], given="same")
    c.conv([7, 6], [4, 3], 2, 2, stride=2, padding=[(1, 2), (1, 1)], given="same")
    c.conv([7, 6], [2, 3], 2, 2, dilation=2, padding=[(1, 1), (2, 2)], given="same")
    c.conv([5, 6], [2, 3], 2, 2, given="valid")
    c.transposed([4], [3], 2, 3, stride=2)
    c.transposed([4], [3], 2, 3, stride=2, padding=1, extra=1)
    c.transposed([3, 4], [3, 3], 2, 3)
    c.transposed([3, 4], [2, 2], 2, 3, stride=2)
    c.transposed([3, 4], [3, 4], 4, 6, stride=[2, 3], padding=[(1, 0), (1, 2)], groups=2)
    c.transposed([3, 4], [2, 1], 2, 3, stride=3, extra=[2, 1])
    c.transposed([3, 4], [3, 2], 2, 3, stride=2, dilation=2)
    c.transposed([3, 4], [3, 3], 3, 3, dilation=[2, 1], groups=3)
    c.transposed([2, 3, 2], [2, 3, 2], 2, 3, stride=[1, 2, 2], padding=[0, 1, 0])
    c.pool([9], 3)
    c.pool([6, 8], 2)
    c.pool([7, 7], 3, stride=2, padding=1)
    c.pool([7, 8], [2, 3], stride=1, dilation=2)
    c.pool([6, 7], [3, 2], stride=[2, 1], padding=[(1, 1), (0, 1)])
    c.pool([4, 4, 6], 2)
    c.adaptive([7], 3)
    c.adaptive([6, 8], [3, 2])
    c.adaptive([7, 5], [3, 4])
    c.adaptive([3, 2], [5, 2])
    c.adaptive([5, 4], 1)
    c.layers()
    with open(sys.argv[1], "w") as file:
        file.write("model Cases {\n" + "\n".join(c.members + c.entries) + "\n}\n")
    with open(sys.argv[2], "w") as file:
        file.write("\n".join(c.runs) + "\n")


main()
