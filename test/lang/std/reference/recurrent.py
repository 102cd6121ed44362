# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recurrent layers with the weights of torch.nn's, their states and gradients."""

import torch
from torch import nn

from common import leaf, show, slopes

torch.manual_seed(3)
X = (torch.randint(-40, 41, (2, 5, 3)) / 16).tolist()
H = (torch.randint(-16, 17, (2, 2)) / 16).tolist()
C = (torch.randint(-16, 17, (2, 2)) / 16).tolist()


def weights(name, module, suffix="l0"):
    def part(kind):
        return getattr(module, f"{kind}_{suffix}")

    found = {f"{name}.wx.weight": part("weight_ih").T, f"{name}.wh.weight": part("weight_hh").T}
    if isinstance(module, nn.LSTM):
        found[f"{name}.wx.bias"] = part("bias_ih") + part("bias_hh")
    else:
        found[f"{name}.wx.bias"] = part("bias_ih")
        found[f"{name}.wh.bias"] = part("bias_hh")
    return found


def try_layer(name, module):
    is_lstm = isinstance(module, nn.LSTM)
    for start in (False, True) if name == "rnn" else (True,):
        x = leaf(X)
        arguments = {"x": X, **weights(name, module)}
        if start:
            first = torch.tensor(H)[None]
            arguments["h"] = H
            if is_lstm:
                first = first, torch.tensor(C)[None]
                arguments["c"] = C
            states, last = module(x, first)
            results = {"states": states, "last": (last[0] if is_lstm else last)[0]}
            if is_lstm:
                results["memory"] = last[1][0]
        else:
            states, _ = module(x)
            results = {"states": states}
        results["slope"] = slopes(states, x)[0]
        show(f"{name}_from" if start else name, arguments, results, dims={"B": 2})


def train(name, module):
    """The gradients of the mean square of the states by every weight."""
    states, _ = module(torch.tensor(X))
    loss = (states ** 2).mean()
    loss.backward()
    gradients = {f"{name}.wx.weight": module.weight_ih_l0.grad.T,
                 f"{name}.wh.weight": module.weight_hh_l0.grad.T,
                 f"{name}.wx.bias": module.bias_ih_l0.grad}
    if not isinstance(module, nn.LSTM):
        gradients[f"{name}.wh.bias"] = module.bias_hh_l0.grad
    show(f"{name}_step.grad", {"x": X, **weights(name, module)}, {"loss": loss, **gradients},
         dims={"B": 2, "T": 5}, prefix="")


for name, module in (("rnn", nn.RNN(3, 2, batch_first=True)), ("gru", nn.GRU(3, 2, batch_first=True)),
                     ("lstm", nn.LSTM(3, 2, batch_first=True))):
    try_layer(name, module)
    train(name, module)

both = nn.GRU(3, 2, batch_first=True, bidirectional=True)
x = leaf(X)
states, _ = both(x)
show("both", {"x": X, **weights("both.forward", both),
              **weights("both.backward", both, "l0_reverse")},
     {"states": states, "slope": slopes(states, x)[0]}, dims={"B": 2})
cell = nn.LSTMCell(3, 2)
h, c = cell(torch.tensor(X)[:, 0], (torch.tensor(H), torch.tensor(C)))
show("cell", {"x": torch.tensor(X)[:, 0], "h": H, "c": C, "lstm.wx.weight": cell.weight_ih.T,
              "lstm.wh.weight": cell.weight_hh.T, "lstm.wx.bias": cell.bias_ih + cell.bias_hh},
     {"h": h, "c": c}, dims={"B": 2})
show("init_lstm_bias", {}, exact={"result": [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]})
