# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every way in which a model adds up numbers, as IR text, with the place of each term in memory."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Reduction:
    name: str
    shapes: list  # of the inputs, all f32 unless `dtype` says otherwise
    result: list  # the shape of the result
    body: str  # computes %r
    terms: int
    place: Callable  # (term, probe) -> (input, index of the element)
    read: Callable  # probe -> indices of the results that show it
    probes: int  # that one call makes
    order: str = ""  # where the text of the IR says none
    dtype: str = "f32"
    is_contraction: bool = False

    def text(self):
        inputs = ", ".join(f"%{n}: {self._type(s)}" for n, s in zip("xyz", self.shapes))
        return (f"func @{self.name} ({inputs}) {{\n{self.body}\n  return r = %r\n}}\n"
                .replace("REAL", self.dtype))

    def _type(self, shape):
        return f"i32[{shape[1]}] below 1" if shape[0] == "index" else f"{self.dtype}{shape}"


def divisor(n, most):
    return next(d for d in range(min(n, most), 0, -1) if n % d == 0)


def gradient(forward, shape, of, type_):
    """Of sum(forward * z), which hands z to the derivative of the forward computation."""
    axes = list(range(len(shape)))
    return (f"{forward}\n  %m: REAL{shape} = mul %f, %z\n  %l: REAL = sum %m {{axes = {axes}}}\n"
            f"  %r: REAL{type_} = gradient %l, %{of}")


def sums(n, P):
    b = divisor(n, 40)
    a = n // b

    def case(name, shape, axes, place, **more):
        kept = [shape[i] for i in range(len(shape)) if i not in axes]
        attributes = f"axes = {axes}" + (f", order = {more.pop('stated')}" if "stated" in more else "")
        return Reduction(name, [shape], kept, f"  %r: REAL{kept} = sum %x {{{attributes}}}", n, place,
                         lambda p: [p], P, **more)

    last = ([P, n], [1], lambda i, p: (0, p * n + i))
    first = ([n, P], [0], lambda i, p: (0, i * P + p))
    yield case("sum_last", *last)
    yield case("sum_first", *first)
    yield case("sum_middle", [a, b, P], [0, 1], lambda i, p: (0, i * P + p))
    yield case("sum_around", [a, P, b], [0, 2], lambda i, p: (0, (i // b * P + p) * b + i % b))
    yield case("sum_f64", *last, dtype="f64")
    yield case("sum_first_f64", *first, dtype="f64")
    for number, order in enumerate(["seq", "tree(seq(7))", "tree(lanes(4,8))", "tree(lanes(64,64))",
                                    f"tree({a},tree(seq(3)))", f"tree({a},tree({b},seq))"]):
        yield case(f"stated{number}_last", *last, stated=order)
        yield case(f"stated{number}_first", *first, stated=order)


def matmuls(n, P, columns):
    for name, left, right in (("nn", [P, n], [n, columns]), ("nt", [P, n], [columns, n]),
                              ("tn", [n, P], [n, columns]), ("tt", [n, P], [columns, n])):
        a, b = (int(letter == "t") for letter in name)
        body = (f"  %r: REAL{[P, columns]} = matmul %x, %y "
                f"{{transpose_a = {a}, transpose_b = {b}}}")

        def place(i, p, is_transposed=a):
            return 0, i * P + p if is_transposed else p * n + i

        for dtype in ("f32", "f64"):
            yield Reduction(f"matmul_{name}_{dtype}", [left, right], [P, columns], body, n, place,
                            lambda p: range(p * columns, (p + 1) * columns), P, dtype=dtype,
                            is_contraction=True)
    yield Reduction("matmul_right", [[5, n], [n, P]], [5, P],
                    f"  %r: REAL{[5, P]} = matmul %x, %y", n, lambda i, p: (1, i * P + p),
                    lambda p: [p + row * P for row in range(5)], P, is_contraction=True)
    yield Reduction("matmul_batched", [[2, P, n], [2, n, 3]], [2, P, 3],
                    f"  %r: REAL{[2, P, 3]} = matmul %x, %y", n,
                    lambda i, p: (0, (P + p) * n + i),
                    lambda p: range((P + p) * 3, (P + p + 1) * 3), P, is_contraction=True)

    def forward(shape):
        return f"  %f: REAL{shape} = matmul %x, %y"

    yield Reduction("weight_gradient", [[n, P], [P, columns], [n, columns]], [P, columns],
                    gradient(forward([n, columns]), [n, columns], "y", [P, columns]), n,
                    lambda i, p: (0, i * P + p), lambda p: range(p * columns, (p + 1) * columns), P,
                    is_contraction=True)
    yield Reduction("input_gradient", [[P, 3], [3, n], [P, n]], [P, 3],
                    gradient(forward([P, n]), [P, n], "x", [P, 3]), n,
                    lambda i, p: (2, p * n + i), lambda p: range(p * 3, p * 3 + 3), P,
                    is_contraction=True)


def convolutions(n, P):
    I = divisor(n, 20)
    K = n // I
    setting = "{stride = [1], dilation = [1]}"
    yield Reduction("conv_by_input", [[P, K, 1, I], [K, 1, I, 3]], [P, 1, 1, 3],
                    f"  %r: REAL{[P, 1, 1, 3]} = conv %x, %y {setting}", n,
                    lambda i, p: (0, p * n + i), lambda p: range(3 * p, 3 * p + 3), P,
                    is_contraction=True)
    yield Reduction("conv_by_weight", [[1, K + 2, 1, I], [K, 1, I, P]], [1, 3, 1, P],
                    f"  %r: REAL{[1, 3, 1, P]} = conv %x, %y {setting}", n,
                    lambda i, p: (1, i * P + p), lambda p: [p, P + p, 2 * P + p], P,
                    is_contraction=True)
    def forward(shape):
        return f"  %f: REAL{shape} = conv %x, %y {setting}"

    out = [I, K, 1, P]
    yield Reduction("conv_weight_gradient", [[I, K + 1, 1, 3], [2, 1, 3, P], out], [2, 1, 3, P],
                    gradient(forward(out), out, "y", [2, 1, 3, P]), n,
                    lambda i, p: (2, i * P + p), lambda p: [p + P * k for k in range(6)], P,
                    is_contraction=True)
    # The middle element of the input lies in all K windows; the last place of the kernel comes first.
    out = [1, K, 1, I]
    yield Reduction("conv_input_gradient", [[1, 2 * K - 1, 1, P], [K, 1, P, I], out],
                    [1, 2 * K - 1, 1, P],
                    gradient(forward(out), out, "x", [1, 2 * K - 1, 1, P]), n,
                    lambda i, p: (1, ((K - 1 - i // I) * P + p) * I + i % I),
                    lambda p: [(K - 1) * P + p], P, is_contraction=True)
    yield Reduction("conv_bias_gradient", [[I, K, P], [P], [I, K, P]], [P],
                    gradient(f"  %c: REAL{[I, K, P]} = broadcast %y {{axes = [2]}}\n"
                             f"  %f: REAL{[I, K, P]} = add %x, %c", [I, K, P], "y", [P]), n,
                    lambda i, p: (2, i * P + p), lambda p: [p], P)


def chains(n, P):
    half = n // 2 + 1
    body = f"  %r: REAL{[P, n]} = cumsum %x {{axis = 1}}"
    for name, terms in (("cumsum", n), ("cumsum_half", half)):
        yield Reduction(name, [[P, n]], [P, n], body, terms, lambda i, p: (0, p * n + i),
                        lambda p, last=terms - 1: [p * n + last], P, order="seq")
    yield Reduction("cumsum_first", [[n, P]], [n, P], f"  %r: REAL{[n, P]} = cumsum %x {{axis = 0}}",
                    n, lambda i, p: (0, i * P + p), lambda p: [(n - 1) * P + p], P, order="seq")
    yield Reduction("scatter_add", [[1, P], ["index", n - 1], [n - 1, P]], [1, P],
                    f"  %r: REAL{[1, P]} = scatter_add %x, %y, %z {{axis = 0}}", n,
                    lambda i, p: (0, p) if i == 0 else (2, (i - 1) * P + p), lambda p: [p], P,
                    order="seq")


def products(n):
    P = probes_per_call(n)
    for name, shape, axis, place in (("product_last", [P, n], 1, lambda i, p: (0, p * n + i)),
                                     ("product_first", [n, P], 0, lambda i, p: (0, i * P + p))):
        yield Reduction(name, [shape], [P], f"  %r: REAL{[P]} = product %x {{axes = [{axis}]}}", n,
                        place, lambda p: [p], P)


def probes_per_call(n):
    """Enough for several threads to take part in the longer ones."""
    return 256 if n > 4000 else 64


def additions(n, columns=8):
    P = probes_per_call(n)
    for family in (sums(n, P), matmuls(n, P, columns), convolutions(n, P), chains(n, P)):
        yield from family
