# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes `// run:` comments of apr-run with values computed by PyTorch in f64.

A script here computes what the models of the test of its name must give, and prints the comments;
`python3 <name>.py > <name>.run` with torch >= 2.9 (CPU) brings the checked-in file up to date.
"""

import textwrap

import torch

torch.set_default_dtype(torch.float64)


def text(value):
    """A value as apr-run reads it, exact to the last bit."""
    if isinstance(value, torch.Tensor):
        value = value.detach().tolist()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(text(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and abs(value) < 1e-37:
        value = 0.0  # no f32, and far below what a comparison sees
    return repr(value)


def show(function, arguments, close=None, exact=None, dims=None, prefix="try_"):
    """Prints the comment of one run; `close` results may differ by rounding.

    An entry must not hide the function that it tries, hence the prefix; train blocks have none.
    """
    sizes = ", ".join(f"{name}={size}" for name, size in (dims or {}).items())
    given = ", ".join(f"{name} = {text(value)}" for name, value in arguments.items())
    results = [f"{name} = any" if value is None else f"{name} ~ {text(value)}"
               for name, value in (close or {}).items()]
    results += [f"{name} = {text(value)}" for name, value in (exact or {}).items()]
    line = f"@{prefix}{function} {f'dims({sizes}) ' if sizes else ''}({given}) -> {', '.join(results)}"
    print("\n".join(textwrap.wrap(line, 98, initial_indent="// run: ",
                                  subsequent_indent="//     ", break_long_words=False,
                                  break_on_hyphens=False)))


def slopes(value, *inputs):
    """The gradients of the sum of value * weights, weights being 1, 1/2, 1/3, …"""
    weights = 1 / torch.arange(1, value.numel() + 1).reshape(value.shape)
    return torch.autograd.grad((value * weights).sum(), inputs)


def leaf(values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)
