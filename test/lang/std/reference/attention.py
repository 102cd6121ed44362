# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention and transformer blocks with the weights of torch.nn's, and their gradients."""

import math

import torch
from torch import nn

from common import leaf, show, slopes

torch.manual_seed(5)
WIDTH, HEADS = 4, 2
X = (torch.randint(-40, 41, (2, 3, WIDTH)) / 16).tolist()
MEMORY = (torch.randint(-40, 41, (2, 2, 6)) / 16).tolist()
CAUSAL = torch.tril(torch.ones(3, 3, dtype=torch.bool))
MASK = torch.tensor([[True, True, False], [False, True, True], [True, False, True]])
ROW_MASK = torch.stack([MASK, torch.tensor([[True, False, False]] * 3)])
MEMORY_MASK = torch.tensor([[[True, True]] * 3, [[False, True]] * 3])


def attention_weights(name, module):
    if module._qkv_same_embed_dim:
        maps = module.in_proj_weight.chunk(3)
    else:
        maps = module.q_proj_weight, module.k_proj_weight, module.v_proj_weight
    nn.init.uniform_(module.in_proj_bias, -1, 1)
    nn.init.uniform_(module.out_proj.bias, -1, 1)
    weights = {}
    for part, weight, bias in zip(("query", "key", "value"), maps, module.in_proj_bias.chunk(3)):
        weights[f"{name}.{part}.weight"] = weight.T
        weights[f"{name}.{part}.bias"] = bias
    weights[f"{name}.out.weight"] = module.out_proj.weight.T
    weights[f"{name}.out.bias"] = module.out_proj.bias
    return weights


def plain(name, module):
    if isinstance(module, nn.LayerNorm):
        nn.init.uniform_(module.weight, 0.5, 2)
        nn.init.uniform_(module.bias, -1, 1)
        return {f"{name}.scale": module.weight, f"{name}.shift": module.bias}
    return {f"{name}.weight": module.weight.T, f"{name}.bias": module.bias}


def batches(mask):
    """PyTorch masks each head of each row, and marks what must not be seen."""
    return ~mask.repeat_interleave(HEADS, 0)


def attend(name, module, weights, memory=None, mask=None):
    x = leaf(X)
    other = x if memory is None else torch.tensor(memory)
    hidden = None if mask is None else batches(mask) if mask.ndim == 3 else ~mask
    out = module(x, other, other, attn_mask=hidden, need_weights=False)[0]
    arguments = {"x": X, **weights}
    dims = {"B": 2}
    if memory is not None:
        arguments["memory"] = memory
    if mask is not None and name != "causal":
        arguments["mask"] = mask
    show(name, arguments, {"out": out, "slope": slopes(out, x)[0]}, dims=dims)


attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
weights = attention_weights("attention", attention)
attend("self", attention, weights)
attend("masked", attention, weights, mask=MASK)
attend("row_masked", attention, weights, mask=ROW_MASK)
attend("causal", attention, {k.replace("attention", "causal_attention", 1): v
                             for k, v in weights.items()}, mask=CAUSAL)
cross = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, kdim=6, vdim=6)
cross_weights = attention_weights("cross", cross)
attend("cross", cross, cross_weights, memory=MEMORY)
attend("cross_masked", cross, cross_weights, memory=MEMORY, mask=MEMORY_MASK[0])
attend("cross_row_masked", cross, cross_weights, memory=MEMORY, mask=MEMORY_MASK)

encoder = nn.TransformerEncoderLayer(WIDTH, HEADS, 8, dropout=0.0, activation="gelu",
                                     batch_first=True, norm_first=True)
weights = {**attention_weights("block.attention", encoder.self_attn),
           **plain("block.norm1", encoder.norm1), **plain("block.norm2", encoder.norm2),
           **plain("block.forward.up", encoder.linear1),
           **plain("block.forward.down", encoder.linear2)}
x = leaf(X)
out = encoder(x)
show("block", {"x": X, **weights}, {"out": out, "slope": slopes(out, x)[0]}, dims={"B": 2})
x = leaf(X)
out = encoder(x, src_mask=batches(ROW_MASK))
show("block_masked", {"x": X, "mask": ROW_MASK, **weights},
     {"out": out, "slope": slopes(out, x)[0]}, dims={"B": 2})

decoder = nn.TransformerDecoderLayer(WIDTH, HEADS, 8, dropout=0.0, activation="relu",
                                     batch_first=True, norm_first=True)
weights = {**attention_weights("decoder.attention", decoder.self_attn),
           **attention_weights("decoder.cross", decoder.multihead_attn),
           **plain("decoder.norm1", decoder.norm1), **plain("decoder.norm2", decoder.norm2),
           **plain("decoder.norm3", decoder.norm3),
           **plain("decoder.forward.up", decoder.linear1),
           **plain("decoder.forward.down", decoder.linear2)}
memory = [[row[:WIDTH] for row in rows] for rows in MEMORY]
x = leaf(X)
out = decoder(x, torch.tensor(memory), tgt_mask=~CAUSAL)
show("decoder", {"x": X, "memory": memory, **weights}, {"out": out, "slope": slopes(out, x)[0]},
     dims={"B": 2})
x = leaf(X)
out = decoder(x, torch.tensor(memory), tgt_mask=~CAUSAL, memory_mask=batches(MEMORY_MASK))
show("decoder_masked", {"x": X, "memory": memory, "mask": MEMORY_MASK, **weights},
     {"out": out, "slope": slopes(out, x)[0]}, dims={"B": 2})

# Positions, from the formulas of Vaswani et al. (2017) and Su et al. (2021).
waves = [[(math.sin if i % 2 == 0 else math.cos)(t / 10000 ** (2 * (i // 2) / 6)) for i in range(6)]
         for t in range(5)]
show("sinusoidal", {"x": [[0.5] * 6] * 5}, {"result": (torch.tensor(waves) + 0.5)}, dims={"T": 5})
rows = (torch.randint(-40, 41, (3, 4)) / 16)
turned = []
for t, row in enumerate(rows.tolist()):
    pairs = [complex(row[i], row[i + 2]) * complex(math.cos(a), math.sin(a))
             for i, a in ((i, t / 10000 ** (2 * i / 4)) for i in range(2))]
    turned.append([p.real for p in pairs] + [p.imag for p in pairs])
show("rotary", {"x": rows}, {"result": turned}, dims={"T": 3})
table = (torch.randint(-40, 41, (5, 4)) / 16)
show("learned", {"x": rows, "learned.weight": table}, {"result": rows + table[:3]}, dims={"T": 3})

# A row of the mask without a true element gives zeros, and finite gradients.
first = 1 / (1 + math.exp(2))
change = first * (1 - first) * (1 - 1 / 3)
show("masked_softmax",
     {"x": [[1.0, 2.0, 3.0]] * 2, "mask": [[False] * 3, [True, False, True]]},
     {"y": [[0.0] * 3, [first, 0.0, 1 - first]], "slope": [[0.0] * 3, [change, 0.0, -change]]})
