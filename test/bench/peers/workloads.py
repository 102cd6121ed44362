# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is measured: training steps, inference and matrix products, with the ratios we ask for."""

import dataclasses
import os

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", "..", ".."))


@dataclasses.dataclass(frozen=True)
class Workload:
    name: str
    peer: str  # its name among the peers' workloads; of a product: nn, tn or nt
    source: str
    entry: str  # an entry, or the train block of a step
    sets: tuple = ()
    dims: tuple = ()  # "B=64"; the first is the number of rows
    kind: str = "step"  # step, inference or product
    flops: float = 0.0  # of one call; 0: not counted
    # Time of the best peer / ours that is required, and aimed at, by one thread and by all.
    required: tuple = (0.0, 0.0)
    aim: tuple = (0.0, 0.0)

    @property
    def rows(self):
        return int(self.dims[0].split("=")[1])


def model(name):
    return os.path.join(ROOT, "test", "bench", "models", name + ".apr")


def example(path):
    return os.path.join(ROOT, "docs", "examples", path)


SMALL = ("inputs=64", "hidden=128", "layers=1")
GPT = ("drop=0",)

# Multiply-adds of the products and convolutions of a step, twice: forward, and backward for
# weights and inputs, but no gradient of the data.
_MLP = 2 * (2 * 784 * 512 + 3 * 512 * 512 + 3 * 512 * 10)
_SMALL = 2 * (2 * 64 * 128 + 3 * 128 * 10)
_LENET = 2 * (2 * 784 * 25 * 6 + 3 * 100 * 150 * 16 + 3 * (400 * 120 + 120 * 84 + 84 * 10))
_CIFAR = 2 * (2 * 1024 * 27 * 32 + 3 * 1024 * 288 * 32 + 3 * 256 * (288 + 576) * 64
              + 3 * (4096 * 256 + 256 * 10))
_GPT = 3 * 2 * 64 * (4 * (12 * 128 * 128 + 2 * 64 * 128) + 128 * 65)
_GRU = 3 * 2 * 64 * (3 * 128 * (32 + 128) + 128 * 65)

STEPS = (
    Workload("linear regression b64 Adam", "linear", model("linear"), "step", dims=("B=64",),
             required=(200, 200), aim=(900, 900)),
    Workload("logistic regression b64", "logistic", model("logistic"), "step", dims=("B=64",),
             required=(5, 5), aim=(20, 20)),
    Workload("MLP 64-128-10 b32 SGD", "small-sgd", model("mlp"), "sgd_step", SMALL, ("B=32",),
             flops=32 * _SMALL, required=(3.5, 3.5), aim=(6, 6)),
    Workload("MLP 64-128-10 b32 Adam", "small-adam", model("mlp"), "adam_step", SMALL, ("B=32",),
             flops=32 * _SMALL, required=(5, 5), aim=(9, 9)),
    Workload("MLP 784-512-512-10 b64 SGD", "mlp-sgd", model("mlp"), "sgd_step", (), ("B=64",),
             flops=64 * _MLP, required=(1.2, 1.4), aim=(1.5, 1.7)),
    Workload("MLP 784-512-512-10 b64 Adam", "mlp-adam", model("mlp"), "adam_step", (), ("B=64",),
             flops=64 * _MLP, required=(1.4, 1.7), aim=(1.7, 2.2)),
    Workload("MLP 784-512-512-10 b128 SGD", "mlp-sgd", model("mlp"), "sgd_step", (), ("B=128",),
             flops=128 * _MLP, required=(1.2, 1.4), aim=(1.5, 1.7)),
    Workload("MLP 784-512-512-10 b128 Adam", "mlp-adam", model("mlp"), "adam_step", (),
             ("B=128",), flops=128 * _MLP, required=(1.4, 1.7), aim=(1.7, 2.2)),
    Workload("LeNet-5 b64 SGD", "lenet", model("lenet"), "step", (), ("B=64",),
             flops=64 * _LENET, required=(2, 2.5), aim=(3.5, 4)),
    Workload("CIFAR CNN b64 SGD", "cifar", model("cifar"), "step", (), ("B=64",),
             flops=64 * _CIFAR, required=(1.15, 1.3), aim=(1.5, 1.8)),
    Workload("char-GPT b12 AdamW", "gpt", example("gpt/gpt.apr"), "step", GPT, ("B=12", "T=64"),
             flops=12 * _GPT, required=(1.3, 1.7), aim=(1.75, 2.6)),
    Workload("char-GRU b32 Adam", "gru", example("char_gru/gru.apr"), "step", (),
             ("B=32", "T=64"), flops=32 * _GRU, required=(1.5, 1.5), aim=(3, 3)),
)


def _inference():
    seen = set()
    for step in STEPS:
        if step.peer in seen or step.peer.endswith("-adam"):
            continue
        seen.add(step.peer)
        is_tiny = step.flops < 1e7
        for rows in (1, 64):
            required = 1.5 if rows == 1 else 2 if is_tiny else 1.1
            aim = 5 if rows == 1 else 1.2
            name = step.name.split(" b")[0]
            yield Workload(f"{name} predict b{rows}", step.peer, step.source, "predict", step.sets,
                           (f"B={rows}",) + step.dims[1:], kind="inference",
                           required=(required,) * 2, aim=(aim,) * 2)


INFERENCE = tuple(_inference())

# Shapes of the products of the steps above, M x K x N.
_SHAPES = (
    ("nn", 64, 784, 512), ("tn", 784, 64, 512), ("nt", 64, 512, 784), ("nn", 64, 512, 512),
    ("tn", 512, 64, 512), ("nt", 64, 512, 512), ("nn", 64, 512, 10), ("tn", 512, 64, 10),
    ("nt", 64, 10, 512), ("nn", 32, 64, 128), ("tn", 64, 32, 128), ("nn", 128, 3072, 1024),
    ("tn", 3072, 128, 1024), ("nt", 128, 1024, 3072), ("nn", 768, 128, 384), ("nn", 768, 128, 512),
    ("nn", 768, 512, 128), ("tn", 128, 768, 512), ("nt", 768, 512, 128), ("nn", 1, 784, 512),
    ("nn", 1024, 1024, 1024),
)
PRODUCTS = tuple(
    Workload(f"matmul {form} {m}x{k}x{n}", form, model("product"), form, (),
             (f"M={m}", f"K={k}", f"N={n}"), kind="product", flops=2.0 * m * k * n,
             required=(0.92, 0.95), aim=(1, 1))
    for form, m, k, n in _SHAPES)

ALL = STEPS + INFERENCE + PRODUCTS
