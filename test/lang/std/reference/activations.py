# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Activations and their derivatives, by torch.nn.functional."""

import torch
import torch.nn.functional as F

from common import leaf, show, slopes

# On both sides of every kink, near 0, and far out.
POINTS = [-1e4, -120.0, -25.0, -7.5, -3.25, -2.0, -0.75, -0.25, -1e-6, 1e-6, 0.125, 0.625, 2.0,
          3.5, 5.5, 7.0, 30.0, 150.0, 1e4]

ELEMENTWISE = {
    "relu": F.relu,
    "relu6": F.relu6,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": lambda x: F.elu(x, 1.5),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 0.5),
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "log_sigmoid": F.logsigmoid,
    "mish": F.mish,
    "hardtanh": lambda x: F.hardtanh(x, -2.5, 0.5),
    "hardsigmoid": lambda x: F.relu6(x + 3) / 6,  # F.hardsigmoid's slope is 1/6 in f32
    "hardswish": F.hardswish,
    "softsign": F.softsign,
    "tanhshrink": F.tanhshrink,
    "softshrink": F.softshrink,
    "hardshrink": F.hardshrink,
}

for name, function in ELEMENTWISE.items():
    x = leaf(POINTS)
    y = function(x)
    show(name, {"x": POINTS}, {"y": y, "slope": slopes(y, x)[0]}, dims={"N": len(POINTS)})

ROWS = [[0.5, -1.25, 3.0, 0.75], [-40.0, 2.5, 2.25, 41.0], [1e4, -1e4, 9999.5, 0.0]]
OVER_AXES = {
    "prelu": lambda x: F.prelu(x.T, torch.tensor([0.25, 0.5, -0.125])).T,
    "glu": lambda x: F.glu(x, -1),
    "swiglu": lambda x: x[:, :2] * F.silu(x[:, 2:]),
    "geglu": lambda x: x[:, :2] * F.gelu(x[:, 2:]),
    "softmax": lambda x: F.softmax(x, -1),
    "softmax_first": lambda x: F.softmax(x, 0),
    "softmax_all": lambda x: F.softmax(x.flatten(), 0).reshape(x.shape),
    "softmin": lambda x: F.softmin(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "log_softmax_first": lambda x: F.log_softmax(x, 0),
}
for name, function in OVER_AXES.items():
    rows = torch.tensor(ROWS).T.tolist() if name == "prelu" else ROWS
    x = leaf(rows)
    y = F.prelu(x, torch.tensor([0.25, 0.5, -0.125])) if name == "prelu" else function(x)
    show(name, {"x": rows}, {"y": y, "slope": slopes(y, x)[0]}, dims={"N": len(rows)})

INF = float("inf")
x = leaf(ROWS)
y = torch.logsumexp(x, 1)
show("logsumexp", {"x": ROWS}, {"y": y, "slope": slopes(y, x)[0]}, dims={"N": 3})
rows = [[-INF, 1.0, 2.0, 0.0], [-INF] * 4, [INF, 0.0, 0.0, 1.0]]
show("logsumexp", {"x": rows}, {"y": torch.logsumexp(torch.tensor(rows), 1), "slope": None},
     dims={"N": 3})
a, b = leaf(ROWS[:2] + [[0.0] * 4]), leaf([[1.0, 2.0, -0.5, 0.25], [3.0, -1.0, 0.5, -2.0], [1.0, 2.0, 3.0, 4.0]])
y = F.cosine_similarity(a, b, -1)
show("cosine_similarity", {"a": a, "b": b}, {"y": y, "slope": slopes(y, a)[0]}, dims={"N": 3})
y = F.normalize(b, dim=-1)
show("normalize", {"x": b}, {"y": y, "slope": slopes(y, b)[0]}, dims={"N": 3})
