# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Shapes, places, computed indices and products."""

import numpy as np
from onnx_program import Unsupported, dtype_of
from onnx_registry import number, operator, stretched


# Movement


@operator("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(p, c):
    return f"reshape({c[0]}, {list(c.result.shape)})"


@operator("Transpose")
def transpose(p, c):
    order = c.attribute("perm") or list(range(c[0].rank))[::-1]
    return f"transpose({c[0]}, {list(order)})"


@operator("Expand")
def expand(p, c):
    shape = list(c.result.shape)
    return stretched(p, c[0], shape)


@operator("Concat")
def concat(p, c):
    parts = ", ".join(str(c[i]) for i in range(len(c)))
    return f"concat([{parts}], axis = {c.attribute('axis') % c[0].rank})"


@operator("Split")
def split(p, c):
    axis = c.attribute("axis", 0) % c[0].rank
    sizes = [list(np.shape(r))[axis] for r in c.results]
    name = p.let(f"split({c[0]}, {sizes}, axis = {axis})")
    return [f"{name}[{i}]" for i in range(len(sizes))]


@operator("Slice")
def slice_(p, c):
    x = c[0]
    starts, ends = c.numbers(1) or c.attribute("starts"), c.numbers(2) or c.attribute("ends")
    axes = c.numbers(3, c.attribute("axes")) or range(len(starts))
    steps = c.numbers(4) or [1] * len(starts)
    parts = [":"] * x.rank
    for a, first, last, step in zip(axes, starts, ends, steps):
        first, last, step = slice(first, last, step).indices(x.shape[a])
        if len(range(first, last, step)) == 0:
            parts[a] = "0:0"
        elif step > 0:
            parts[a] = f"{first}:{last}:{step}"
        else:
            parts[a] = f"{first}:{last if last >= 0 else ''}:{step}"
    return f"{x}[{', '.join(parts)}]" if parts else str(x)


@operator("Pad")
def pad(p, c):
    x = c[0]
    widths = c.numbers(1) or c.attribute("pads")
    axes = c.numbers(3) if c.optional(3) is not None else list(range(x.rank))
    pairs = [[0, 0] for _ in range(x.rank)]
    for i, a in enumerate(axes):
        pairs[a % x.rank] = [widths[i], widths[i + len(axes)]]
    mode = c.attribute("mode", "constant")
    text = str(x)
    if any(w < 0 for pair in pairs for w in pair):
        parts = [f"{-min(0, a)}:{n + min(0, b)}" for n, (a, b) in zip(x.shape, pairs)]
        text = f"{text}[{', '.join(parts)}]"
        pairs = [[max(0, a), max(0, b)] for a, b in pairs]
    if mode == "constant":
        value = c.optional(2)
        value = value.array.item() if value is not None else c.attribute("value", 0)
        value = str(bool(value)).lower() if x.dtype == "bool" else value
        return f"pad({text}, {pairs}, value = {value})"
    return f'pad({text}, {pairs}, mode = "{mode}")'


@operator("Tile")
def tile(p, c):
    return f"tile({c[0]}, {c.numbers(1)})"


@operator("Trilu")
def trilu(p, c):
    k = c.numbers(1)[0] if c.optional(1) is not None else 0
    return f"{'triu' if c.attribute('upper', 1) else 'tril'}({c[0]}, diagonal = {k})"


@operator("DepthToSpace")
def depth_to_space(p, c):
    s = c.attribute("blocksize")
    parts = "(p q c)" if c.attribute("mode", "DCR") == "DCR" else "(c p q)"
    return f'rearrange({c[0]}, "b {parts} h w -> b c (h p) (w q)", p = {s}, q = {s})'


@operator("SpaceToDepth")
def space_to_depth(p, c):
    s = c.attribute("blocksize")
    parts = "(p q c)" if c.attribute("mode", "DCR") == "DCR" else "(c p q)"
    return f'rearrange({c[0]}, "b c (h p) (w q) -> b {parts} h w", p = {s}, q = {s})'


@operator("CenterCropPad")
def center_crop_pad(p, c):
    x, shape = c[0], list(c.result.shape)
    parts, widths = [], []
    for n, m in zip(x.shape, shape):
        cut = max(0, n - m)
        parts.append(f"{cut // 2}:{cut // 2 + min(n, m)}")
        widths.append([max(0, m - n) // 2, max(0, m - n) - max(0, m - n) // 2])
    return f"pad({x}[{', '.join(parts)}], {widths})"


@operator("ReverseSequence")
def reverse_sequence(p, c):
    x, lengths = c[0], c[1]
    b, t = c.attribute("batch_axis", 1), c.attribute("time_axis", 0)
    shape = [1] * x.rank
    shape[b] = x.shape[b]
    n = p.let(f"reshape(i32({lengths}), {shape})")
    shape = [1] * x.rank
    shape[t] = x.shape[t]
    i = p.let(f"reshape(iota({x.shape[t]}), {shape})")
    at = p.let(f"where(i32({n}) > {i}, {n} - 1 - {i}, {i} + 0 * {n})")
    return f"take_along({x}, broadcast({at}, {x.shape}), axis = {t})"


# Indexing


def wrapped(p, indices, size):
    """Indices that may be negative."""
    p.use(indices)
    return f"where({indices} < 0, {indices} + {size}, {indices})"


@operator("Gather", "ArrayFeatureExtractor")
def gather(p, c):
    axis = c.attribute("axis", 0) % c[0].rank if c.name == "Gather" else c[0].rank - 1
    return f"take({c[0]}, {wrapped(p, c[1], c[0].shape[axis])}, axis = {axis})"


@operator("GatherElements")
def gather_elements(p, c):
    axis = c.attribute("axis", 0) % c[0].rank
    others = [a for a in range(c[0].rank) if a != axis and c[0].shape[a] != c[1].shape[a]]
    x = str(c[0])
    if others:
        parts = [":" if a == axis else f":{n}" for a, n in enumerate(c[1].shape)]
        x = f"{x}[{', '.join(parts)}]"
    return f"take_along({x}, {wrapped(p, c[1], c[0].shape[axis])}, axis = {axis})"


def flat_indices(p, indices, shape, from_axis):
    """Row-major positions from the coordinates on the last axis of `indices`."""
    depth = indices.shape[-1]
    p.use(indices)
    text = None
    for i in range(depth):
        part = p.let(f"{indices}[{', '.join([':'] * (indices.rank - 1) + [str(i)])}]")
        size = shape[from_axis + i]
        part = p.let(f"where({part} < 0, {part} + {size}, {part})")
        text = part if text is None else p.let(f"{text} * {size} + {part}")
    return text


@operator("GatherND")
def gather_nd(p, c):
    x, indices, batch = c[0], c[1], c.attribute("batch_dims", 0)
    depth = indices.shape[-1]
    at = flat_indices(p, indices, x.shape, batch)
    count = int(np.prod(x.shape[batch:batch + depth]))
    if not batch:
        return f"take(reshape({x}, {[count] + x.shape[depth:]}), {at})"
    rows = int(np.prod(x.shape[:batch]))
    flat = p.let(f"reshape({x}, {[rows * count] + x.shape[batch + depth:]})")
    first = p.let(f"reshape(i64(iota({rows})) * {count}, "
                  f"{x.shape[:batch] + [1] * (indices.rank - 1 - batch)})")
    return f"take({flat}, {at} + {first})"


@operator("ScatterND")
def scatter_nd(p, c):
    x, indices, updates = c[0], c[1], c[2]
    depth = indices.shape[-1]
    mode = c.attribute("reduction", "none")
    if mode not in ("none", "add"):
        raise Unsupported("scatters that multiply or keep an extremum")
    at = flat_indices(p, indices, x.shape, 0)
    count = int(np.prod(x.shape[:depth]))
    name = "scatter_add" if mode == "add" else "scatter_set"
    flat = f"reshape({x}, {[count] + x.shape[depth:]})"
    return f"reshape({name}({flat}, {at}, {updates}), {x.shape})"


@operator("ScatterElements", "Scatter")
def scatter_elements(p, c):
    x, indices, updates = c[0], c[1], c[2]
    axis = c.attribute("axis", 0) % x.rank
    mode = c.attribute("reduction", "none")
    if mode not in ("none", "add"):
        raise Unsupported("scatters that multiply or keep an extremum")
    terms = []
    for a, n in enumerate(x.shape):
        stride = int(np.prod(x.shape[a + 1:]))
        if a == axis:
            terms.append(f"{stride} * {wrapped(p, indices, n)}")
        else:
            shape = [1] * x.rank
            shape[a] = indices.shape[a]
            terms.append(f"reshape({stride} * {indices.dtype}(iota({shape[a]})), {shape})")
    at = p.let(" + ".join(sorted(terms, key=lambda t: "where" not in t)))
    name = "scatter_add" if mode == "add" else "scatter_set"
    return f"reshape({name}(reshape({x}, [-1]), {at}, {updates}), {x.shape})"


@operator("TensorScatter")
def tensor_scatter(p, c):
    raise Unsupported("TensorScatter")


@operator("OneHot")
def one_hot(p, c):
    indices, depth = c[0], int(c.optional(1).array.ravel()[0])
    axis = c.attribute("axis", -1)
    values = c[2]
    at = str(indices) if indices.dtype in ("i32", "i64") else f"i64({indices})"
    at = p.let(at)
    at = p.let(f"where({at} < 0, {at} + {depth}, {at})")
    hot = p.let(f"one_hot({at}, {depth}) > 0")
    rank = indices.rank + 1
    axis %= rank
    if axis != rank - 1:
        order = list(range(axis)) + [rank - 1] + list(range(axis, rank - 1))
        hot = p.let(f"transpose({hot}, {order})")
    shape = list(c.result.shape)
    return (f"where({hot}, broadcast({values}[1], {shape}), broadcast({values}[0], {shape}))")


@operator("EyeLike")
def eye_like(p, c):
    n, m = c[0].shape
    k = c.attribute("k", 0)
    to = c.result.dtype
    return f"{dtype_of(c.result)}(iota({n})[:, none] + {k} == iota({m})[none, :])"


@operator("Range")
def range_(p, c):
    n = len(c.result)
    return f"{c[0]} + {c[2]} * {c[0].dtype}(iota({n}))"


@operator("ConstantOfShape", "Constant")
def constant_of_shape(p, c):
    return str(p.constant(c.result))


@operator("Shape", "Size")
def shape(p, c):
    if c.name == "Size":
        return f"constant({c[0].array.size})"
    return str(p.constant(c.result))


# Products


@operator("MatMul")
def matmul(p, c):
    a, b = c[0], c[1]
    if a.rank > 2 and b.rank > 2 and a.shape[:-2] != b.shape[:-2]:
        batch = list(np.broadcast_shapes(a.shape[:-2], b.shape[:-2]))
        left, right = (stretched(p, v, batch + v.shape[-2:]) for v in (a, b))
        return f"{left} @ {right}"
    if a.rank == 2 and b.rank > 2:
        return f"broadcast({a}, {b.shape[:-2] + a.shape}) @ {b}"
    if a.rank == 1 and b.rank > 2:
        return f'einsum("k, .. k n -> .. n", {a}, {b})'
    if b.rank == 1 and a.rank > 2:
        return f'einsum(".. m k, k -> .. m", {a}, {b})'
    return f"{a} @ {b}"


@operator("Gemm")
def gemm(p, c):
    a = f"transpose({c[0]})" if c.attribute("transA", 0) else str(c[0])
    b = f"transpose({c[1]})" if c.attribute("transB", 0) else str(c[1])
    text = f"{number(c.attribute('alpha', 1.0))} * ({a} @ {b})"
    if c.optional(2) is not None:
        third = stretched(p, c[2], list(c.result.shape))
        text += f" + {number(c.attribute('beta', 1.0))} * {third}"
    return text


@operator("Einsum")
def einsum(p, c):
    equation = c.attribute("equation").replace(" ", "")
    left, arrow, right = equation.partition("->")
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        right = ("..." if "..." in left else "") + "".join(
            sorted(x for x in set(letters) if letters.count(x) == 1))

    def spaced(term):
        return " ".join(term.replace("...", "~")).replace("~", "..")

    terms = ", ".join(spaced(t) for t in left.split(","))
    names = ", ".join(str(c[i]) for i in range(len(c)))
    return f'einsum("{terms} -> {spaced(right)}", {names})'


@operator("Det")
def det(p, c):
    raise Unsupported("Det: linear algebra")
