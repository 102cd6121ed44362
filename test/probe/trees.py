# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Summation trees: what the text of an order means (docs/ops.md), and what a computation does.

A tree over terms 0 … n - 1 is given by its clusters, the sets of terms below each addition; a cluster is
kept as the sum of random numbers that stand for its terms. This file knows nothing of the compiler."""

import random
import re

random.seed(4)
LABELS = [random.getrandbits(64) for _ in range(1 << 15)]


class Node:
    """A term, or the addition of two nodes."""

    def __init__(self, label, size, left=None, right=None):
        self.label, self.size, self.parent = label % (1 << 64), size, None
        self.left, self.right = left, right


class Order:
    """What the text of an order says about `count` terms; `dims` are values of names in it."""

    def __init__(self, text, count, dims=()):
        self.terms = [Node(LABELS[i], 1) for i in range(count)]
        self.additions = []  # each after those of its operands
        self.chains = []  # the terms of each; all but the first are added by the chain's own operation
        self._follow(text.replace(" ", ""), self.terms, dict(dims))

    def clusters(self):
        return {addition.label for addition in self.additions}

    def evaluate(self, values, rounded):
        """The sum, every addition rounded."""
        found = dict(zip(self.terms, values))
        for addition in self.additions:
            found[addition] = rounded(found[addition.left] + found[addition.right])
        return found[self.additions[-1] if self.additions else self.terms[0]]

    def meeting(self, i, j):
        """How many terms the smallest cluster with terms i and j has."""
        above, node = set(), self.terms[i]
        while node:
            above.add(node)
            node = node.parent
        node = self.terms[j]
        while node not in above:
            node = node.parent
        return node.size

    def _add(self, left, right):
        """Either may be none, a lane without terms, which leaves the other."""
        if left is None or right is None:
            return left or right
        addition = Node(left.label + right.label, left.size + right.size, left, right)
        left.parent = right.parent = addition
        self.additions.append(addition)
        return addition

    def _chain(self, terms):
        self.chains.append(terms)
        total = None
        for term in terms:
            total = self._add(total, term)
        return total

    def _lanes(self, terms, width):
        lanes = [self._chain(terms[lane::width]) for lane in range(width)]
        while len(lanes) > 1:
            half = len(lanes) // 2
            lanes = [self._add(lanes[j], lanes[j + half]) for j in range(half)]
        return lanes[0]

    def _binary(self, parts):
        while len(parts) > 1:
            pairs = [parts[i:i + 2] for i in range(0, len(parts), 2)]
            parts = [self._add(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return parts[0]

    def _follow(self, order, terms, dims):
        def pieces(length):
            return [terms[i:i + length] for i in range(0, len(terms), length)]

        if order == "seq":
            return self._chain(terms)
        if leaf := re.fullmatch(r"tree\(seq\((\d+)\)\)", order):
            return self._binary([self._chain(piece) for piece in pieces(int(leaf[1]))])
        if leaf := re.fullmatch(r"tree\(lanes\((\d+),(\d+)\)\)", order):
            blocks = pieces(int(leaf[2]))
            return self._binary([self._lanes(block, int(leaf[1])) for block in blocks])
        if ranges := re.fullmatch(r"tree\((\w+),(.*)\)", order):
            count = int(dims.get(ranges[1], ranges[1]))
            parts = pieces(len(terms) // count)
            return self._binary([self._follow(ranges[2], part, dims) for part in parts])
        raise ValueError(f"an order that docs/ops.md does not know: {order}")


class NotATree(Exception):
    """What was seen is no order of additions of two."""


def reveal(count, ask):
    """The clusters of a sum of which only results are seen. ask([(i, j), …]) tells for each pair how many
    terms join only after i and j have met: with a number at i that swallows ones, its negative at j and
    ones elsewhere, that is the sum. The terms that meet the first one in the same cluster make up its
    sibling, which is revealed in the same way."""
    clusters, subtrees = set(), [list(range(count))]
    while subtrees:
        answers = iter(ask([(terms[0], other) for terms in subtrees for other in terms[1:]]))
        below = []
        for terms in subtrees:
            siblings = {}
            for other in terms[1:]:
                siblings.setdefault(count - next(answers), []).append(other)
            inside, size = LABELS[terms[0]], 1
            for meeting in sorted(siblings):
                sibling = siblings[meeting]
                size += len(sibling)
                if size != meeting:
                    raise NotATree(f"terms {terms[0]} and {sibling[0]} meet among {meeting} terms, "
                                   f"but {size} meet there or before")
                inside = (inside + sum(LABELS[term] for term in sibling)) % (1 << 64)
                clusters.add(inside)
                if len(sibling) > 1:
                    below.append(sibling)
        subtrees = below
    return clusters
