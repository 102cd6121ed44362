# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Learning rates by torch.optim.lr_scheduler, or by the formula of the paper.

The models train w = 0 with the gradient -1 and sgd, so that w is the rate after the step.
"""

import math

import torch
from torch.optim import lr_scheduler as L

from common import show


def rates(schedule, count=60, rate=0.5):
    parameter = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=rate)
    scheduler = schedule(optimizer)
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def cosine(x):
    return (1 + math.cos(math.pi * x)) / 2


CASES = {
    "constant": [0.5] * 60,
    "steps": rates(lambda o: L.StepLR(o, 7, 0.3)),
    "exponential": rates(lambda o: L.ExponentialLR(o, 0.9)),
    "slow_exponential": [0.5 * 0.25 ** (t / 20) for t in range(60)],
    "linear": rates(lambda o: L.LinearLR(o, 1.0, 0.25, 40)),
    "polynomial": [0.1 + 0.4 * (1 - min(t / 40, 1)) ** 2.5 for t in range(60)],
    "cosine": [0.1 + 0.4 * cosine(min(t / 40, 1)) for t in range(60)],
    "restarts": rates(lambda o: L.CosineAnnealingWarmRestarts(o, 10, 1, 0.1)),
    "longer_restarts": rates(lambda o: L.CosineAnnealingWarmRestarts(o, 5, 2, 0.1)),
    "tripled_restarts": rates(lambda o: L.CosineAnnealingWarmRestarts(o, 3, 3)),
    "warmup": [0.5 * min((t + 1) / 8, 1) for t in range(60)],
    "warm_cosine": [0.5 * ((t + 1) / 8 if t < 8 else cosine((t - 8) / 32) if t < 40 else 0)
                    for t in range(60)],
    "vaswani": [0.5 * math.sqrt(8) * min((t + 1) ** -0.5, (t + 1) * 8 ** -1.5) for t in range(60)],
    "cycle": rates(lambda o: L.OneCycleLR(o, 0.5, total_steps=60)),
}
for name, values in CASES.items():
    for t in (0, 1, 4, 5, 7, 8, 12, 14, 15, 17, 35, 39, 40, 59):
        show(name, {"w": 0.0, f"{name}.steps": t}, {"loss": None, "w": values[t]},
             {f"{name}.steps": t + 1}, prefix="")
