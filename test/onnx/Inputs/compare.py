# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs an exported entry in other programs and compares with `aprun predict`.

    compare.py APRUN MODEL [--entry NAME] [--tolerance T] [--size NAME=N]… [--limit INPUT=N]… [--opencv]

The numbers are drawn by a fixed seed. The onnx package checks the file and runs it by its reference
evaluator, ONNX Runtime runs it too, and OpenCV where asked for, which wants numbers for all dimensions;
whichever of them Python lacks is left out. A
difference counts relative to the largest magnitude of a result, or to 1 where that is smaller;
integers and bools must be equal.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import onnx_file

try:
    import numpy
    import onnx
    from onnx.reference import ReferenceEvaluator
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(0)
try:
    import onnxruntime
except ImportError:
    onnxruntime = None
try:
    import cv2
except ImportError:
    cv2 = None

TYPES = {1: "float32", 2: "uint8", 6: "int32", 7: "int64", 9: "bool", 11: "float64"}


def draw(random, value, sizes, limit):
    shape = [size if isinstance(size, int) else sizes.get(size, 3) for size in value["shape"]]
    kind = TYPES[value["type"]]
    if kind == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if limit:
        return random.integers(0, limit, shape).astype(kind)
    if kind == "uint8":
        return random.integers(0, 200, shape).astype(kind)
    if kind.startswith("int"):
        return random.integers(-7, 8, shape).astype(kind)
    numbers = random.normal(size=shape) * 2
    if value["name"] == "p":
        numbers = abs(numbers) + 1e-3
    if value["name"] == "u":
        numbers = numpy.tanh(numbers)
    if value["name"] == "x" and numbers.size > 2:
        numbers.flat[1] = 1e-4  # where log1p and expm1 cancel
        numbers.flat[2] = 0
    return numbers.astype(kind)


def predict(arguments, inputs, entry, folder):
    path = os.path.join(folder, "in.npz")
    numpy.savez(path, **inputs)
    out = subprocess.run([arguments.aprun, "predict", arguments.model, "--data", path, "--format", "json",
                          "--entry", entry], check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def number(value):
    """JSON has no infinities."""
    if isinstance(value, list):
        return [number(each) for each in value]
    return float(value.replace("Infinity", "inf")) if isinstance(value, str) else \
        float("nan") if value is None else value


def largest_difference(name, theirs, ours, tolerance):
    assert theirs.shape == ours.shape, f"{name}: {theirs.shape}, ours {ours.shape}"
    if theirs.dtype.kind != "f":
        assert (theirs == ours).all(), f"{name}:\n{theirs}\nours:\n{ours}"
        return 0.0
    assert (numpy.isnan(theirs) == numpy.isnan(ours)).all(), f"{name}:\n{theirs}\nours:\n{ours}"
    where = numpy.isfinite(ours)
    assert (theirs[~where & ~numpy.isnan(ours)] == ours[~where & ~numpy.isnan(ours)]).all(), name
    if not where.any():
        return 0.0
    scale = max(1.0, abs(ours[where]).max())
    difference = abs(theirs[where] - ours[where]).max() / scale
    assert difference <= tolerance, f"{name}: differs by {difference}"
    return difference


def run_opencv(arguments, command, sizes, loaded, inputs, folder):
    """One input, one result, all dimensions known."""
    path = os.path.join(folder, "fixed.onnx")
    names = {size for value in loaded["graph"]["inputs"] for size in value["shape"] if isinstance(size, str)}
    dims = [f"--dim={name}={sizes.get(name, 3)}" for name in sorted(names)]
    subprocess.run(command + ["--onnx", path] + dims, check=True, stdout=subprocess.DEVNULL)
    net = cv2.dnn.readNetFromONNX(path)
    net.setInput(next(iter(inputs.values())))
    return [net.forward()]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("aprun")
    parser.add_argument("model")
    parser.add_argument("--entry")
    parser.add_argument("--tolerance", type=float, default=2e-6)
    parser.add_argument("--size", action="append", default=[])
    parser.add_argument("--limit", action="append", default=[])
    parser.add_argument("--opencv", action="store_true")
    parser.add_argument("--leave-out", action="append", default=[])
    arguments = parser.parse_args()
    sizes = {pair.split("=")[0]: int(pair.split("=")[1]) for pair in arguments.size}
    limits = {pair.split("=")[0]: int(pair.split("=")[1]) for pair in arguments.limit}
    random = numpy.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        entry = ["--entry", arguments.entry] if arguments.entry else []
        command = [arguments.aprun, "export", arguments.model] + entry
        subprocess.run(command + ["--onnx", path], check=True, stdout=subprocess.DEVNULL)
        loaded = onnx_file.read(path)
        onnx_file.check(loaded["graph"])
        onnx.checker.check_model(onnx.load(path), full_check=True)
        print("checked by onnx")
        inputs = {value["name"]: draw(random, value, sizes, limits.get(value["name"]))
                  for value in loaded["graph"]["inputs"]}
        name = loaded["graph"]["name"].split(".")[1]
        rows = predict(arguments, inputs, name, folder)
        runtimes = {"onnx.reference": lambda: ReferenceEvaluator(path).run(None, inputs)}
        if onnxruntime:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3
            runtimes["ONNX Runtime"] = \
                lambda: onnxruntime.InferenceSession(path, options).run(None, inputs)
        if cv2 and arguments.opencv:
            runtimes["OpenCV"] = lambda: run_opencv(arguments, command, sizes, loaded, inputs, folder)
        for runtime, run in runtimes.items():
            if runtime in arguments.leave_out:
                continue
            largest = 0.0
            for value, theirs in zip(loaded["graph"]["outputs"], run()):
                ours = numpy.array([number(row[value["name"]]) for row in rows],
                                   dtype=TYPES[value["type"]])
                theirs = numpy.asarray(theirs)
                largest = max(largest, largest_difference(f"{runtime}: {value['name']}", theirs,
                                                          ours.reshape(theirs.shape), arguments.tolerance))
            count = len(loaded["graph"]["outputs"])
            print(f"{runtime} agrees: {count} result{'s' if count > 1 else ''}, {largest:.1e}")


main()
