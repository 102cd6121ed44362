# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The models of the grid: programs of this repository at sizes that train in a second."""

import dataclasses
import os

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    path: str
    sets: tuple = ()  # "width=8"
    dims: tuple = ()  # "B=24"; those not given are chosen by the runner
    which: str = ""  # the model of the file, where it has several
    # Whole runs under an emulator take minutes, so it trains fewer steps.
    is_slow: bool = False


def example(name, path, sets="", dims="", is_slow=False):
    path = os.path.join(ROOT, "docs", "examples", path)
    return Model(name, path, tuple(sets.split()), tuple(dims.split()), is_slow=is_slow)


MODELS = (
    example("plane", "linear_regression/plane.apr", dims="N=301"),  # f64, two train blocks
    example("logistic", "logistic_regression/breast_cancer.apr", dims="B=37"),
    example("softmax", "softmax_regression/iris.apr", dims="B=37"),
    # MLP with Adam, large enough to run in parallel with blocks of the usual size.
    example("digits", "digits/digits.apr", "hidden=64", "B=257", is_slow=True),
    example("lenet", "lenet/lenet.apr", dims="B=2", is_slow=True),
    example("resnet", "cifar/resnet.apr", "width=3", "B=2", is_slow=True),  # batch norm
    example("gpt", "gpt/gpt.apr", "vocab=19 context=12 width=24 heads=2 depth=2", "B=5 T=11"),
    example("gru", "char_gru/gru.apr", "vocab=19 embed=8 hidden=24", "B=9 T=13"),  # a scan
    example("vae", "vae/vae.apr", "latent=5", "B=2 N=3", is_slow=True),  # random draws
    example("gan", "gan/gan.apr", dims="N=33"),  # two train blocks
    example("ratings", "recommender/recommender.apr", dims="B=19 N=67"),  # gather, update row
    example("lora", "lora/lora.apr", dims="B=29"),  # frozen weights
    example("pinn", "pinn/pinn.apr", dims="N=17"),  # f64, second derivatives
    example("shards", "in_an_app/parallel_digits.apr", "hidden=40", "B=36"),
    example("custom", "custom/custom.apr", dims="B=23"),  # pow, an optimizer of its own
    Model("half", os.path.join(ROOT, "test", "bits", "Inputs", "half.apr"), dims=("B=27",)),  # bf16
)


def dims_of(texts):
    return dict(text.split("=", 1) for text in texts)
