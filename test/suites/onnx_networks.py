# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Normalisation, losses, recurrent layers, attention and transforms."""

import numpy as np
from onnx_program import Skipped, Unsupported
from onnx_registry import OPERATORS, number, operator
from onnx_windows import first, last


# Normalisation, softmax, losses


@operator("Softmax", "LogSoftmax")
def softmax(p, c):
    name = "softmax" if c.name == "Softmax" else "log_softmax"
    return f"{name}({c[0]}, axis = {c.attribute('axis', -1) % c[0].rank})"


@operator("Hardmax")
def hardmax(p, c):
    axis = c.attribute("axis", -1) % c[0].rank
    rank = c[0].rank
    at = f"one_hot(argmax({c[0]}, axis = {axis}), {c[0].shape[axis]})"
    order = list(range(axis)) + [rank - 1] + list(range(axis, rank - 1))
    return f"f32(transpose({at}, {order}))"


@operator("LayerNormalization")
def layer_norm(p, c):
    x = c[0]
    axis = c.attribute("axis", -1) % x.rank
    eps = number(c.attribute("epsilon", 1e-5))
    axes = list(range(axis, x.rank))
    name = p.let(f"moments({x}, axis = {axes}, keep = true)")
    text = f"({x} - {name}[0]) / sqrt({name}[1] + {eps}) * {c[1]}"
    if c.optional(2) is not None:
        text += f" + {c[2]}"
    return [text, f"{name}[0]", f"1 / sqrt({name}[1] + {eps})"][:len(c.results)]


@operator("RMSNormalization")
def rms_norm(p, c):
    x = c[0]
    axes = list(range(c.attribute("axis", -1) % x.rank, x.rank))
    eps = number(c.attribute("epsilon", 1e-5))
    return f"{x} / sqrt(mean({x} ** 2, axis = {axes}, keep = true) + {eps}) * {c[1]}"


def per_channel(value, rank):
    return f"reshape({value}, {[1, value.shape[0]] + [1] * (rank - 2)})"


@operator("InstanceNormalization", "GroupNormalization")
def group_norm(p, c):
    x = c[0]
    groups = x.shape[1] if c.name.startswith("Instance") else c.attribute("num_groups")
    eps = number(c.attribute("epsilon", 1e-5))
    if c[1].shape[0] != x.shape[1]:
        raise Unsupported("GroupNormalization with a scale per group")
    layer = (f"GroupNorm({groups}, {x.shape[1]}, eps = {eps}, scale = none, shift = none)")
    p.members.append(f"norm = {layer}")
    y = p.let(first(f"norm({last(p, x)})", x.rank))
    return f"{y} * {per_channel(c[1], x.rank)} + {per_channel(c[2], x.rank)}"


@operator("BatchNormalization")
def batch_norm(p, c):
    x, rank = c[0], c[0].rank
    eps, momentum = number(c.attribute("epsilon", 1e-5)), number(c.attribute("momentum", 0.9))
    scale, shift = per_channel(c[1], rank), per_channel(c[2], rank)
    if not c.attribute("training_mode", 0):
        mean, variance = per_channel(c[3], rank), per_channel(c[4], rank)
        return f"({x} - {mean}) / sqrt({variance} + {eps}) * {scale} + {shift}"
    axes = [a for a in range(rank) if a != 1]
    m = p.let(f"moments({x}, axis = {axes}, keep = true)")
    flat = [f"reshape({m}[{i}], {c[3].shape})" for i in (0, 1)]
    return [f"({x} - {m}[0]) / sqrt({m}[1] + {eps}) * {scale} + {shift}"] + [
        f"{c[i]} * {momentum} + {flat[i - 3]} * (1 - {momentum})" for i in (3, 4)]


@operator("MeanVarianceNormalization")
def mean_variance(p, c):
    axes = list(c.attribute("axes", [0, 2, 3]))
    m = p.let(f"moments({c[0]}, axis = {axes}, keep = true)")
    return f"({c[0]} - {m}[0]) / (sqrt({m}[1]) + 1e-9)"


@operator("LpNormalization")
def lp_norm(p, c):
    axis, power = c.attribute("axis", -1) % c[0].rank, c.attribute("p", 2)
    n = p.let(f"vector_norm({c[0]}, p = {power}, axis = {axis}, keep = true)")
    return f"{c[0]} / where({n} == 0, 1, {n})"


@operator("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
def cross_entropy(p, c):
    x, y = c[0], c[1]
    order = [0] + list(range(2, x.rank)) + [1]
    options = ""
    if c.optional(2) is not None:
        options += f", weight = {c[2]}"
    if c.attribute("ignore_index") is not None:
        options += f", ignore = {c.attribute('ignore_index')}"
    z = p.let(f"transpose({x}, {order})")
    mode = c.attribute("reduction", "mean")
    name = "cross_entropy" if c.name.startswith("Softmax") else "nll"
    text = f"{name}{'' if mode == 'mean' else '_rows'}({z}, {y}{options})"
    if mode == "sum":
        text = f"sum({text})"
    return [text, f"log_softmax({x}, axis = 1)"][:len(c.results)]


@operator("Dropout")
def dropout(p, c):
    train = c.optional(2)
    ratio = c.optional(1)
    if train is not None and bool(train.array) and (ratio is None or float(ratio.array) != 0):
        raise Skipped("random draws")
    mask = f"{c[0]} == {c[0]} or {c[0]} != {c[0]}"
    return [str(c[0]), mask][:len(c.results)]


# Recurrent, through scan


def gates(p, c, count, bias_rows):
    """Each direction's weights, transposed, with its bias and whether it goes backwards."""
    x, w, r = c[0], c[1], c[2]
    hidden = c.attribute("hidden_size")
    directions = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}[
        c.attribute("direction", "forward")]
    if c.optional(4) is not None:
        lengths = c.optional(4).array
        if (lengths != x.shape[0 if not c.attribute("layout", 0) else 1]).any():
            raise Unsupported(f"{c.name} with sequence lengths")
    return x, w, r, hidden, directions


def batch_major(p, c):
    return str(c[0]) if c.attribute("layout", 0) else p.let(f"transpose({c[0]}, [1, 0, 2])")


def recurrent(p, c, step, states):
    x, w, r, hidden, directions = gates(p, c, 0, 0)
    if c.attribute("clip") is not None:
        raise Unsupported(f"{c.name} with clip")
    xs = batch_major(p, c)
    batch = x.shape[1] if not c.attribute("layout", 0) else x.shape[0]
    outputs, lasts = [], [[] for _ in range(states)]
    for d, backwards in enumerate(directions):
        weights = {"w": p.let(f"transpose({w}[{d}])"), "r": p.let(f"transpose({r}[{d}])")}
        n = w.shape[1]
        if c.optional(3) is not None:
            weights["bw"] = p.let(f"{c[3]}[{d}, :{n}]")
            weights["br"] = p.let(f"{c[3]}[{d}, {n}:]")
        else:
            weights["bw"] = weights["br"] = p.constant(np.zeros(n, x.array.dtype)).text
        starts = []
        for s in range(states):
            given = c.optional(5 + s)
            if given is None:
                starts.append(p.constant(np.zeros((batch, hidden), x.array.dtype)).text)
            elif c.attribute("layout", 0):
                starts.append(p.let(f"{c[5 + s]}[:, {d}]"))
            else:
                starts.append(p.let(f"{c[5 + s]}[{d}]"))
        start = starts[0] if states == 1 else f"({', '.join(starts)})"
        carry = "h" if states == 1 else "(h, c)"
        body = step(p, c, weights, d, hidden)
        done = p.let(f"scan({start}, {xs}, fn ({carry}, x) {{ {body}; ({carry}, h) }}, axis = 1, "
                     f"reverse = {'true' if backwards else 'false'})")
        outputs.append(f"{done}[1]")
        for s in range(states):
            lasts[s].append(f"{done}[0]" if states == 1 else f"{done}[0][{s}]")
    join = (lambda parts, axis: f"stack([{', '.join(parts)}], axis = {axis})")
    if c.attribute("layout", 0):
        y = f"{join(outputs, 2)}"
        return [y] + [join(l, 1) for l in lasts]
    y = f"transpose({join(outputs, 0)}, [2, 0, 1, 3])"
    return [y] + [join(l, 0) for l in lasts]


def activation(c, i, otherwise):
    names = c.attribute("activations")
    name = names[i] if names else otherwise
    return (name.decode() if isinstance(name, bytes) else name).lower()


@operator("RNN")
def rnn(p, c):
    def step(p, c, w, d, hidden):
        f = activation(c, d, "Tanh")
        return f"let h = {f}(x @ {w['w']} + {w['bw']} + h @ {w['r']} + {w['br']})"

    return recurrent(p, c, step, 1)


@operator("GRU")
def gru(p, c):
    def step(p, c, w, d, hidden):
        f, g = activation(c, 2 * d, "Sigmoid"), activation(c, 2 * d + 1, "Tanh")
        n = 2 * hidden
        if c.attribute("linear_before_reset", 0):
            inner = f"q * (h @ {w['r']}[:, {n}:] + {w['br']}[{n}:])"
        else:
            inner = f"(q * h) @ {w['r']}[:, {n}:] + {w['br']}[{n}:]"
        return (f"let a = x @ {w['w']} + {w['bw']}; "
                f"let u = h @ {w['r']}[:, :{n}] + {w['br']}[:{n}]; "
                f"let z = {f}(a[:, :{hidden}] + u[:, :{hidden}]); "
                f"let q = {f}(a[:, {hidden}:{n}] + u[:, {hidden}:]); "
                f"let m = {g}(a[:, {n}:] + {inner}); let h = (1 - z) * m + z * h")

    return recurrent(p, c, step, 1)


@operator("LSTM")
def lstm(p, c):
    def step(p, c, w, d, hidden):
        f, g, k = (activation(c, 3 * d + i, o) for i, o in
                   enumerate(("Sigmoid", "Tanh", "Tanh")))
        peep = ["", "", ""]
        if c.optional(7) is not None:
            name = p.let(f"{c[7]}[{d}]")
            peep = [f" + {name}[{a * hidden}:{(a + 1) * hidden}] * c" for a in range(3)]
        # ONNX has its gates in the order i, o, f, c.
        sums = f"x @ {w['w']} + {w['bw']} + h @ {w['r']} + {w['br']}"
        return (f"let (i, o, r, n) = split({sums}, 4); "
                f"let i = {f}(i{peep[0]}); let r = {f}(r{peep[2]}); "
                f"let c = r * c + i * {g}(n); let o = {f}(o{peep[1]}); let h = o * {k}(c)")

    return recurrent(p, c, step, 2)


# Attention


def heads(p, value, count):
    p.use(value)
    if value.rank == 4:
        return str(value)
    return p.let(f'rearrange({value}, "b t (h d) -> b h t d", h = {count})')


@operator("Attention")
def attention(p, c):
    if c.attribute("softmax_precision") not in (None, 1):
        raise Unsupported("Attention with another precision of softmax")
    q, k, v = c[0], c[1], c[2]
    queries = c.attribute("q_num_heads") or q.shape[1]
    keys = c.attribute("kv_num_heads") or k.shape[1]
    names = [heads(p, x, n) for x, n in ((q, queries), (k, keys), (v, keys))]
    batch, length = q.shape[0], q.shape[-2]
    past = c.optional(4)
    before = past.shape[2] if past is not None else 0
    total = before + k.shape[-2]
    width = q.shape[-1] // (queries if q.rank == 3 else 1)
    for i in (1, 2) if past is not None else ():
        names[i] = p.let(f"concat([{c[3 + i]}, {names[i]}], axis = 2)")
    present = names[1:]
    if queries != keys:
        for i in (1, 2):
            pattern = f'"b h t d -> b (h r) t d", r = {queries // keys}'
            names[i] = p.let(f"rearrange({names[i]}, {pattern})")
    scale = number(c.attribute("scale") or width ** -0.5)
    raw = z = p.let(f"{names[0]} @ transpose({names[1]}) * {scale}")
    cap = c.attribute("softcap", 0)
    capped = z = p.let(f"{number(cap)} * tanh({z} / {number(cap)})") if cap else z
    shape = [batch, queries, length, total]
    seen = []
    if c.optional(3) is not None:
        mask = c[3]
        text = str(mask)
        if mask.shape[-1] < total:
            widths = [[0, 0]] * (mask.rank - 1) + [[0, total - mask.shape[-1]]]
            fill = "false" if mask.dtype == "bool" else "-inf"
            text = p.let(f"pad({mask}, {widths}, value = {fill})")
        shape_of_mask = [1] * (4 - mask.rank) + mask.shape[:-1] + [total]
        text = p.let(f"broadcast(reshape({text}, {shape_of_mask}), {shape})")
        if mask.dtype == "bool":
            seen.append(text)
        else:
            seen.append(f"{text} > -inf")
            z = p.let(f"{z} + {text}")
    lengths = c.optional(6)
    places = f"iota({total})[none, none, none, :]"
    left, right = c.attribute("left_window_size", -1), c.attribute("right_window_size", -1)
    if lengths is not None:
        c[6]
        ends = p.let(f"i32({lengths})[:, none, none, none]")
        seen.append(f"broadcast({places} < {ends}, {shape})")
        first_of = f"({ends} - {length})"
    else:
        first_of = str(before)
    row = p.let(f"iota({length})[none, none, :, none] + {first_of}")
    if c.attribute("is_causal", 0):
        seen.append(f"broadcast({places} <= {row}, {shape})")
    if left >= 0:
        seen.append(f"broadcast({places} >= {row} - {left}, {shape})")
    if right >= 0:
        seen.append(f"broadcast({places} <= {row} + {right}, {shape})")
    if seen:
        allowed = p.let(" and ".join(f"({s})" for s in seen))
        weights = p.let(f"masked_softmax({z}, {allowed})")
    else:
        allowed, weights = None, p.let(f"softmax({z})")
    y = f"{weights} @ {names[2]}"
    if q.rank == 3:
        y = f'rearrange({y}, "b h t d -> b t (h d)")'
    mode = c.attribute("qk_matmul_output_mode", 0)
    biased = f"where({allowed}, {z}, -inf)" if allowed else z
    return [y, *present, [raw, capped, biased, weights][mode]][:len(c.results)]


@operator("RotaryEmbedding")
def rotary_embedding(p, c):
    x = c[0]
    count = c.attribute("num_heads")
    y = str(x) if x.rank == 4 else p.let(f'rearrange({x}, "b t (h d) -> b h t d", h = {count})')
    width = x.shape[-1] // (count if x.rank == 3 else 1)
    turned = c.attribute("rotary_embedding_dim", 0) or width
    angles = []
    for i in (1, 2):
        text = f"take({c[i]}, {c[3]})" if c.optional(3) is not None else str(c[i])
        angles.append(p.let(f"({text})[:, none]"))
    cos, sin = angles
    if c.attribute("interleaved", 0):
        a, b = (p.let(f"{y}[.., {i}:{turned}:2]") for i in (0, 1))
    else:
        a, b = (p.let(f"{y}[.., {part}]") for part in
                (f":{turned // 2}", f"{turned // 2}:{turned}"))
    real, imaginary = p.let(f"{cos} * {a} - {sin} * {b}"), p.let(f"{sin} * {a} + {cos} * {b}")
    if c.attribute("interleaved", 0):
        z = p.let(f'rearrange(stack([{real}, {imaginary}], axis = 4), "b h t d r -> b h t (d r)")')
    else:
        z = p.let(f"concat([{real}, {imaginary}], axis = -1)")
    if turned < width:
        z = p.let(f"concat([{z}, {y}[.., {turned}:]], axis = -1)")
    return z if x.rank == 4 else f'rearrange({z}, "b h t d -> b t (h d)")'


@operator("CausalConvWithState")
def causal_conv(p, c):
    x, w = c[0], c[1]
    k = w.shape[2]
    past = c.optional(3)
    start = str(c[3]) if past is not None else str(p.constant(
        np.zeros((x.shape[0], x.shape[1], k - 1), x.array.dtype)))
    joined = p.let(f"concat([{start}, {x}], axis = 2)")
    y = f"conv(transpose({joined}), transpose({w}, [2, 1, 0]), groups = {x.shape[1]})"
    if c.optional(2) is not None:
        y = f"({y} + {c[2]})"
    y = f"transpose({y})"
    if c.attribute("activation", "none") != "none":
        y = f"silu({y})"
    return [y, f"{joined}[:, :, {x.shape[2]}:]"][:len(c.results)]


@operator("SwiGLU")
def swiglu_of_two(p, c):
    alpha = number(c.attribute("alpha", 1.0))
    return f"{c[0]} * sigmoid({alpha} * {c[0]}) * {c[1]}"


def window_function(*terms):
    def emit(p, c):
        n = c.optional(0).number()
        period = n if c.attribute("periodic", 1) else n - 1
        angle = p.let(f"f32(iota({n})) * (2 * pi / {period})")
        return " + ".join(f"{t} * cos({i} * {angle})" for i, t in enumerate(terms))

    return emit


OPERATORS["HannWindow"] = window_function("0.5", "(-0.5)")
OPERATORS["HammingWindow"] = window_function("(25 / 46)", "(-21 / 46)")
OPERATORS["BlackmanWindow"] = window_function("0.42", "(-0.5)", "0.08")


@operator("AffineGrid")
def affine_grid(p, c):
    theta, size = c[0], c.numbers(1)
    sizes = size[2:]
    corners = c.attribute("align_corners", 0)
    n = len(sizes)
    parts = []
    for i in range(n - 1, -1, -1):
        m = sizes[i]
        at = f"f32(iota({m}))"
        at = (f"({at} * {number(2 / max(1, m - 1))} - 1)" if corners
              else f"(({at} * 2 + 1) * {number(1 / m)} - 1)")
        shape = [1] * n
        shape[i] = m
        parts.append(p.let(f"broadcast(reshape({at}, {shape}), {sizes})"))
    parts.append(p.let(f"0 * {parts[0]} + 1"))
    grid = p.let(f"stack([{', '.join(parts)}], axis = {n})")
    return f'einsum(".. j, n i j -> n .. i", {grid}, {theta})'


@operator("LinearAttention")
def linear_attention(p, c):
    """A loop over time whose carry is the state [batch, heads, keys, values]."""
    q, k, v = c[0], c[1], c[2]
    rule = c.attribute("update_rule", "gated_delta")
    queries, keys = c.attribute("q_num_heads"), c.attribute("kv_num_heads")
    width, batch, length = q.shape[2] // queries, q.shape[0], q.shape[1]
    names = [p.let(f'rearrange({t}, "b t (h d) -> t b h d", h = {n})')
             for t, n in ((q, queries), (k, keys), (v, keys))]
    inputs, body = list(names), []
    state = p.let(str(c[3])) if c.optional(3) is not None else p.constant(
        np.zeros((batch, keys, width, v.shape[2] // keys), np.float32)).text
    parts = ["q", "k", "v"]
    if "gated" in rule:
        inputs.append(p.let(f'rearrange({c[4]}, "b t (h d) -> t b h d", h = {keys})'))
        parts.append("g")
        body.append("let s = exp(g)[.., none] * s")
    if "delta" in rule:
        beta = c[5]
        inputs.append(p.let(f"transpose({beta}, [1, 0, 2])"))
        parts.append("w")
        body.append('let e = v - einsum("b h d e, b h d -> b h e", s, k)')
        body.append("let e = w[.., none] * e")
    else:
        body.append("let e = v")
    body.append('let s = s + einsum("b h d, b h e -> b h d e", k, e)')
    scale = number(c.attribute("scale") or width ** -0.5)
    body.append(f'let r = rearrange(q, "b (h g) d -> b h g d", h = {keys})')
    body.append(f'let y = {scale} * einsum("b h g d, b h d e -> b h g e", r, s)')
    done = p.let(f"scan({state}, ({', '.join(inputs)}), fn (s, ({', '.join(parts)})) "
                 f"{{ {'; '.join(body)}; (s, y) }})")
    return [f'rearrange({done}[1], "t b h g e -> b t (h g e)")', f"{done}[0]"]


def spectrum(p, x, y, count, n, sign):
    """The discrete Fourier transform of the last axis, of n elements, at `count` frequencies."""
    turns = p.let(f"f32((iota({n})[:, none] * iota({count})[none, :]) % {n})")
    angle = p.let(f"{turns} * ({sign} * 2 * pi / {n})")
    a = f"{x} @ cos({angle})"
    b = f"{x} @ sin({angle})"
    if y is not None:
        a, b = f"{a} - {y} @ sin({angle})", f"{b} + {y} @ cos({angle})"
    return p.let(a), p.let(b)


@operator("DFT")
def dft(p, c):
    x = c[0]
    axis = c.numbers(2)[0] if c.optional(2) is not None else c.attribute("axis", -2)
    axis %= x.rank
    back = c.attribute("inverse", 0)
    if c.attribute("onesided", 0) and back:
        raise Unsupported("DFT: inverse of one side")
    n = c.numbers(1)[0] if c.optional(1) is not None else x.shape[axis]
    if n != x.shape[axis]:
        raise Unsupported("DFT: other length")
    order = [a for a in range(x.rank - 1) if a != axis] + [axis]
    parts = [p.let(f"transpose({x}[.., {i}], {order})") for i in range(x.shape[-1])]
    count = c.result.shape[axis]
    a, b = spectrum(p, parts[0], parts[1] if len(parts) > 1 else None, count, n, 1 if back else -1)
    back_again = [int(i) for i in np.argsort(order)] + [x.rank - 1]
    text = f"transpose(stack([{a}, {b}], axis = {x.rank - 1}), {back_again})"
    return f"{text} / {n}" if back else text
