# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles and runs cells of the grid; equal objects and equal runs are made once."""

import concurrent.futures
import dataclasses
import hashlib
import json
import os
import re
import subprocess
import threading

import snapshot
from machines import build_runner, runner_digest
from models import dims_of

TIMEOUT = 1800


class CellError(Exception):
    """A model does not compile, link or run in a cell."""


@dataclasses.dataclass
class Result:
    digest: str = ""
    trace: tuple = ()  # a digest per step
    dims: dict = dataclasses.field(default_factory=dict)
    kernels: int = 0  # that ran in parallel
    blocks: int = 0
    program: str = ""
    object_hash: str = ""
    file: str = ""
    error: str = ""


def _command(words, what):
    try:
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise CellError(f"{what} takes more than {TIMEOUT} seconds") from error
    except OSError as error:
        raise CellError(f"{what} cannot be started: {error}") from error
    if done.returncode != 0:
        text = (done.stderr or done.stdout).strip() or f"exit code {done.returncode}"
        raise CellError(f"{what} fails: {text}")
    return done.stdout


class Once:
    """A function whose value for each key is computed once, by the first thread that asks."""

    def __init__(self):
        self.lock = threading.Lock()
        self.futures = {}

    def get(self, key, compute):
        with self.lock:
            mine = key not in self.futures
            future = self.futures.setdefault(key, concurrent.futures.Future())
        if mine:
            try:
                future.set_result(compute())
            except Exception as error:  # pylint: disable=broad-except
                future.set_exception(error)
        return future.result()


def file_hash(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _write(path, text):
    """All of the text or, where the run is stopped, no file."""
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


def _dependencies(path):
    """The files that a rule of make names: the model and what it imports."""
    with open(path, encoding="utf-8") as file:
        rule = file.read().replace("$$", "$")
    words = re.findall(r"(?:\\.|[^\\\s])+", rule)
    return [re.sub(r"\\(.)", r"\1", word) for word in words[1:]]


def _read_done(stem):
    """What was compiled, or None where a source is another one since."""
    if not os.path.exists(stem + ".done"):
        return None
    with open(stem + ".done", encoding="utf-8") as file:
        done = json.load(file)
    is_same = all(os.path.exists(path) and file_hash(path) == digest
                  for path, digest in done["sources"].items())
    return done if is_same else None


class Grid:
    """`tools` maps names to aprc binaries. What lies in the folder is used again where compiler,
    model, runner and settings are the same, so that a run that was stopped goes on."""

    def __init__(self, tools, folder, seed):
        self.tools = tools
        self.folder = folder
        self.seed = seed
        self.runners = Once()
        self.programs = Once()
        self.links = Once()
        self.runs = Once()
        self.tool_hashes = {name: file_hash(path) for name, path in tools.items()}
        self.runner_hash = runner_digest()

    def _name(self, *key):
        return os.path.join(self.folder, hashlib.sha256(repr(key).encode()).hexdigest()[:20])

    def _compile(self, model, build, dims):
        stem = self._name(model, build, tuple(sorted(dims.items())), self.tool_hashes[build.tool],
                          file_hash(model.path))
        done = _read_done(stem)
        if done:
            return stem + ".o", done["object"], done["prefix"]
        words = [self.tools[build.tool], model.path, "-o", stem + ".o", f"-O{build.level}",
                 f"--cpu={build.cpu}", "-MF", stem + ".d", *build.options]
        words += [f"--set={text}" for text in model.sets]
        words += [f"--model={model.which}"] if model.which else []
        words += [f"--target={build.machine.triple}"] if build.machine.triple else []
        if build.has_fixed_dims:
            words += [f"--dim={name}={value}" for name, value in dims.items()]
        _command(words, "aprc " + " ".join(words[1:]))
        object_hash = file_hash(stem + ".o")
        with open(stem + ".json", encoding="utf-8") as file:
            prefix = json.load(file)["prefix"]
        imported = {path: file_hash(path) for path in _dependencies(stem + ".d")}
        _write(stem + ".done", json.dumps({"object": object_hash, "prefix": prefix,
                                           "sources": imported}))
        return stem + ".o", object_hash, prefix

    def _link(self, machine, object_file, object_hash, prefix):
        runner = self.runners.get(machine.name, lambda: build_runner(machine, self.folder))
        program = self._name(machine.name, object_hash, prefix, self.runner_hash) + ".x"
        if os.path.exists(program):
            return program
        words = [*machine.cc, *runner, object_file, "-pthread", "-o", program + ".part",
                 f"-Wl,--defsym=bits_model={prefix}_model"]
        _command(words, "linking")
        os.replace(program + ".part", program)
        return program

    def program(self, model, build, dims):
        """The linked program and the hash of its object."""
        fixed = dims if build.has_fixed_dims else {}

        def compute():
            object_file, object_hash, prefix = self._compile(model, build, fixed)
            program = self.links.get((build.machine.name, object_hash),
                                     lambda: self._link(build.machine, object_file, object_hash,
                                                        prefix))
            return program, object_hash

        return self.programs.get((model, build, tuple(sorted(fixed.items()))), compute)

    def execute(self, program, machine, run, dims, steps, file):
        words = [*machine.emulator, program, f"--how={run.how}", f"--workers={run.workers}",
                 f"--steps={steps}", f"--seed={self.seed}", *run.options, file]
        words[-1:-1] = [f"--dim={name}={value}" for name, value in dims.items()]
        return _command(words, "the program")

    def run(self, model, cell, dims, steps):
        """Never throws: what goes wrong stands in the result."""
        try:
            program, object_hash = self.program(model, cell.build, dims)
            sizes = tuple(sorted(dims.items()))
            key = (object_hash, cell.build.machine.name, cell.run, sizes, steps)
            return self.runs.get(key,
                                 lambda: self._run(program, object_hash, cell, dims, steps, key))
        except CellError as error:
            return Result(error=str(error))

    def _run(self, program, object_hash, cell, dims, steps, key):
        file = self._name(key, self.seed, self.runner_hash) + ".bits"
        if os.path.exists(file + ".txt"):
            with open(file + ".txt", encoding="utf-8") as seen:
                text = seen.read()
        else:
            text = self.execute(program, cell.build.machine, cell.run, dims, steps, file)
            text += f"sha256 {snapshot.hash_of(file)}\n"
            _write(file + ".txt", text)
        result = Result(program=program, object_hash=object_hash, file=file)
        words = [line.split() for line in text.splitlines()]
        result.digest = next((line[1] for line in words if line[0] == "sha256"), None) \
            or snapshot.hash_of(file)
        result.trace = tuple(line[1] for line in words if line[0] == "step")
        result.dims = dims_of(line[1] for line in words if line[0] == "dim")
        counts = next(line for line in words if line[0] == "parallel")
        result.kernels, result.blocks = int(counts[1]), int(counts[2])
        return result

    def locate(self, reference_cell, reference, cell, found, dims):
        """A sentence about the first step, tensor and element that differ."""
        pairs = zip(reference.trace, found.trace)
        step = next((i for i, (a, b) in enumerate(pairs) if a != b), None)
        if step is not None:
            where = f"after step {step + 1}"
            files = []
            for one, result in ((reference_cell, reference), (cell, found)):
                file = result.file + f".step{step + 1}"
                self.execute(result.program, one.build.machine, one.run, dims, step + 1, file)
                files.append(file)
            sentence = snapshot.first_difference(*map(snapshot.read, files))
            if sentence:
                return f"{where}, {sentence}"
        sentence = snapshot.first_difference(snapshot.read(reference.file),
                                             snapshot.read(found.file))
        return f"after all steps, {sentence}"
