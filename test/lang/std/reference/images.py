# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prints the runs of images.apr: the formula of resize in exact fractions, one axis after another."""

import itertools
import math
import textwrap
from fractions import Fraction


def weights(n, m, mode):
    """For each of m places the elements of n that it is made of, with their weights."""
    for i in range(m):
        if mode == "nearest":
            yield {math.floor(Fraction(i * n, m)): Fraction(1)}
            continue
        place = min(max((i + Fraction(1, 2)) * n / m - Fraction(1, 2), Fraction(0)), Fraction(n - 1))
        below = math.floor(place)
        found = {below: 1 - (place - below)}
        if below + 1 < n:
            found[below + 1] = place - below
        yield found


def resize(x, shape, sizes, mode):
    """x is a map from coordinates [batch, sizes.., channel] to numbers."""
    shape = list(shape)
    for axis, m in enumerate(sizes, start=1):
        rows = list(weights(shape[axis], m, mode))
        shape[axis] = m
        x = {at: sum(w * x[at[:axis] + (j,) + at[axis + 1:]] for j, w in rows[at[axis]].items())
             for at in itertools.product(*map(range, shape))}
    return x


def numbers(count, step):
    """Unequal sixteenths, which every dtype holds."""
    return [Fraction((i * step + i * i) % 37 - 11, 16) for i in range(count)]


def tensor(shape, step=7):
    places = list(itertools.product(*map(range, shape)))
    return dict(zip(places, numbers(len(places), step)))


def text(values):
    return "[" + ", ".join(repr(float(v)) for v in values) + "]"


def show(function, shape, arguments, results):
    dims = ", ".join(f"{d}={n}" for d, n in shape.items())
    given = ", ".join(f"{n} = {text(v)}" for n, v in arguments.items())
    found = ", ".join(f"{n} ~ {text(v)}" for n, v in results.items())
    line = f"run: @{function} dims({dims}) ({given}) -> {found}"
    print("\n".join(textwrap.wrap(line, 100, initial_indent="// ", subsequent_indent="//     ",
                                  break_long_words=False)))


def cases(function, dims, *calls):
    shape = tuple(dims.values())
    x = tensor(shape)
    show(function, dims, {"x": x.values()},
         {name: resize(x, shape, sizes, mode).values() for name, sizes, mode in calls})


for w in (1, 2, 3, 7):
    cases("lines", {"B": 2, "W": w, "C": 2}, ("up", [3 * w], "linear"), ("two", [2], "linear"),
          ("near", [5], "nearest"))
for h, w in ((1, 1), (2, 2), (3, 5)):
    cases("images", {"B": 1, "H": h, "W": w, "C": 2}, ("near", [2 * h, 2 * w], "nearest"),
          ("smooth", [2 * h, 3 * w], "linear"), ("fixed", [3, 2], "linear"))
cases("volumes", {"B": 1, "D": 2, "H": 3, "W": 2, "C": 1}, ("linear", [4, 6, 4], "linear"),
      ("near", [2, 6, 6], "nearest"))
for w in (2, 3, 8):
    x, g = tensor((1, w, 1)), tensor((1, 5, 1), step=5)
    back = [Fraction(0)] * w
    for i, row in enumerate(weights(w, 5, "linear")):
        for j, weight in row.items():
            back[j] += weight * g[0, i, 0]
    show("slope", {"B": 1, "W": w, "C": 1}, {"x": x.values(), "g": g.values()}, {"result": back})
