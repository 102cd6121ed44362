# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains models in every cell of a grid of machines, compilers, levels, threads and passes, and
prints the hash of everything each run computes: see README.md."""

import argparse
import concurrent.futures
import contextlib
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

import snapshot
from cells import all_cells
from grid import Grid
from machines import cpu_name, emulated_machines, this_machine
from models import MODELS, Model, dims_of

DIGITS = 8  # of a hash, in the table


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", metavar="MODEL.apr",
                        help="train these instead of the models of models.py")
    parser.add_argument("--aprc", action="append", required=True, metavar="[NAME=]PATH",
                        help="a compiler; further ones get rows of their own")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="a compile-time parameter of MODEL.apr")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME=N",
                        help="an open dim of MODEL.apr; others are chosen")
    parser.add_argument("--model", default="", help="which model of MODEL.apr")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--emulated-steps", type=int, default=None, metavar="N",
                        help="large models' and -O0's under an emulator (default: a fifth)")
    parser.add_argument("--only", default="", metavar="REGEX", help="models to train")
    parser.add_argument("--cells", default="", metavar="REGEX", help="cells beside the reference")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1, help="of the weights and delays")
    parser.add_argument("--json", metavar="FILE", help="write everything found there, too")
    parser.add_argument("--folder",
                        help="where programs go; the same one continues a run that was stopped")
    parser.add_argument("--list", action="store_true", help="print the cells and stop")
    return parser.parse_args()


def named_tools(texts):
    tools = {}
    for text in texts:
        name, _, path = text.rpartition("=")
        tools[name or ("aprc" if not tools else f"aprc{len(tools) + 1}")] = os.path.abspath(path)
    return tools


def version_of(path):
    try:
        done = subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"bits: {path} is not aprc: {error}")
    return done.stdout.strip()


def commit():
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(["git", "-C", here, "describe", "--always", "--dirty", "--abbrev=12"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() or "unknown"


def chosen_models(options):
    if options.models:
        return [Model(os.path.basename(path).removesuffix(".apr"), os.path.abspath(path),
                      tuple(options.set), tuple(options.dim), options.model)
                for path in options.models]
    return [model for model in MODELS if re.search(options.only, model.name)]


class Report:
    """The results of all cells, against the reference with the same number of steps."""

    def __init__(self, options, models, cells):
        self.options, self.models, self.cells = options, models, cells
        self.reference = cells[0]
        self.grid = None
        self.dims = {}
        self.results = {}
        self.problems = []

    def steps_of(self, model, cell):
        fewer = self.options.emulated_steps or max(1, self.options.steps // 5)
        is_slow = cell.is_emulated and (model.is_slow or cell.build.level == 0)
        return min(self.options.steps, fewer) if is_slow else self.options.steps

    def expected(self, model, cell):
        return self.results[self.reference, model, self.steps_of(model, cell)]

    def found(self, model, cell):
        return self.results[cell, model, self.steps_of(model, cell)]

    def verdict(self, model, cell):
        if self.expected(model, cell).error or self.found(model, cell).error:
            return "error"
        same = self.expected(model, cell).digest == self.found(model, cell).digest
        return "same" if same else "differs"

    def run_one(self, cell, model, steps, dims):
        result = self.results[cell, model, steps] = self.grid.run(model, cell, dims, steps)
        if cell is self.reference:
            return
        # A full run takes a while: what differs is said at once, and located at the end.
        if self.verdict(model, cell) != "same":
            print(f"bits: {self.verdict(model, cell)}: cell '{cell.name}', model {model.name}",
                  file=sys.stderr, flush=True)
        elif result.file != self.expected(model, cell).file:
            with contextlib.suppress(FileNotFoundError):  # another cell had the same run
                os.remove(result.file)

    def run_references(self, pool):
        """First alone, because it chooses sizes; then with the steps of emulated cells."""
        jobs = [pool.submit(self.run_one, self.reference, model, self.options.steps,
                            dims_of(model.dims)) for model in self.models]
        wait(jobs, "reference")
        for model in self.models:
            self.dims[model] = self.results[self.reference, model, self.options.steps].dims
        wanted = {(model, self.steps_of(model, cell))
                  for cell in self.cells for model in self.models}
        jobs = [pool.submit(self.run_one, self.reference, model, steps, self.dims[model])
                for model, steps in sorted(wanted, key=str) if steps != self.options.steps]
        wait(jobs, "reference, fewer steps")

    def run_cells(self, pool):
        # Column by column, so that compilations are spread out and emulated runs begin early.
        slow_first = sorted(self.cells[1:], key=lambda cell: not cell.is_emulated)
        jobs = [pool.submit(self.run_one, cell, model, self.steps_of(model, cell), self.dims[model])
                for cell in slow_first for model in self.models
                if not self.expected(model, cell).error]
        wait(jobs, "cells")
        for cell in self.cells:
            for model in self.models:
                if self.expected(model, cell).error:
                    self.results[cell, model, self.steps_of(model, cell)] = \
                        self.expected(model, cell)

    def find_problems(self):
        for cell in self.cells:
            for model in self.models:
                verdict = self.verdict(model, cell)
                if verdict == "same":
                    continue
                if cell is not self.reference and self.expected(model, cell).error:
                    continue  # said once
                sentence = self.found(model, cell).error
                if verdict == "differs":
                    sentence = self.grid.locate(self.reference, self.expected(model, cell), cell,
                                                self.found(model, cell), self.dims[model])
                self.problems.append({"cell": cell.name, "model": model.name, "verdict": verdict,
                                      "where": sentence})

    def run(self, folder, tools):
        self.grid = Grid(tools, folder, self.options.seed)
        with concurrent.futures.ThreadPoolExecutor(max(1, self.options.jobs)) as pool:
            self.run_references(pool)
            self.run_cells(pool)
        self.find_problems()

    def nan_models(self):
        found = []
        for model in self.models:
            result = self.results[self.reference, model, self.options.steps]
            if not result.error and snapshot.has_nan(snapshot.read(result.file)):
                found.append(model.name)
        return found


def wait(jobs, what):
    """Shows how far the jobs are, where someone watches."""
    for number, job in enumerate(concurrent.futures.as_completed(jobs), 1):
        job.result()
        if sys.stderr.isatty():
            print(f"\r{what}: {number} of {len(jobs)} ", end="", file=sys.stderr)
    if jobs and sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)


def table(report):
    width = max(len(cell.name) for cell in report.cells)
    columns = [max(DIGITS, len(model.name)) for model in report.models]

    def line(name, texts, end=""):
        cells = "  ".join(text.ljust(size) for text, size in zip(texts, columns))
        return f"{name.ljust(width)}  {cells}{end}".rstrip()

    def text_of(model, cell):
        verdict = report.verdict(model, cell)
        digest = "error" if verdict == "error" else report.found(model, cell).digest[:DIGITS]
        return digest if verdict != "differs" else digest[:DIGITS - 1] + "!"

    def is_short(cell):
        return any(report.steps_of(m, cell) != report.options.steps for m in report.models)

    yield line("", [model.name for model in report.models], "  parallel blocks")
    for cell in report.cells:
        blocks = sum(report.found(model, cell).blocks for model in report.models)
        yield line(cell.name, [text_of(model, cell) for model in report.models],
                   f"  {blocks}" if blocks else "")
    if any(map(is_short, report.cells)):
        cell = next(filter(is_short, report.cells))
        yield line("reference, fewer steps",
                   [report.expected(model, cell).digest[:DIGITS]
                    if report.steps_of(model, cell) != report.options.steps else "-"
                    for model in report.models])
    yield line("", ["same" if all(report.verdict(model, cell) == "same" for cell in report.cells)
                    else "DIFFERS" for model in report.models])


def write_json(path, report, head, seconds):
    entries = {}
    for cell in report.cells:
        row = {}
        for model in report.models:
            found = report.found(model, cell)
            row[model.name] = {"verdict": report.verdict(model, cell), "sha256": found.digest,
                               "steps": report.steps_of(model, cell), "object": found.object_hash,
                               "parallel_kernels": found.kernels, "parallel_blocks": found.blocks}
        entries[cell.name] = row
    everything = {"schema": "aprc-bits-1", **head, "seconds": round(seconds),
                  "dims": {model.name: report.dims[model] for model in report.models},
                  "cells": entries, "problems": report.problems}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(everything, file, indent=1)
        file.write("\n")


def print_head(head, report, lacking):
    print(f"{head['steps']} steps, seed {head['seed']}, commit {head['commit']}, {head['cpu']}")
    for name, version in head["tools"].items():
        print(f"{name}: {version}")
    if lacking:
        print("left out: " + ", ".join(lacking))
    short = {report.steps_of(m, c) for c in report.cells for m in report.models} - {head["steps"]}
    if short:
        print(f"Large models, and all at -O0, take {short.pop()} steps under an emulator, compared "
              "with a reference of as many steps.")
    print()


def print_problems(report):
    for problem in report.problems[:20]:
        print(f"bits: cell '{problem['cell']}', model {problem['model']}: {problem['where']}")
    if len(report.problems) > 20:
        print(f"bits: and {len(report.problems) - 20} more")


def main():
    options = arguments()
    tools = named_tools(options.aprc)
    machine = this_machine()
    emulated, lacking = emulated_machines()
    cells = list(all_cells(list(tools), machine, emulated))
    cells[1:] = [cell for cell in cells[1:] if re.search(options.cells, cell.name)]
    if options.list:
        print("\n".join(cell.name for cell in cells))
        return 0
    head = {"commit": commit(), "cpu": cpu_name(), "steps": options.steps, "seed": options.seed,
            "tools": {name: version_of(path) for name, path in tools.items()}}
    report = Report(options, chosen_models(options), cells)
    if not report.models:
        print(f"bits: no model is called like '{options.only}'", file=sys.stderr)
        return 2
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="aprc-bits-") as temporary:
        folder = options.folder or temporary
        os.makedirs(folder, exist_ok=True)
        report.run(folder, tools)
        seconds = time.monotonic() - start
        print_head(head, report, lacking)
        print("\n".join(table(report)))
        print()
        for name in report.nan_models():
            print(f"bits: note: {name} computes NaN, which says less than numbers would")
    print_problems(report)
    if options.json:
        write_json(options.json, report, head, seconds)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    count = len(report.cells) * len(report.models)
    if report.problems:
        return 1
    print(f"{count} runs in {len(report.cells)} cells: one hash per model; "
          f"{seconds:.0f} s, {used.ru_utime + used.ru_stime:.0f} s of CPU time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
