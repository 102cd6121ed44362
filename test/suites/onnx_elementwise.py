# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Element-wise operators and reductions."""

import numpy as np
from onnx import helper
from onnx_program import DTYPES, Skipped
from onnx_registry import OPERATORS, lined_up, number, operator, stretched


def elementwise(**texts):
    """Operators of one operand: {0} is its name."""
    for name, text in texts.items():
        OPERATORS[name] = lambda p, c, text=text: text.format(c[0])


elementwise(
    Abs="abs({0})", Acos="acos({0})", Acosh="acosh({0})", Asin="asin({0})", Asinh="asinh({0})",
    Atan="atan({0})", Atanh="atanh({0})", Ceil="ceil({0})", Cos="cos({0})", Cosh="cosh({0})",
    Erf="erf({0})", Exp="exp({0})", Floor="floor({0})", Identity="{0}", IsNaN="is_nan({0})",
    Log="log({0})", Mish="mish({0})", Neg="-{0}", Not="not {0}", BitwiseNot="bit_not({0})",
    Reciprocal="1 / {0}", Relu="max({0}, 0)", Round="round({0})", Sigmoid="sigmoid({0})",
    Sign="sign({0})", Sin="sin({0})", Sinh="sinh({0})", Softplus="softplus({0})",
    Softsign="softsign({0})", Sqrt="sqrt({0})", Tan="tan({0})", Tanh="tanh({0})",
    HardSwish="hardswish({0})",
)


def parametric(name, text, **defaults):
    """Operators of one operand and attributes: text is formatted with them."""
    OPERATORS[name] = lambda p, c: text.format(
        c[0], **{k: number(c.attribute(k, v)) for k, v in defaults.items()})


parametric("Elu", "elu({0}, alpha = {alpha})", alpha=1)
parametric("Celu", "celu({0}, alpha = {alpha})", alpha=1)
parametric("LeakyRelu", "leaky_relu({0}, slope = {alpha})", alpha=0.01)
parametric("Selu", "{gamma} * elu({0}, alpha = {alpha})", alpha=1.67326319217681884765625,
           gamma=1.05070102214813232421875)
parametric("HardSigmoid", "clamp({alpha} * {0} + {beta}, 0, 1)", alpha=0.2, beta=0.5)
parametric("ThresholdedRelu", "where({0} > {alpha}, {0}, 0)", alpha=1)
parametric("Swish", "{0} * sigmoid({alpha} * {0})", alpha=1)
parametric("Shrink", "where({0} < -{lambd}, {0} + {bias}, where({0} > {lambd}, {0} - {bias}, 0))",
           lambd=0.5, bias=0)
parametric("Binarizer", "f32({0} > {threshold})", threshold=0)


@operator("Gelu")
def gelu(p, c):
    return f"{'gelu_tanh' if c.attribute('approximate') == 'tanh' else 'gelu'}({c[0]})"


@operator("IsInf")
def is_inf(p, c):
    signs = [s for s, n in (("inf", "detect_positive"), ("-inf", "detect_negative"))
             if c.attribute(n, 1)]
    if len(signs) == 2:
        return f"is_inf({c[0]})"
    return f"{c[0]} == {signs[0]}" if signs else f"{c[0]} != {c[0]} and {c[0]} == {c[0]}"


def binary(**texts):
    for name, text in texts.items():
        OPERATORS[name] = lambda p, c, text=text: text.format(*lined_up(p, [c[0], c[1]]))


binary(Add="{0} + {1}", Sub="{0} - {1}", Mul="{0} * {1}", And="{0} and {1}", Or="{0} or {1}",
       Xor="{0} != {1}", Equal="{0} == {1}", Greater="{0} > {1}", GreaterOrEqual="{0} >= {1}",
       Less="{0} < {1}", LessOrEqual="{0} <= {1}")


@operator("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bitwise(p, c):
    name = {"BitwiseAnd": "bit_and", "BitwiseOr": "bit_or", "BitwiseXor": "bit_xor"}[c.name]
    shape = list(c.result.shape)
    return f"{name}({stretched(p, c[0], shape)}, {stretched(p, c[1], shape)})"


@operator("BitShift")
def bit_shift(p, c):
    name = "shift_left" if c.attribute("direction") == "LEFT" else "shift_right"
    shape = list(c.result.shape)
    return f"{name}({stretched(p, c[0], shape)}, {stretched(p, c[1], shape)})"


@operator("Div")
def div(p, c):
    x, y = lined_up(p, [c[0], c[1]])
    if c[0].real:
        return f"{x} / {y}"
    if c[0].dtype == "u8":
        return f"{x} // {y}"
    # Integers round towards zero.
    return f"sign({x}) * sign({y}) * (abs({x}) // abs({y}))"


@operator("Mod")
def mod(p, c):
    x, y = lined_up(p, [c[0], c[1]])
    if c.attribute("fmod", 0):
        return f"sign({x}) * (abs({x}) % abs({y}))"
    return f"{x} % {y}"


@operator("Pow")
def power(p, c):
    x, y = c[0], c[1]
    a, b = lined_up(p, [x, y])
    if not x.real:
        if y.real:
            return f"{x.dtype}({y.dtype}({a}) ** {b})"
        return f"{x.dtype}(round(f64({a}) ** f64({b})))"
    return f"{a} ** {b}" if x.dtype == y.dtype else f"{a} ** {x.dtype}({b})"


@operator("Max", "Min", "Sum", "Mean")
def variadic(p, c):
    shape = list(c.result.shape)
    texts = [stretched(p, c[i], shape) for i in range(len(c))]
    if c.name in ("Max", "Min"):
        text = texts[0]
        for other in texts[1:]:
            text = f"{c.name.lower()}({text}, {other})"
        return text
    text = " + ".join(texts)
    return f"({text}) / {len(texts)}" if c.name == "Mean" else text


@operator("PRelu")
def prelu(p, c):
    x, slope = lined_up(p, [c[0], c[1]])
    if not c[0].real:
        return f"max({x}, 0) + {slope} * min({x}, 0)"
    return f"where({x} > 0, {x}, {slope} * {x})"


@operator("Clip")
def clip(p, c):
    text = str(c[0])
    for i, name in ((1, "max"), (2, "min")):
        if c.optional(i) is not None:
            text = f"{name}({text}, {stretched(p, c[i], c[0].shape)})"
    return text


@operator("Where")
def where(p, c):
    shape = list(c.result.shape)
    return f"where({', '.join(stretched(p, c[i], shape) for i in range(3))})"


@operator("Cast", "CastLike")
def cast(p, c):
    if c.name == "Cast":
        to = DTYPES.get(str(np.dtype(helper.tensor_dtype_to_np_dtype(c.attribute("to")))))
    else:
        to = c.optional(1).dtype
    if to is None:
        raise Skipped("a dtype that the language does not have")
    return str(c[0]) if to == c[0].dtype else f"{to}({c[0]})"


@operator("BitCast")
def bitcast(p, c):
    to = DTYPES.get(str(np.dtype(helper.tensor_dtype_to_np_dtype(c.attribute("to")))))
    if to is None:
        raise Skipped("a dtype that the language does not have")
    return f"u8({c[0]})" if c[0].dtype == "bool" else f"bitcast({c[0]}, {to})"


# Reductions


def axes_of(c):
    axes = c.attribute("axes")
    if axes is None and c.optional(1) is not None:
        axes = c.numbers(1)
    if not axes:
        if c.attribute("noop_with_empty_axes", 0):
            return []
        axes = range(c[0].rank)
    return sorted(a % c[0].rank for a in axes)


REDUCTIONS = {
    "ReduceSum": "sum({0}, axis = {1}, keep = {2})",
    "ReduceProd": "product({0}, axis = {1}, keep = {2})",
    "ReduceMax": "max({0}, axis = {1}, keep = {2})",
    "ReduceMin": "min({0}, axis = {1}, keep = {2})",
    "ReduceMean": "mean({0}, axis = {1}, keep = {2})",
    "ReduceL1": "vector_norm({0}, p = 1, axis = {1}, keep = {2})",
    "ReduceL2": "vector_norm({0}, axis = {1}, keep = {2})",
    "ReduceLogSum": "log(sum({0}, axis = {1}, keep = {2}))",
    "ReduceLogSumExp": "logsumexp({0}, axis = {1}, keep = {2})",
    "ReduceSumSquare": "sum(square({0}), axis = {1}, keep = {2})",
}


@operator(*REDUCTIONS)
def reduction(p, c):
    axes = axes_of(c)
    if not axes and c.name in ("ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin", "ReduceMean"):
        return str(c[0])
    keep = "true" if c.attribute("keepdims", 1) else "false"
    text = REDUCTIONS[c.name]
    if c[0].dtype == "bool":
        text = {"ReduceMax": "any({0}, axis = {1}, keep = {2})",
                "ReduceMin": "all({0}, axis = {1}, keep = {2})"}[c.name]
    return text.format(c[0], axes, keep)


@operator("ArgMax", "ArgMin")
def arg_extremum(p, c):
    axis = c.attribute("axis", 0) % c[0].rank
    keep = "true" if c.attribute("keepdims", 1) else "false"
    name = c.name.lower()
    if c.attribute("select_last_index", 0):
        n = c[0].shape[axis]
        return f"i64({n - 1} - {name}(flip({c[0]}, axis = {axis}), axis = {axis}, keep = {keep}))"
    return f"i64({name}({c[0]}, axis = {axis}, keep = {keep}))"


@operator("CumSum", "CumProd")
def cumulative(p, c):
    axis = c.numbers(1)[0] % c[0].rank
    x = str(c[0])
    backwards, exclusive = c.attribute("reverse", 0), c.attribute("exclusive", 0)
    if backwards:
        x = p.let(f"flip({x}, axis = {axis})")
    if exclusive:
        n = c[0].shape[axis]
        widths = [[1, 0] if a == axis else [0, 0] for a in range(c[0].rank)]
        part = ", ".join(f":{n - 1}" if a == axis else ":" for a in range(c[0].rank))
        x = p.let(f"pad({x}[{part}], {widths}, value = {int(c.name == 'CumProd')})")
    if c.name == "CumSum":
        text = f"cumsum({x}, axis = {axis})"
    else:
        text = f"cumprod({x}, axis = {axis})"
    return f"flip({text}, axis = {axis})" if backwards else text


@operator("TopK")
def top_k(p, c):
    axis = c.attribute("axis", -1) % c[0].rank
    k = c.numbers(1)[0]
    x = c[0]
    if c.attribute("largest", 1):
        name = p.let(f"top_k({x}, {k}, axis = {axis})")
        return [f"{name}.values", f"i64({name}.indices)"]
    part = ", ".join(f":{k}" if a == axis else ":" for a in range(x.rank))
    return [f"sort({x}, axis = {axis})[{part}]", f"i64(argsort({x}, axis = {axis})[{part}])"]
