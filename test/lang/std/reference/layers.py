# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers and their gradients, by torch.nn. Channels are our last axis and PyTorch's second."""

import torch
from torch import nn

from common import leaf, show

torch.manual_seed(7)
X = (torch.randint(-40, 41, (2, 3, 4)) / 16).tolist()
Y = (torch.randint(-40, 41, (2, 3, 4)) / 16).tolist()
SCALE, SHIFT = [0.5, 1.25, -2.0, 1.0], [0.125, -1.0, 0.25, 3.0]
MEAN, VAR = [0.25, -0.5, 1.0, 0.0], [1.5, 0.25, 2.0, 1.0]


def channels_second(x):
    return x.transpose(1, 2)


def load(module, scale=SCALE, shift=SHIFT):
    module.weight.data = torch.tensor(scale)
    if getattr(module, "bias", None) is not None:
        module.bias.data = torch.tensor(shift)
    return module


def normalized(name, module, swap, parameters):
    """The loss sum(layer(x) y) and its gradient by x."""
    x = leaf(X)
    out = module(channels_second(x)) if swap else module(x)
    out = channels_second(out) if swap else out
    slope = torch.autograd.grad((out * torch.tensor(Y)).sum(), x)[0]
    show(name, {"x": X, "y": Y, **parameters}, {"out": out, "slope": slope}, dims={"B": 2})


def affine(name, **more):
    return {f"{name}.scale": SCALE, f"{name}.shift": SHIFT, **more}


normalized("layer_norm", load(nn.LayerNorm(4, eps=1e-3)), False, affine("layer_norm"))
normalized("rms_norm", load(nn.RMSNorm(4, eps=1e-6)), False, {"rms_norm.scale": SCALE})
normalized("group_norm", load(nn.GroupNorm(2, 4)), True, affine("group_norm"))
normalized("instance_norm", nn.InstanceNorm1d(4), True, {})
normalized("prelu", load(nn.PReLU(4), [0.25, 0.5, -0.125, 1.5]), True,
           {"prelu.slope": [0.25, 0.5, -0.125, 1.5]})
running = {"batch_norm.running_mean": MEAN, "batch_norm.running_var": VAR}
batch_norm = load(nn.BatchNorm1d(4, momentum=0.25))
batch_norm.running_mean, batch_norm.running_var = torch.tensor(MEAN), torch.tensor(VAR)
batch_norm.eval()
normalized("batch_norm", batch_norm, True, affine("batch_norm", **running))

# Training: the batch's statistics, and the running ones that come of them.
batch_norm.train()
out = channels_second(batch_norm(channels_second(leaf(X))))
loss = (out * torch.tensor(Y)).sum()
loss.backward()
show("batch_norm_step.grad", {"x": X, "y": Y, **affine("batch_norm", **running)},
     {"loss": loss, "batch_norm.scale": batch_norm.weight.grad,
      "batch_norm.shift": batch_norm.bias.grad, "batch_norm.running_mean": batch_norm.running_mean,
      "batch_norm.running_var": batch_norm.running_var}, dims={"B": 2}, prefix="")

# Weights in layers of layers.
linear = {}
torch.manual_seed(11)
mlp = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
for place, index in (("hidden.0", 0), ("hidden.1", 2), ("head", 4)):
    part = f"mlp.{place}.linear" if place != "head" else "mlp.head"
    linear[f"{part}.weight"] = mlp[index].weight.T
    linear[f"{part}.bias"] = mlp[index].bias
show("mlp", {"x": X, **linear}, {"result": mlp(torch.tensor(X))}, dims={"B": 2})
show("parts", {"x": X, "i": [[2, 0], [1, 1]],
               "table.weight": [[0.5, 1.0], [-0.25, 2.0], [3.0, -1.0]],
               "wide.weight": [SCALE] * 4},
     {"residual": (torch.tensor(X) + torch.tensor(X) @ torch.tensor([SCALE] * 4))},
     {"flat": torch.tensor(X).reshape(2, 12),
      "rows": [[[3.0, -1.0], [0.5, 1.0]], [[-0.25, 2.0], [-0.25, 2.0]]]}, {"B": 2})
