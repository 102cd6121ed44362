#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How many different models come out of one training?

Runs the same training of the digit classifier in PyTorch, for every CPU capability and number of
threads, and with aprun, for every CPU level and number of threads, each time in a process of its
own, and counts the models that differ in a bit. Needs Python alone; PyTorch's half is skipped where
there is no PyTorch.

    python3 docs/examples/same_bits/compare.py --aprun build/tools/aprun/aprun
"""

import argparse
import array
import json
import math
import os
import string
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DIGITS = os.path.join(HERE, "..", "data", "digits.csv")
TENSORS = {"fc1.weight": (64, 128), "fc1.bias": (128,), "fc2.weight": (128, 10), "fc2.bias": (10,)}
HELD_OUT = 360
CAPABILITIES = ("default", "avx2", "avx512")
LEVELS = ("x86-64-v2", "x86-64-v3", "x86-64-v4")


def first_weights():
    """Weights of a fixed linear congruence in steps of 2^-26, which f32 holds exactly."""
    state, values = 1, array.array("f")
    for shape in TENSORS.values():
        for _ in range(math.prod(shape)):
            state = (1664525 * state + 1013904223) % 2**32
            values.append(((state >> 8) - 2**23) / 2**26)
    return values


def write_safetensors(values, path):
    header, offset = {}, 0
    for name, shape in TENSORS.items():
        end = offset + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + values.tobytes())


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        body = file.read()
    values = array.array("f")
    for name in TENSORS:
        begin, end = header[name]["data_offsets"]
        values.frombytes(body[begin:end])
    return values


def logits(values, x):
    """Of one row, in Python's own arithmetic: the same judge for both sides."""
    offset = 0
    for name in ("fc1", "fc2"):
        inputs, outputs = TENSORS[name + ".weight"]
        bias = offset + inputs * outputs
        y = list(values[bias:bias + outputs])
        for i, value in enumerate(x):
            if value != 0:
                row = offset + i * outputs
                for j in range(outputs):
                    y[j] += value * values[row + j]
        x = [max(value, 0.0) for value in y]
        offset = bias + outputs
    return y


def predictions(values, rows):
    result = []
    for row in rows:
        z = logits(values, [pixel / 16 for pixel in row[:-1]])
        result.append(z.index(max(z)))
    return result


class Grid:
    """The trainings of one side: a row per kind of CPU, a column per number of threads."""

    def __init__(self, threads, letters):
        """Grids with one table of letters call the same bits by the same letter."""
        self.title, self.threads, self.letters = "", threads, letters
        self.rows = {}
        self.models = {}

    def add(self, row, values):
        """Notes a model; one with new bits gets the next letter."""
        bits = values.tobytes()
        names = string.ascii_uppercase + string.ascii_lowercase
        name = self.letters.setdefault(bits, names[len(self.letters) % len(names)])
        self.models[bits] = name
        self.rows.setdefault(row, []).append(name)

    def show(self, held_out):
        print(f"\n{self.title}")
        width = max(len(row) for row in self.rows)
        print(f"  {'threads':{width}}  " + " ".join(f"{count:>3}" for count in self.threads))
        for row, names in self.rows.items():
            print(f"  {row:{width}}  " + " ".join(f"{name:>3}" for name in names))
        runs = sum(len(names) for names in self.rows.values())
        count = len(self.models)
        print(f"  {runs} trainings, {count} different model{'s' if count != 1 else ''}")
        self.judge(held_out)
        return count

    def judge(self, held_out):
        models = [array.array("f", bits) for bits in self.models]
        classes = [predictions(model, held_out) for model in models]
        hits = [sum(c == row[-1] for c, row in zip(each, held_out)) for each in classes]
        shares = [f"{100 * hit / len(held_out):.1f} %" for hit in sorted({min(hits), max(hits)})]
        print(f"  held-out accuracy: {' to '.join(shares)}")
        if len(models) > 1:
            gap = max(max(values) - min(values) for values in zip(*models))
            torn = sum(len(set(each)) > 1 for each in zip(*classes))
            print(f"  a weight differs by up to {gap:.1e}, "
                  f"{torn} of {len(held_out)} held-out digits are classed differently")


def run(command, **environment):
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True,
                          text=True, check=False)


def fail(what, result):
    sys.exit(f"{what} failed:\n{result.stdout}{result.stderr}")


def train_in_torch(options, work, deterministic, letters):
    grid = Grid(options.threads, letters)
    for capability in CAPABILITIES:
        for threads in options.threads:
            trained = os.path.join(work, "trained")
            result = run([options.python, os.path.join(HERE, "train_in_torch.py"),
                          os.path.join(work, "first"), os.path.join(work, "train.csv"), trained,
                          str(options.epochs), str(threads), deterministic],
                         ATEN_CPU_CAPABILITY=capability)
            if result.returncode:
                fail(f"PyTorch with ATEN_CPU_CAPABILITY={capability}", result)
            version, chosen = result.stdout.split(maxsplit=1)
            # A CPU without it is given less, which would be the same row again.
            if chosen.strip().lower().replace("_", "") != capability:
                continue
            with open(trained, "rb") as file:
                grid.add(capability, array.array("f", file.read()))
    switch = "True" if deterministic == "yes" else "False"
    grid.title = f"PyTorch {version}, torch.use_deterministic_algorithms({switch})"
    return grid


def train_with_aprun(options, work):
    grid = Grid(options.threads, {})
    grid.title = "aprun"
    for level in options.cpu:
        for threads in options.threads:
            out = os.path.join(work, "run")
            result = run([options.aprun, "train", os.path.join(HERE, "same_bits.run.toml"),
                          "--data", os.path.join(work, "train.csv"),
                          "--weights", os.path.join(work, "first.safetensors"), "--out", out,
                          "--epochs", str(options.epochs), "--cpu", level,
                          "--threads", str(threads)])
            if result.returncode:
                fail(f"aprun with --cpu {level}", result)
            grid.add(level, read_safetensors(os.path.join(out, "weights.safetensors")))
    return grid


def has_torch(python):
    try:
        return run([python, "-c", "import torch"]).returncode == 0
    except OSError:
        return False


def levels_of_this_cpu():
    """The CPU levels that this machine runs."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        line = ""
    flags = set(line.split())
    v3 = {"avx2", "abm", "bmi1", "bmi2", "f16c", "fma", "movbe"}
    v4 = v3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
    levels = [level for level, need in zip(LEVELS, ({"sse4_2"}, v3, v4)) if need <= flags]
    return levels or ["native"]


def read_options():
    parser = argparse.ArgumentParser(description="Counts the models that one training gives.")
    parser.add_argument("--aprun", default="aprun", help="where aprun is")
    parser.add_argument("--python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--threads", default="1,2,3,4", help="numbers of threads")
    parser.add_argument("--cpu", default=",".join(levels_of_this_cpu()), help="levels for aprun")
    parser.add_argument("--epochs", type=int, default=10)
    options = parser.parse_args()
    options.threads = [int(count) for count in options.threads.split(",")]
    options.cpu = options.cpu.split(",")
    return options


def write_inputs(work):
    """Returns the rows held out."""
    with open(DIGITS, encoding="utf-8") as file:
        lines = file.readlines()
    with open(os.path.join(work, "train.csv"), "w", encoding="utf-8") as file:
        file.writelines(lines[:-HELD_OUT])
    weights = first_weights()
    with open(os.path.join(work, "first"), "wb") as file:
        file.write(weights.tobytes())
    write_safetensors(weights, os.path.join(work, "first.safetensors"))
    return [[int(field) for field in line.split(",")] for line in lines[-HELD_OUT:]]


def main():
    options = read_options()
    with tempfile.TemporaryDirectory() as work:
        held_out = write_inputs(work)
        if has_torch(options.python):
            letters = {}
            for deterministic in ("no", "yes"):
                train_in_torch(options, work, deterministic, letters).show(held_out)
        else:
            print(f"PyTorch: skipped, {options.python} has none (--python names one that has)")
        count = train_with_aprun(options, work).show(held_out)
    return 0 if count == 1 else 1


sys.exit(main())
