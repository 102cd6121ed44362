# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recovers from results alone in which order a compiled model adds, and compares it with the order that
the printed IR states: README.md."""

import argparse
import random
import re
import struct
import sys
import tempfile
from ctypes import c_double, c_float, c_int32
from math import prod
from pathlib import Path

import models
import reductions
from compiled import Model
from trees import NotATree, Order, reveal

# Swallows any number of ones that a sum here can have, in f64 too.
HUGE = 2.0 ** 100


class Bench:
    """The inputs and results of one reduction, with ones in all inputs."""

    def __init__(self, model, reduction):
        self.reduction = reduction
        number = c_double if reduction.dtype == "f64" else c_float
        self.inputs = [self._input(shape, number) for shape in reduction.shapes]
        self.result = (number * prod(reduction.result))()
        self.run = model.bind(reduction.name, self.inputs, [self.result])

    @staticmethod
    def _input(shape, number):
        if shape[0] == "index":
            return (c_int32 * shape[1])()
        return (number * prod(shape))(*[1.0] * prod(shape))

    def fill(self, value):
        for shape, array in zip(self.reduction.shapes, self.inputs):
            if shape[0] != "index":
                array[:] = [value] * len(array)

    def results(self, questions):
        """The sums with some terms changed, a dictionary for each probe."""
        found = []
        for start in range(0, len(questions), self.reduction.probes):
            batch = questions[start:start + self.reduction.probes]
            places = [(self.inputs[array], index, value) for p, terms in enumerate(batch)
                      for term, value in terms.items()
                      for array, index in [self.reduction.place(term, p)]]
            kept = [array[index] for array, index, _ in places]
            for array, index, value in places:
                array[index] = value
            self.run()
            for (array, index, _), value in zip(places, kept):
                array[index] = value
            for p in range(len(batch)):
                seen = {struct.pack("d", self.result[at]) for at in self.reduction.read(p)}
                if len(seen) != 1:
                    raise NotATree("results that have the same terms differ")
                found.append(struct.unpack("d", seen.pop())[0])
        return found


def stated_order(model, reduction):
    if reduction.order:
        return reduction.order
    orders = model.orders(reduction.name)
    if len(orders) != 1:
        raise NotATree(f"the IR states {len(orders)} orders")
    return orders[0]


def probe_sum(model, reduction):
    """What differs between the order that is stated and the one that is seen."""
    bench = Bench(model, reduction)
    order = stated_order(model, reduction)
    stated = Order(order, reduction.terms)
    seen = reveal(reduction.terms,
                  lambda pairs: bench.results([{i: HUGE, j: -HUGE} for i, j in pairs]))
    if seen != stated.clusters():
        yield f"adds in another order than {order}: {len(seen - stated.clusters())} sums differ"
    if reduction.is_contraction:
        yield from probe_fusion(bench, stated)
        return
    bench.fill(-0.0)
    if struct.pack("d", bench.results([{}])[0]) != struct.pack("d", -0.0):
        yield "the sum of -0 is not -0: something is added to the first term"


def probe_fusion(bench, stated):
    """A product that cancels what was added before leaves its rounding error where it is fused with the
    addition, and nothing where it is rounded first."""
    exponent = 27 if bench.reduction.dtype == "f64" else 12
    factor, error = 1 + 2.0 ** -exponent, 2.0 ** (-2 * exponent)
    probed = bench.reduction.place(0, 0)[0]
    for number, array in enumerate(bench.inputs):
        array[:] = [0.0 if number == probed else factor] * len(array)
    found = bench.results([{i - 1: -factor, i: factor} for i in range(1, bench.reduction.terms)])
    chains = {id(term): number for number, chain in enumerate(stated.chains) for term in chain}
    of = [chains[id(term)] for term in stated.terms]
    expected = [error if before == after else 0.0 for before, after in zip(of, of[1:])]
    wrong = [i + 1 for i, pair in enumerate(zip(found, expected)) if pair[0] != pair[1]]
    if wrong:
        yield f"products are not fused with sums as stated, first term {wrong[0]}"


def probe_product(model, reduction, samples=4096):
    """A 2 overflows where it meets a huge factor before the tiny one does, so that the result shows
    which of two factors joins a third one first."""
    bench = Bench(model, reduction)
    order = stated_order(model, reduction)
    stated = Order(order, reduction.terms)
    chosen = random.Random(reduction.terms)
    triples = [chosen.sample(range(reduction.terms), 3) for _ in range(samples)]
    found = bench.results([{i: 2.0 ** 127, j: 2.0 ** -127, k: 2.0} for i, j, k in triples])
    for (i, j, k), value in zip(triples, found):
        expected = float("inf") if stated.meeting(i, k) < stated.meeting(i, j) else 2.0
        if value != expected:
            yield f"multiplies in another order than {order}: factors {i}, {j} and {k}"
            return


def probe_reductions(arguments, flags, folder, size):
    cases = [(probe_sum, r) for r in reductions.additions(size)]
    cases += [(probe_product, r) for r in reductions.products(size)]
    cases = [case for case in cases if re.search(arguments.only, case[1].name)]
    source = Path(folder) / f"size{size}.apir"
    source.write_text("module Probe\n" + "".join(r.text() for _, r in cases))
    model = Model(arguments.aprc, source, flags, arguments.workers, folder)
    for probe, reduction in cases:
        yield reduction.name, lambda: probe(model, reduction)


def probe_size(arguments, folder, size):
    flags = arguments.flags.split()
    yield from probe_reductions(arguments, flags, folder, size)
    for name, probe in models.probes(arguments.aprc, flags, arguments.workers, folder, size):
        if re.search(arguments.only, name):
            yield name, probe


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("aprc")
    parser.add_argument("--sizes", default="5,33,100,513,1000,4097")
    parser.add_argument("--flags", default="", help="of the compiler, separated by blanks")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="", help="a pattern of names of reductions")
    arguments = parser.parse_args()
    failures = count = 0
    with tempfile.TemporaryDirectory() as folder:
        for size in map(int, arguments.sizes.split(",")):
            for name, probe in probe_size(arguments, folder, size):
                try:
                    problems = list(probe())
                except NotATree as problem:
                    problems = [str(problem)]
                count += 1
                failures += bool(problems)
                for problem in problems:
                    print(f"{name} of {size}: {problem}")
    print(f"{count} reductions, {failures} not as stated")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
