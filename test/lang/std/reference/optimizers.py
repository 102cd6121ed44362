# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Steps of optimizers: torch.optim's, and those that it lacks from their papers' formulas.

Each step starts from the reference's own state, so that errors do not add up. The models' loss is
sum(w c) + sum(b d): c and d are the gradients.
"""

import math

import torch

from common import show

W = [[0.5, -1.25, 2.0], [-0.75, 0.0, 1.5]]
B = [1.0, -2.0]
GRADIENTS = [([[0.5, -0.25, 1.0], [0.125, 2.0, -3.0]], [1.0, 0.0]),
             ([[-0.75, -0.25, 0.5], [1.5, 0.25, -1.0]], [-0.5, 2.0]),
             ([[0.25, 4.0, 0.75], [-0.125, -2.0, 0.0]], [0.25, -1.0]),
             ([[1.25, 0.5, -0.5], [0.375, 1.0, 3.0]], [-1.0, 0.5])]


def zeros():
    return [torch.zeros(2, 3), torch.zeros(2)]


def follow(name, make, states, scalars=(), shown=(1, 2, 4), only=("w", "b")):
    """Runs an optimizer and shows some of its steps.

    `states` maps our names to those of torch's state; `scalars` has (our name, torch's name, value
    before the first step) of what there is once.
    """
    tensors = [torch.tensor(W, requires_grad=True), torch.tensor(B, requires_grad=True)]
    parameters = [t for t, n in zip(tensors, ("w", "b")) if n in only]
    optimizer = make(parameters)

    def snapshot():
        taken = {}
        for letter, parameter in zip(only, parameters):
            taken[letter] = parameter.detach().clone()
            state = optimizer.state.get(parameter, {})
            for ours, theirs in states.items():
                value = state.get(theirs)
                taken[f"{name}.{ours}.{letter}"] = (torch.zeros_like(parameter) if value is None
                                                    else value.detach().clone())
        return taken

    def once(t):
        state = optimizer.state.get(parameters[0], {})
        found = {}
        for ours, theirs, start in scalars:
            value = t if theirs == "step" else state.get(theirs, start)
            found[f"{name}.{ours}"] = int(value) if theirs == "step" else float(value)
        return found

    for t in range(1, max(shown) + 1):
        gradients = GRADIENTS[(t - 1) % len(GRADIENTS)]
        before, counters = snapshot(), once(t - 1)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = torch.tensor(gradient)
        optimizer.step()
        if t in shown:
            after = {**snapshot(), **{k: v for k, v in once(t).items() if isinstance(v, float)}}
            exact = {k: v for k, v in once(t).items() if isinstance(v, int)}
            inputs = dict(zip(("c", "d"), gradients[:len(only)]))
            show(name, {**inputs, **before, **counters, f"{name}.steps": t - 1},
                 {"loss": None, **after}, {**exact, f"{name}.steps": t}, prefix="")


STEP = (("t", "step", 0),)
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
optim = torch.optim
follow("sgd_plain", lambda p: optim.SGD(p, lr=0.1), {})
follow("sgd_momentum", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.2),
       {"v": "momentum_buffer"})
follow("sgd_nesterov", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
       {"v": "momentum_buffer"})
follow("sgd_damped", lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.25),
       {"v": "momentum_buffer"}, STEP)
follow("adagrad_plain", lambda p: optim.Adagrad(p, lr=0.1), {"v": "sum"})
follow("adagrad_decayed", lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.5, weight_decay=0.25),
       {"v": "sum"}, STEP)
follow("rmsprop_plain", lambda p: optim.RMSprop(p, lr=0.01, weight_decay=0.1), {"v": "square_avg"})
follow("rmsprop_full", lambda p: optim.RMSprop(p, lr=0.01, alpha=0.875, momentum=0.9, centered=True),
       {"v": "square_avg", "m": "grad_avg", "b": "momentum_buffer"})
follow("adadelta_plain", lambda p: optim.Adadelta(p, lr=0.5, weight_decay=0.1),
       {"v": "square_avg", "u": "acc_delta"})
follow("adam_plain", lambda p: optim.Adam(p, lr=0.01), MOMENTS, STEP)
follow("adam_full", lambda p: optim.Adam(p, lr=0.01, betas=(0.5, 0.75), weight_decay=0.1, amsgrad=True),
       {**MOMENTS, "greatest": "max_exp_avg_sq"}, STEP)
follow("adamw_plain", lambda p: optim.AdamW(p, lr=0.01, weight_decay=0.1), MOMENTS, STEP)
follow("nadam_plain", lambda p: optim.NAdam(p, lr=0.01, weight_decay=0.1), MOMENTS,
       STEP + (("product", "mu_product", 1.0),))
follow("radam_plain", lambda p: optim.RAdam(p, lr=0.01), MOMENTS, STEP, shown=(1, 5, 6, 8))
follow("adamax_plain", lambda p: optim.Adamax(p, lr=0.01, weight_decay=0.1),
       {"m": "exp_avg", "u": "exp_inf"}, STEP)


class Written:
    """An optimizer as a function p, g, state, t -> new p."""

    def __init__(self, parameters, rule):
        self.parameters, self.rule, self.t = parameters, rule, 0
        self.state = {p: {"step": 0} for p in parameters}

    def step(self):
        self.t += 1
        for p in self.parameters:
            self.state[p]["step"] = self.t
            p.data = self.rule(p.data.clone(), p.grad, self.state[p], self.t)


def lion(p, g, state, t):
    """Chen et al. (2023), program 1."""
    m = state.get("m", torch.zeros_like(p))
    update = torch.sign(0.9 * m + (1 - 0.9) * g) + 0.25 * p
    state["m"] = 0.99 * m + (1 - 0.99) * g
    return p - 0.01 * update


def lamb(p, g, state, t):
    """You et al. (2020), algorithm 2, with phi(z) = z."""
    state["m"] = 0.9 * state.get("m", torch.zeros_like(p)) + 0.1 * g
    state["v"] = 0.999 * state.get("v", torch.zeros_like(p)) + 0.001 * g * g
    r = (state["m"] / (1 - 0.9 ** t)) / (torch.sqrt(state["v"] / (1 - 0.999 ** t)) + 1e-6)
    update = r + 0.1 * p
    size, length = torch.linalg.vector_norm(p), torch.linalg.vector_norm(update)
    return p - 0.01 * (size / length if size > 0 and length > 0 else 1) * update


def muon(p, g, state, t):
    """Jordan et al. (2024), transposed to [inputs, outputs], decay and rate as in torch.optim.Muon."""
    v = state["v"] = 0.95 * state.get("v", torch.zeros_like(p)) + 0.05 * g
    update = 0.05 * g + 0.95 * v
    x = update.T / max(torch.linalg.matrix_norm(update).item(), 1e-7)
    rows, columns = x.shape
    x = x.T if rows > columns else x
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    x = x.T if rows > columns else x
    return p * (1 - 0.02 * 0.1) - 0.02 * math.sqrt(max(1, rows / columns)) * x.T


follow("lion_plain", lambda p: Written(p, lion), {"m": "m"})
follow("lamb_plain", lambda p: Written(p, lamb), {"m": "m", "v": "v"}, STEP)
follow("muon_plain", lambda p: Written(p, muon), {"v": "v"}, only=("w",))
tall = [[1.0, 0.5], [-0.25, 2.0], [0.75, -1.0]]
x = torch.tensor(tall) / torch.linalg.matrix_norm(torch.tensor(tall))
for _ in range(5):
    a = x.T @ x
    x = 3.4445 * x + x @ (-4.7750 * a + 2.0315 * a @ a)
show("orthogonalize", {"x": tall}, {"result": x})

# Predicates choose what an optimizer takes: vectors at rate 1, matrices at 1/2.
show("by_rank", {"c": [[1.0] * 3] * 2, "d": [1.0] * 2, "w": [[0.0] * 3] * 2, "b": [0.0] * 2,
                 "by_rank.steps": 0},
     {"loss": None, "w": [[-0.5] * 3] * 2, "b": [-1.0] * 2}, {"by_rank.steps": 1}, prefix="")

# Clipping, by torch.nn.utils.
for name, clip in (("clip_norm", lambda p: torch.nn.utils.clip_grad_norm_(p, 2.0)),
                   ("clip_value", lambda p: torch.nn.utils.clip_grad_value_(p, 0.75))):
    w, b = torch.zeros(2, 3, requires_grad=True), torch.zeros(2, requires_grad=True)
    w.grad, b.grad = (torch.tensor(g) for g in GRADIENTS[0])
    clip([w, b])
    if name == "clip_norm":  # clip_grad_norm_ adds 1e-6 to the norm
        length = math.sqrt(sum((torch.tensor(g) ** 2).sum().item() for g in GRADIENTS[0]))
        w.grad, b.grad = (torch.tensor(g) * (2.0 / length) for g in GRADIENTS[0])
    show(name, {"c": GRADIENTS[0][0], "d": GRADIENTS[0][1], "w": [[0.0] * 3] * 2, "b": [0.0] * 2,
                f"{name}.steps": 0},
         {"loss": None, "w": -w.grad, "b": -b.grad}, {f"{name}.steps": 1}, prefix="")

# Rows: only those that an index names move, each by the sum of its gradients.
TABLE = [[0.5, -1.0], [2.0, 0.25], [-0.75, 1.5], [1.0, 1.0]]
READS = [([0, 2, 0], [[1.0, -0.5], [0.25, 2.0], [0.5, 0.5]]), ([2], [[-1.0, 0.75]]),
         ([3, 0], [[0.125, 1.0], [-2.0, 0.5]])]


def lazy(name, names, move):
    table = [row[:] for row in TABLE]
    state = {n: [[0.0, 0.0] for _ in TABLE] for n in names}
    for t, (indices, gradients) in enumerate(READS, 1):
        counter = {f"{name}.t": t - 1} if name == "lazy_adam_rows" else {}

        def all_of():
            return {"table.weight": [row[:] for row in table],
                    **{f"{name}.{n}.table.weight": [row[:] for row in state[n]] for n in names}}

        before = all_of()
        for i in sorted(set(indices)):
            for c in range(2):
                g = sum(row[c] for j, row in zip(indices, gradients) if j == i)
                values = move(t, table[i][c], g, *(state[n][i][c] for n in names))
                table[i][c] = values[0]
                for n, value in zip(names, values[1:]):
                    state[n][i][c] = value
        show(name, {"i": indices, "d": gradients, **before, **counter, f"{name}.steps": t - 1},
             {"loss": None, **all_of()},
             {**{k: v + 1 for k, v in counter.items()}, f"{name}.steps": t},
             dims={"B": len(indices)}, prefix="")


def adam(t, p, g, m, v):
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
    return p - 0.01 * (m / (1 - 0.9 ** t)) / (math.sqrt(v / (1 - 0.999 ** t)) + 1e-8), m, v


lazy("lazy_adam_rows", ("m", "v"), adam)
lazy("lazy_sgd_rows", ("v",), lambda t, p, g, v: (p - 0.1 * (0.9 * v + g), 0.9 * v + g))
