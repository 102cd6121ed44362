# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Processes that run a workload when they are told, ours and the peers' that this machine has."""

import glob
import hashlib
import json
import os
import selectors
import subprocess

from workloads import HERE, ROOT

START_LIMIT = 900  # seconds until a contender is warm; torch.compile tries many kernels


class Unavailable(Exception):
    """A contender cannot take part; says why."""


class Contender:
    """A running process: `seconds(n)` is the time of n calls."""

    def __init__(self, name, words, environment=None):
        self.name = name
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})})
        self.facts = json.loads(self._line(START_LIMIT))

    def _line(self, limit):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(limit):
                self.close()
                raise Unavailable(f"{self.name}: no answer within {limit} seconds")
        line = self.process.stdout.readline()
        if not line:
            text = self.process.stderr.read().strip().splitlines()
            self.close()
            raise Unavailable(f"{self.name}: {text[-1] if text else 'it ended'}")
        return line

    def seconds(self, calls):
        self.process.stdin.write(f"{calls}\n")
        self.process.stdin.flush()
        return float(self._line(600))

    def close(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


def _run(words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise Unavailable(f"{os.path.basename(words[0])} fails: {done.stdout.strip()[:500]}")


class Ours:
    """Compiles each workload and links it with the worker."""

    def __init__(self, build, folder, aprc):
        self.build, self.folder = build, folder
        self.aprc = aprc or os.path.join(build, "tools", "aprc", "aprc")
        os.makedirs(folder, exist_ok=True)
        self.programs = {}

    def _program(self, workload):
        # Sizes are known when a model is deployed; rows of training vary, so they stay open.
        fixed = workload.dims if workload.kind != "step" else ()
        key = (workload.source, workload.sets, fixed)
        if key in self.programs:
            return self.programs[key]
        stem = os.path.join(self.folder, hashlib.sha256(repr(key).encode()).hexdigest()[:16])
        words = [self.aprc, workload.source, "--cpu=native", "-o", stem + ".o"]
        words += [f"--set={text}" for text in workload.sets]
        words += [f"--dim={text}" for text in fixed]
        _run(words)
        with open(stem + ".json", encoding="utf-8") as file:
            prefix = json.load(file)["prefix"]
        runtime = os.path.join(self.build, "runtime")
        _run(["c++", os.path.join(self.build, "test", "bench", "libbench_worker.a"), stem + ".o",
              os.path.join(runtime, "train", "libapr_train.a"),
              os.path.join(runtime, "core", "libaprt.a"), "-lfmt", "-lz", "-lzip", "-pthread",
              f"-Wl,--defsym=bench_model={prefix}_model", "-o", stem])
        self.programs[key] = stem
        return stem

    def start(self, workload, threads):
        kind = "block" if workload.kind == "step" else "entry"
        words = [self._program(workload), f"--{kind}={workload.entry}", f"--workers={threads}"]
        if workload.kind == "step":
            words += [f"--dim={text}" for text in workload.dims]
        return Contender("aprc", words)


class Torch:
    def __init__(self, python, mode):
        self.python, self.mode = python, mode
        self.name = f"torch {mode}"

    def takes(self, workload):
        return workload.kind != "product"

    def start(self, workload, threads):
        words = [self.python, os.path.join(HERE, "torch_worker.py"), workload.peer, workload.kind,
                 str(workload.rows), self.mode, str(threads)]
        return Contender(self.name, words, {"OMP_NUM_THREADS": str(threads)})


class Library:
    """A BLAS, or oneDNN, that is loaded by name."""

    def __init__(self, name, kind, path, worker, environment=None):
        self.name, self.kind, self.path = name, kind, path
        self.worker, self.environment = worker, environment or {}

    def takes(self, workload):
        return workload.kind == "product"

    def start(self, workload, threads):
        sizes = [text.split("=")[1] for text in workload.dims]
        words = [self.worker, self.kind, self.path, workload.peer, *sizes, str(threads)]
        return Contender(self.name, words, self.environment)


def _has_torch(python):
    done = subprocess.run([python, "-c", "import torch"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def _has_avx512():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return "avx512bw" in file.read()


def peers(python, worker):
    """The peers found here, and sentences about those that are not."""
    found, absent = [], []
    if _has_torch(python):
        found += [Torch(python, "eager"), Torch(python, "compile")]
    else:
        absent.append(f"PyTorch: {python} has none (make bench-peers gets it)")
    folders = ["/usr/lib/*/", "/usr/lib/*/openblas-*/", "/usr/lib64/",
               os.path.join(os.path.dirname(python), "..", "lib/")]

    def library(pattern):
        paths = [path for folder in folders for path in glob.glob(folder + pattern)]
        return os.path.realpath(paths[0]) if paths else None

    blas = library("libopenblas.so*")
    if blas:
        # It takes recent AMD cores for older ones without AVX-512.
        core = {"OPENBLAS_CORETYPE": "SkylakeX"} if _has_avx512() else {}
        found.append(Library("OpenBLAS", "blas", blas, worker, core))
    else:
        absent.append("OpenBLAS: libopenblas.so is not installed")
    for name, pattern, kind in (("MKL", "libmkl_rt.so*", "blas"),
                                ("oneDNN", "libdnnl.so*", "onednn")):
        path = library(pattern)
        if path:
            found.append(Library(name, kind, path, worker))
        else:
            absent.append(f"{name}: {pattern.rstrip('*')} is not installed")
    return found, absent
