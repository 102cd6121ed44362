# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the node tests of the onnx package through the compiler: see README.md."""

import argparse
import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import onnx  # noqa: F401
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

from onnx_cases import Evaluator, cases
from onnx_gradients import check
from onnx_operators import OPERATORS, OUT_OF_SCOPE
from onnx_program import Skipped, Unsupported, convert, dtype_of

warnings.simplefilter("ignore")

# How far a result may be from the expected one, relative to the largest expected element: ONNX
# computes in another order, and some of its f64 values in f32.
TOLERANCE = {"f32": 2e-6, "f64": 2e-7, "bf16": 0}

NUMBER = re.compile(r"\s*,\s*")


def element_text(value, dtype):
    if dtype == "bool":
        return "true" if value else "false"
    if dtype in ("f32", "f64", "bf16"):
        value = float(value)
        return "nan" if np.isnan(value) else repr(value)
    return str(int(value))


def array_text(array):
    dtype = dtype_of(array)
    texts = [element_text(v, dtype) for v in np.asarray(array).ravel()]
    return f"[{', '.join(texts)}]" if array.ndim else texts[0]


def parse_results(text, arrays):
    """The results that apr-run prints, as arrays of the expected types."""
    found = []
    parts = re.split(r"(?:^|, )\w+ = ", text)[1:]
    for part, array in zip(parts, arrays):
        body = part.strip().strip("[]")
        items = NUMBER.split(body) if body else []
        if array.dtype == bool:
            values = [i == "true" for i in items]
        elif array.dtype.kind in "iu":
            values = [int(i) for i in items]
        else:
            values = [float(i) for i in items]
        wide = array.dtype if array.dtype.kind in "iub" else np.float64
        found.append(np.array(values, dtype=wide).reshape(array.shape))
    return found


def distance(found, expected):
    """What is wrong with a result, or an empty text."""
    dtype = dtype_of(expected)
    if dtype not in TOLERANCE:
        wrong = found != expected
    else:
        expected = expected.astype(np.float64)
        finite = expected[np.isfinite(expected)]
        scale = max(1e-30, np.abs(finite).max()) if finite.size else 1
        near = np.abs(found - expected) <= TOLERANCE[dtype] * scale
        wrong = ~(near | (found == expected) | (np.isnan(found) & np.isnan(expected)))
    if not wrong.any():
        return ""
    i = int(np.argmax(np.asarray(wrong).ravel()))
    return (f"{int(wrong.sum())} of {wrong.size} differ, first {i}: "
            f"{found.ravel()[i]} for {expected.ravel()[i]}")


# Cases whose expected value is not what the language says, on purpose.
DIFFERENT = {
    "averagepool_2d_ceil_last_window_starts_on_pad": "the expected values have four digits",
    "bitshift_right_int32_shift_ge_width": "shifts are modulo the width",
    "bitshift_left_int32_shift_ge_width": "shifts are modulo the width",
    "bitshift_right_int32_negative_shift": "shifts are modulo the width",
    "bitshift_left_int32_negative_shift": "shifts are modulo the width",
    "mod_float_edge_cases_fmod_0_float32": "x % inf is NaN",
    "mod_float_edge_cases_fmod_0_float64": "x % inf is NaN",
}


class Tools:
    def __init__(self, aprc, apr_run, folder, cpu):
        self.aprc, self.apr_run, self.folder, self.cpu = aprc, apr_run, folder, cpu

    def run(self, name, program, outputs, expected):
        """The verdict on one case and the reason."""
        source = os.path.join(self.folder, name + ".apr")
        with open(source, "w", encoding="utf-8") as file:
            file.write(program.source(outputs))
        done = self.call(self.aprc, source, "--emit=ir", "-o", "-")
        if done.returncode and "bf16" in program.source(outputs):
            return "skipped", "arithmetic of bf16, which is for storage"
        if done.returncode:
            return "refused", first_line(done.stderr)
        results = re.findall(r"^func @f \(.*?^  return (.*?)$", done.stdout, re.M | re.S)
        names = re.findall(r"(\w+) = %", results[0])
        arguments = ", ".join(f"{n} = {array_text(a)}" for n, _, a in program.inputs)
        wanted = ", ".join(f"{n} = any" for n in names)
        ir = os.path.join(self.folder, name + ".apir")
        with open(ir, "w", encoding="utf-8") as file:
            file.write(f"{done.stdout}\n// run: @f ({arguments}) -> {wanted}\n")
        done = self.call(self.apr_run, "--print", "--cpu", self.cpu, ir)
        line = re.search(r"^line \d+: (.*)$", done.stdout, re.M)
        if done.returncode or not line or line[1].startswith("error"):
            return "failed", "apr-run: " + first_line(done.stderr + done.stdout)
        for array, result in zip(parse_results(line[1], expected), expected):
            if problem := distance(array, result):
                return ("different", DIFFERENT[name]) if name in DIFFERENT else ("failed", problem)
        return "passed", ""

    @staticmethod
    def call(*command):
        try:
            return subprocess.run(command, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(command, 1, "", "runs for more than two minutes")


def first_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[0][:300] if lines else "no message"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--aprc", required=True)
    parser.add_argument("--apr-run", required=True)
    parser.add_argument("--cpu", default="native")
    parser.add_argument("--filter", default="", help="a regular expression of case names")
    parser.add_argument("--keep", help="a folder for the programs")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--gradients", action="store_true", help="check derivatives instead")
    parser.add_argument("--verbose", action="store_true", help="a line for every case")
    options = parser.parse_args()
    folder = options.keep or tempfile.mkdtemp(prefix="onnx_nodes")
    os.makedirs(folder, exist_ok=True)
    tools = Tools(options.aprc, options.apr_run, folder, options.cpu)

    def verdict(case):
        name, operator, model, data = case
        try:
            for node in model.graph.node:
                if node.op_type in OUT_OF_SCOPE:
                    raise Skipped(f"{node.op_type}: {OUT_OF_SCOPE[node.op_type]}")
            program, outputs, expected = convert(model, data, OPERATORS, Evaluator)
        except Skipped as error:
            return name, operator, "skipped", str(error)
        except Unsupported as error:
            return name, operator, "unsupported", str(error)
        except Exception as error:  # A broken converter is a finding of its own.
            return name, operator, "broken", f"{type(error).__name__}: {error}"
        if options.gradients:
            return (name, operator, *check(tools, name, program, outputs, array_text, first_line))
        return (name, operator, *tools.run(name, program, outputs, expected))

    def noted(case):
        found = verdict(case)
        if options.verbose:
            print(f"{found[2]:12} {found[1]:24} {found[0]}  {found[3]}", flush=True)
        return found

    chosen = [c for c in cases() if re.search(options.filter, c[0])]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        verdicts = list(pool.map(noted, chosen))
    report(verdicts)
    return 0 if not any(v[2] == "failed" for v in verdicts) else 1


def report(verdicts):
    counts = collections.Counter(v[2] for v in verdicts)
    for status in ("failed", "refused", "broken", "different", "unsupported", "skipped"):
        groups = collections.defaultdict(list)
        for name, operator, found, reason in verdicts:
            if found == status:
                ours = status in ("failed", "refused", "broken")
                key = f"{operator}: {reason}" if ours else reason
                groups[key].append(name)
        print(f"\n{status}: {counts[status]}")
        for key, names in sorted(groups.items(), key=lambda g: -len(g[1])):
            print(f"  {len(names):4}  {key}  ({', '.join(names[:2])})")
    print("\n" + ", ".join(f"{n} {s}" for s, n in sorted(counts.items())))


if __name__ == "__main__":
    sys.exit(main())
