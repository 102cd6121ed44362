# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolution, pooling and resizing: channels are first in ONNX, last in the language."""

import numpy as np
from onnx_program import Unsupported
from onnx_registry import number, operator


# Windows, channels last


def last(p, value):
    p.use(value)
    return f"transpose({value}, {[0] + list(range(2, value.rank)) + [1]})"


def first_to_last(p, name, rank):
    return f"transpose({name}, {[0] + list(range(2, rank)) + [1]})"


def first(text, rank):
    return f"transpose({text}, {[0, rank - 1] + list(range(1, rank - 1))})"


def window_geometry(c, size):
    """Strides, dilations and the widths of the padding of each spatial axis."""
    n = len(size)
    strides = list(c.attribute("strides", [1] * n))
    dilations = list(c.attribute("dilations", [1] * n))
    pads = list(c.attribute("pads", [0] * 2 * n))
    mode = c.attribute("auto_pad", "NOTSET")
    pairs = []
    for i, width in enumerate(c[0].shape[2:]):
        e = (size[i] - 1) * dilations[i] + 1
        if mode in ("SAME_UPPER", "SAME_LOWER"):
            total = max(0, (-(-width // strides[i]) - 1) * strides[i] + e - width)
            half = total // 2
            pairs.append((half, total - half) if mode == "SAME_UPPER" else (total - half, half))
        elif mode == "VALID":
            pairs.append((0, 0))
        else:
            pairs.append((pads[i], pads[i + n]))
    return strides, dilations, pairs


def pairs_text(pairs):
    return "[" + ", ".join(f"({a}, {b})" for a, b in pairs) + "]"


@operator("Conv")
def conv(p, c):
    x, w = c[0], c[1]
    n = x.rank - 2
    strides, dilations, pairs = window_geometry(c, w.shape[2:])
    kernel = f"transpose({w}, {list(range(2, n + 2)) + [1, 0]})"
    text = (f"conv({last(p, x)}, {kernel}, stride = {strides}, padding = {pairs_text(pairs)}, "
            f"dilation = {dilations}, groups = {c.attribute('group', 1)})")
    if c.optional(2) is not None:
        text += f" + {c[2]}"
    return first(f"({text})", x.rank)


@operator("ConvTranspose")
def conv_transpose(p, c):
    x, w = c[0], c[1]
    n = x.rank - 2
    strides = list(c.attribute("strides", [1] * n))
    dilations = list(c.attribute("dilations", [1] * n))
    extra = list(c.attribute("output_padding", [0] * n))
    pads = list(c.attribute("pads", [0] * 2 * n))
    pairs = []
    mode = c.attribute("auto_pad", "NOTSET")
    for i in range(n):
        full = ((x.shape[2 + i] - 1) * strides[i] + (w.shape[2 + i] - 1) * dilations[i] + 1
                + extra[i])
        total = full - c.result.shape[2 + i]
        if "output_shape" in c.attributes or mode.startswith("SAME"):
            half = total // 2
            pairs.append((half, total - half) if mode == "SAME_UPPER" else (total - half, half))
        else:
            pairs.append((pads[i], pads[i + n]))
    for i, (a, b) in enumerate(pairs):
        if min(a, b) < 0:
            extra[i] -= b
            pairs[i] = (a, 0)
            if a < 0:
                raise Unsupported("ConvTranspose with negative padding")
    kernel = f"transpose({w}, {list(range(2, n + 2)) + [0, 1]})"
    text = (f"conv_transpose({last(p, x)}, {kernel}, stride = {strides}, "
            f"padding = {pairs_text(pairs)}, dilation = {dilations}, "
            f"groups = {c.attribute('group', 1)}, output_padding = {extra})")
    if c.optional(2) is not None:
        text += f" + {c[2]}"
    return first(f"({text})", x.rank)


def ceiled(c, size, strides, dilations, pairs):
    """Paddings that make ceil_mode's places, and by how many they grew."""
    grown = []
    for i, (a, b) in enumerate(pairs):
        e = (size[i] - 1) * dilations[i] + 1
        room = (c.result.shape[2 + i] - 1) * strides[i] + e
        grown.append((a, max(b, room - c[0].shape[2 + i] - a)))
    return grown, grown != pairs


@operator("MaxPool", "AveragePool", "LpPool")
def pool(p, c):
    x, size = c[0], list(c.attribute("kernel_shape"))
    strides, dilations, pairs = window_geometry(c, size)
    pairs, grown = ceiled(c, size, strides, dilations, pairs)
    common = f"{last(p, x)}, {size}, stride = {strides}, padding = {pairs_text(pairs)}"
    if c.name == "MaxPool":
        if len(c.results) > 1 and c.results[1] is not None:
            raise Unsupported("MaxPool with indices")
        if not x.real:
            raise Unsupported("MaxPool of integers")
        return first(f"window_max({common}, dilation = {dilations})", x.rank)
    if c.name == "LpPool":
        power = c.attribute("p", 2)
        n = x.rank - 2
        axes = list(range(n + 1, 2 * n + 1))
        windows = f"windows({common}, dilation = {dilations})"
        return first(f"vector_norm({windows}, p = {power}, axis = {axes})", x.rank)
    counted = c.attribute("count_include_pad", 0)
    if counted and grown or max(dilations) > 1:
        n = x.rank - 2
        axes = list(range(n + 1, 2 * n + 1))
        one = p.let(f"0 * {x} + 1")
        if counted:
            own = window_geometry(c, size)[2]
            widths = [(0, 0), (0, 0)] + own
            one = p.let(f"pad({one}, {pairs_text(widths)}, value = 1)")
        rest = [(a - b[0], e - b[1]) for (a, e), b in zip(pairs, own)] if counted else pairs
        moved = first_to_last(p, one, x.rank)
        options = f"stride = {strides}, dilation = {dilations}"
        total = p.let(f"sum(windows({last(p, x)}, {size}, padding = {pairs_text(pairs)}, "
                      f"{options}), axis = {axes})")
        count = p.let(f"sum(windows({moved}, {size}, padding = {pairs_text(rest)}, {options}), "
                      f"axis = {axes})")
        return first(f"({total} / {count})", x.rank)
    return first(f"window_mean({common}, count_padding = {'true' if counted else 'false'})", x.rank)


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(p, c):
    name = "global_mean" if "Average" in c.name else "global_max"
    return f"reshape({name}({last(p, c[0])}), {list(c.result.shape)})"


@operator("LRN")
def lrn(p, c):
    x, size = c[0], c.attribute("size")
    alpha, beta, bias = (number(c.attribute(n, v)) for n, v in
                         (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0)))
    widths = [[0, 0] for _ in range(x.rank)]
    widths[1] = [(size - 1) // 2, size - 1 - (size - 1) // 2]
    padded = p.let(f"pad({x} ** 2, {widths})")
    n = x.shape[1]
    total = " + ".join(f"{padded}[:, {i}:{i + n}]" for i in range(size))
    return f"{x} / ({bias} + {alpha} / {size} * ({total})) ** {beta}"


@operator("MaxUnpool")
def max_unpool(p, c):
    x, indices = c[0], c[1]
    size, n = list(c.attribute("kernel_shape")), x.rank - 2
    strides = list(c.attribute("strides", [1] * n))
    pads = list(c.attribute("pads", [0] * 2 * n))
    inner = [(m - 1) * s + k - pads[i] - pads[i + n]
             for i, (m, s, k) in enumerate(zip(x.shape[2:], strides, size))]
    shape = x.shape[:2] + inner
    flat = f"scatter_set({p.constant(np.zeros(int(np.prod(shape)), np.float32))}, {indices}, {x})"
    widths = [[0, m - k] for m, k in zip(c.result.shape, shape)]
    return f"pad(reshape({flat}, {shape}), {widths})"


def nearest_places(n, m, scale, coordinates, rounding):
    """The element that each of m places takes of n."""
    i = np.arange(m)
    place = {"asymmetric": i / scale, "half_pixel": (i + 0.5) / scale - 0.5,
             "align_corners": i * (n - 1) / max(m - 1, 1)}.get(coordinates)
    if place is None:
        raise Unsupported(f"Resize: nearest of {coordinates}")
    found = {"floor": np.floor, "ceil": np.ceil, "round_prefer_ceil": lambda v: np.floor(v + 0.5),
             "round_prefer_floor": lambda v: np.ceil(v - 0.5)}[rounding](place)
    return np.clip(found, 0, n - 1).astype(int).tolist()


@operator("Resize", "Upsample")
def resize(p, c):
    x, shape = c[0], list(c.result.shape)
    mode = c.attribute("mode", "nearest")
    old = c.name == "Upsample"
    coordinates = "asymmetric"
    if not old:
        coordinates = c.attribute("coordinate_transformation_mode", "half_pixel")
    given = c.optional(1 if old else 2)
    scales = [m / n for n, m in zip(x.shape, shape)]
    if given is not None and given.array.size:
        axes = c.attribute("axes") or range(x.rank)
        for a, s in zip(axes, given.array):
            scales[a] = float(s)
    if mode == "nearest":
        text = str(x)
        for a, (n, m, s) in enumerate(zip(x.shape, shape, scales)):
            rounding = "floor" if old else c.attribute("nearest_mode", "round_prefer_floor")
            places = nearest_places(n, m, s, coordinates, rounding)
            if places != list(range(n)):
                text = f"take({text}, {p.constant(np.array(places))}, axis = {a})"
        usual = [nearest_places(n, m, m / n, "asymmetric", "floor") for n, m in zip(x.shape, shape)]
        if x.shape[:2] == shape[:2] and usual == [
                nearest_places(n, m, s, coordinates, rounding)
                for n, m, s in zip(x.shape, shape, scales)]:
            return first(f'resize({last(p, x)}, {shape[2:]}, mode = "nearest")', x.rank)
        return text
    even = all(abs(s - m / n) < 1e-6 for n, m, s in zip(x.shape, shape, scales))
    usual = coordinates == "half_pixel" or (
        coordinates == "pytorch_half_pixel" and min(shape[2:]) > 1)
    if (mode == "linear" and even and usual and x.shape[:2] == shape[:2]
            and not c.attribute("antialias", 0)):
        return first(f"resize({last(p, x)}, {shape[2:]})", x.rank)
    kind = "antialias" if c.attribute("antialias", 0) else coordinates
    raise Unsupported(f"Resize: {mode} interpolation, {kind}")


@operator("Col2Im")
def col2im(p, c):
    raise Unsupported("Col2Im: the sum of overlapping windows")
