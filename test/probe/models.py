# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sums inside of training steps and of functions that are not linear."""

import math
import random
import struct
from ctypes import c_float, c_int64
from pathlib import Path

from compiled import Model
from trees import Order, reveal

HUGE = 2.0 ** 100

STEPS = """model Steps(parts: int) {
  line = Linear(1, 1)
  train step(x: real[B, 1]) shards parts {
    minimize mean(line(x))
    report total = mean(x)
    using sgd(lr = 1)
  }
}
"""
FUNCTIONS = """model Functions(n: int) {
  norm = LayerNorm(n)
  entry averages(x: real[P, n]) -> real[P] = mean(x, axis = 1)
  entry probabilities(x: real[P, n]) -> real[P, n] = softmax(x)
  entry normal(x: real[P, n]) -> real[P, n] = norm(x)
}
"""


def rounded(value):
    return struct.unpack("f", struct.pack("f", value))[0]


class Step:
    """One training step on rows whose mean is minimized. What comes out is divided by the number of rows,
    which leaves a rounding error far below one row's share."""

    def __init__(self, model, rows):
        self.model, self.rows = model, rows
        self.x = (c_float * rows)(*[1.0] * rows)
        self.reports = [(c_float * 1)(), (c_float * 1)()]
        self.weight, self.bias = (c_float.from_buffer(model.state, model.offset(tensor))
                                  for tensor in ("line.weight", "line.bias"))
        self.run = model.bind("step", [self.x], self.reports, dims=[rows])

    def outcome(self, report):
        """A report, or the gradient: a weight of zero less the gradient is the new weight."""
        self.weight.value, self.bias.value = (0.0 if report is None else 1.0), 0.0
        self.run()
        found = -self.weight.value if report is None else self.reports[report][0]
        return round(found * self.rows)

    def ask(self, report, pairs):
        answers = []
        for i, j in pairs:
            self.x[i], self.x[j] = HUGE, -HUGE
            answers.append(self.outcome(report))
            self.x[i] = self.x[j] = 1.0
        return answers


def probe_step(model, rows, parts, report):
    """The parts of a batch are added as the order of equal ranges adds."""
    operation = "matmul" if report is None else "sum"
    order = model.orders("step.grad", operation)[-1]
    stated = Order(f"tree({parts},{order})" if parts > 1 else order, rows)
    step = Step(model, rows)
    seen = reveal(rows, lambda pairs: step.ask(report, pairs))
    if seen != stated.clusters():
        yield f"adds the rows of {parts} parts in another order than {order}"


def probe_mean(model, size, probes=64):
    x, result = (c_float * (probes * size))(*[1.0] * (probes * size)), (c_float * probes)()
    run = model.bind("averages", [x], [result], dims=[probes])

    def ask(pairs):
        answers = []
        for start in range(0, len(pairs), probes):
            batch = pairs[start:start + probes]
            for p, (i, j) in enumerate(batch):
                x[p * size + i], x[p * size + j] = HUGE, -HUGE
            run()
            for p, (i, j) in enumerate(batch):
                x[p * size + i] = x[p * size + j] = 1.0
                answers.append(round(result[p] * size))
        return answers

    if reveal(size, ask) != Order(model.orders("averages")[0], size).clusters():
        yield "adds in another order than stated"


def softmax(row, orders):
    most = max(row)
    powers = [rounded(math.exp(rounded(x - most))) for x in row]
    total = Order(orders[0], len(row)).evaluate(powers, rounded)
    return [rounded(power / total) for power in powers]


def layer_norm(row, orders):
    count = float(len(row))
    mean = rounded(Order(orders[0], len(row)).evaluate(row, rounded) / count)
    distances = [rounded(x - mean) for x in row]
    squares = [rounded(d * d) for d in distances]
    variance = rounded(Order(orders[1], len(row)).evaluate(squares, rounded) / count)
    deviation = rounded(math.sqrt(rounded(variance + rounded(1e-5))))
    return [rounded(d / deviation) for d in distances]


def probe_function(model, size, entry, function, rows=8):
    """Computed here in the stated order, and in others, which must be told apart."""
    chosen = random.Random(size)
    count = rows * size
    x = (c_float * count)(*[rounded(chosen.gauss(0, 2)) for _ in range(count)])
    result = (c_float * count)()
    model.bind(entry, [x], [result], dims=[rows])()

    def agree(orders):
        return all(list(result[r * size:(r + 1) * size]) == function(x[r * size:(r + 1) * size], orders)
                   for r in range(rows))

    orders = model.orders(entry)
    if not agree(orders):
        yield f"has other bits than in the orders {orders}"
    if size >= 100 and any(agree([other] * len(orders)) for other in ("seq", "tree(seq(1))",
                                                                     "tree(lanes(8,4096))")):
        yield "has the same bits in another order, so this shows nothing"


def probes(aprc, flags, workers, folder, size):
    """Names, and functions that yield what is wrong."""
    def make(name, text, setting):
        source = Path(folder) / name
        source.write_text(text)
        model = Model(aprc, str(source), [f"--set={setting}", *flags], workers, folder)
        model.bind("init", [c_int64(0)], [])()
        return model

    for parts in (1, 4) if size % 4 == 0 else (1,):
        model = make("steps.apr", STEPS, f"parts={parts}")
        for name, report in (("loss", 0), ("report", 1), ("gradient", None)):
            yield f"step_{name}_{parts}", lambda: probe_step(model, size, parts, report)
    model = make("functions.apr", FUNCTIONS, f"n={size}")
    yield "mean", lambda: probe_mean(model, size)
    yield "softmax", lambda: probe_function(model, size, "probabilities", softmax)
    yield "layer_norm", lambda: probe_function(model, size, "normal", layer_norm)
