# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch's side of the benchmark: the same steps, at the settings that suit PyTorch best.

    torch_worker.py WORKLOAD MODE THREADS

The protocol is that of worker.cpp. MODE: eager, or compile (torch.compile, max-autotune)."""

import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional


def mlp(inputs, hidden, layers):
    parts = [nn.Linear(inputs, hidden), nn.ReLU()]
    for _ in range(layers - 1):
        parts += [nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(hidden, 10))


def lenet():
    return nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),
                         nn.Linear(84, 10))


def cifar():
    return nn.Sequential(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
                         nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Linear(256, 10))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        rows, length, width = x.shape
        q, k, v = (part.view(rows, length, self.heads, width // self.heads).transpose(1, 2)
                   for part in self.qkv(x).split(width, dim=2))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).reshape(rows, length, width))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width), Attention(width, heads))
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(),
                                 nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.mlp(x)


class Gpt(nn.Module):
    def __init__(self, vocab=65, context=64, width=128, heads=4, depth=4):
        super().__init__()
        self.tokens = nn.Embedding(vocab, width)
        self.positions = nn.Parameter(torch.randn(context, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(depth)),
                                    nn.LayerNorm(width))

    def forward(self, x):
        hidden = self.blocks(self.tokens(x) + self.positions[:x.shape[1]])
        return hidden @ self.tokens.weight.t()


class CharGru(nn.Module):
    def __init__(self, vocab=65, embed=32, hidden=128):
        super().__init__()
        self.embed = nn.Embedding(vocab, embed)
        self.gru = nn.GRU(embed, hidden, batch_first=True)
        self.out = nn.Linear(hidden, vocab)

    def forward(self, x):
        return self.out(self.gru(self.embed(x))[0])


def classes(z, y):
    return functional.cross_entropy(z.reshape(-1, z.shape[-1]), y.reshape(-1))


def pixels(rows, channels, size):
    return torch.randn(rows, channels, size, size).contiguous(memory_format=torch.channels_last)


def optimizer_of(name, model):
    """The variant that is fastest on CPUs: one fused kernel over all tensors."""
    weights = list(model.parameters())
    if name == "sgd":
        return torch.optim.SGD(weights, lr=0.01, fused=True)
    if name == "adam":
        return torch.optim.Adam(weights, lr=1e-3, fused=True)
    groups = [{"params": [w for w in weights if w.dim() > 1], "weight_decay": 0.1},
              {"params": [w for w in weights if w.dim() < 2], "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=True)


# name: model, inputs (rows -> x, y), loss, optimizer, largest norm of all gradients
WORKLOADS = {
    "linear": (lambda: nn.Linear(1, 1), lambda b: (torch.randn(b, 1), torch.randn(b, 1)),
               functional.mse_loss, "adam", None),
    "logistic": (lambda: nn.Linear(30, 1),
                 lambda b: (torch.randn(b, 30), torch.randint(2, (b, 1)).float()),
                 functional.binary_cross_entropy_with_logits, "sgd", None),
    "small-sgd": (lambda: mlp(64, 128, 1), lambda b: (torch.randn(b, 64), torch.randint(10, (b,))),
                  classes, "sgd", None),
    "small-adam": (lambda: mlp(64, 128, 1), lambda b: (torch.randn(b, 64), torch.randint(10, (b,))),
                   classes, "adam", None),
    "mlp-sgd": (lambda: mlp(784, 512, 2), lambda b: (torch.randn(b, 784), torch.randint(10, (b,))),
                classes, "sgd", None),
    "mlp-adam": (lambda: mlp(784, 512, 2), lambda b: (torch.randn(b, 784), torch.randint(10, (b,))),
                 classes, "adam", None),
    "lenet": (lenet, lambda b: (pixels(b, 1, 28), torch.randint(10, (b,))), classes, "sgd", None),
    "cifar": (cifar, lambda b: (pixels(b, 3, 32), torch.randint(10, (b,))), classes, "sgd", None),
    "gpt": (Gpt, lambda b: (torch.randint(65, (b, 64)), torch.randint(65, (b, 64))), classes,
            "adamw", 1.0),
    "gru": (CharGru, lambda b: (torch.randint(65, (b, 64)), torch.randint(65, (b, 64))), classes,
            "adam", 1.0),
}


def training(name, rows, mode):
    make, data, loss_of, optimizer, largest_norm = WORKLOADS[name]
    model = make()
    if name in ("lenet", "cifar"):
        model = model.to(memory_format=torch.channels_last)
    steps = optimizer_of(optimizer, model)
    x, y = data(rows)

    def loss_and_gradients():
        loss = loss_of(model(x), y)
        loss.backward()
        return loss

    if mode == "compile":
        forward = torch.compile(lambda x, y: loss_of(model(x), y), mode="max-autotune")

        def loss_and_gradients():  # noqa: F811
            loss = forward(x, y)
            loss.backward()
            return loss

    def step():
        steps.zero_grad(set_to_none=True)
        loss_and_gradients()
        if largest_norm:
            nn.utils.clip_grad_norm_(model.parameters(), largest_norm, foreach=True)
        steps.step()
    return step


def inference(name, rows, mode):
    make, data, _, _, _ = WORKLOADS[name]
    model = make().eval()
    if name in ("lenet", "cifar"):
        model = model.to(memory_format=torch.channels_last)
    x, _ = data(rows)
    forward = torch.compile(model, mode="max-autotune") if mode == "compile" else model

    def call():
        with torch.inference_mode():
            return functional.softmax(forward(x), dim=-1)
    return call


def main():
    name, what, rows, mode, threads = sys.argv[1:]
    torch.manual_seed(1)
    torch.set_num_threads(int(threads))
    call = (training if what == "step" else inference)(name, int(rows), mode)
    for _ in range(5):
        call()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"memory": peak}), flush=True)
    for line in sys.stdin:
        calls = int(line)
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        print(f"{time.perf_counter() - begin:.9f}", flush=True)


main()
