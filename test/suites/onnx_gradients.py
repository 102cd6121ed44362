# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the derivative of each case's program with differences of its value, in f64."""

import os
import re

import numpy as np

STEP = 1e-6
TOLERANCE = 2e-5


def moved(array, random):
    """The numbers, each a little off, so that ties and corners are left."""
    wide = array.astype(np.float64)
    factor = 1 + 1e-3 * random.standard_normal(wide.shape)
    return wide * factor + 1e-4 * random.standard_normal(wide.shape)


def programs(program, outputs):
    """Two entries: the sum of squares of all real results, and its slope along directions."""
    reals = [name for name, kind, _ in program.inputs if kind.startswith(("f32", "f64"))]
    results = [str(v) for v in outputs if v.real]
    if not reals or not results:
        return None, reals
    inputs = ", ".join(f"{name}: {kind}" for name, kind, _ in program.inputs)
    along = ", ".join(f"d{name}: {kind}" for name, kind, _ in program.inputs if name in reals)
    total = " + ".join(f"sum({r} * {r})" for r in results)
    body = "".join(f"    {s}\n" for s in program.statements) + f"    let total = {total}\n"
    slope = " + ".join(f"sum(grad(total, {r}) * d{r})" for r in reals)
    members = "".join(f"  {m}\n" for m in program.members)
    text = (f"model Case(real: dtype = f64) {{\n{members}"
            f"  entry value({inputs}) -> f64 {{\n{body}    total\n  }}\n"
            f"  entry slope({inputs}, {along}) -> f64 {{\n{body}    {slope}\n  }}\n}}\n")
    return text.replace("f32", "f64"), reals


def check(tools, name, program, outputs, array_text, first_line):
    """The verdict on the derivative of one case and the reason."""
    text, reals = programs(program, outputs)
    if text is None:
        return "skipped", "nothing real"
    path = os.path.join(tools.folder, name + ".slope.apr")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = tools.call(tools.aprc, path, "--emit=ir", "-o", "-")
    if done.returncode:
        kind = re.search(r"\[([a-z-]+)\]", first_line(done.stderr))
        if kind and kind[1] in ("no-gradient", "no-gradient-path"):
            return "skipped", "no gradient: " + re.sub(r"^\S+ ", "", first_line(done.stderr))
        return "refused", first_line(done.stderr)
    random = np.random.default_rng(1)
    at = {n: moved(a, random) if n in reals else a for n, _, a in program.inputs}
    along = {n: random.standard_normal(at[n].shape) for n in reals}
    calls = []
    for sign in (1, -1):
        near = {n: at[n] + sign * STEP * along[n] for n in reals}
        calls.append(("value", {**at, **near}))
    calls.append(("slope", {**at, **{"d" + n: d for n, d in along.items()}}))
    path = os.path.join(tools.folder, name + ".slope.apir")
    with open(path, "w", encoding="utf-8") as file:
        file.write(done.stdout + "\n")
        for entry, arguments in calls:
            given = ", ".join(f"{n} = {array_text(np.asarray(a))}" for n, a in arguments.items())
            file.write(f"// run: @{entry} ({given}) -> result = any\n")
    done = tools.call(tools.apr_run, "--print", "--cpu", tools.cpu, path)
    found = [float(v) for v in re.findall(r"^line \d+: result = (\S+)", done.stdout, re.M)]
    if done.returncode and "no-gradient" in done.stderr:
        return "skipped", "no gradient"
    if done.returncode or len(found) != 3:
        return "failed", "apr-run: " + first_line(done.stderr + done.stdout)
    difference, slope = (found[0] - found[1]) / (2 * STEP), found[2]
    if not np.isfinite(found[0]) or not np.isfinite(found[1]):
        return "skipped", "not finite"
    rounding = 1e-16 * abs(found[0]) / STEP * 10
    if abs(difference - slope) <= TOLERANCE * max(1e-3, abs(slope), abs(difference)) + rounding:
        return "passed", ""
    return "failed", f"the slope is {slope}, differences give {difference}"
