# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The probe finds the order of sums that are computed here, and tells orders apart."""

import itertools
import struct

from trees import NotATree, Order, reveal

ORDERS = ["seq", "tree(seq(1))", "tree(seq(7))", "tree(lanes(4,8))", "tree(lanes(32,64))",
          "tree(4,tree(seq(9)))", "tree(S,tree(2,seq))"]


def rounded(value):
    return struct.unpack("f", struct.pack("f", value))[0]


def seen(count, order):
    def ask(pairs):
        answers = []
        for i, j in pairs:
            values = [1.0] * count
            values[i], values[j] = 2.0 ** 100, -(2.0 ** 100)
            answers.append(order.evaluate(values, rounded))
        return answers

    return reveal(count, ask)


for count in (4, 8, 40, 100):
    stated = {text: Order(text, count, {"S": "2"}) for text in ORDERS}
    for text, order in stated.items():
        assert seen(count, order) == order.clusters(), (count, text)
        assert len(order.clusters()) == count - 1
    if count == 100:
        for a, b in itertools.combinations(ORDERS, 2):
            assert stated[a].clusters() != stated[b].clusters(), (a, b)

# Four terms added at once are no tree of additions of two.
try:
    reveal(4, lambda pairs: [0 if i + j == 3 else 1 for i, j in pairs])
    raise SystemExit("an impossible tree was not noticed")
except NotATree:
    print("all as expected")
