# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The machines that the grid's programs run on: this one, and emulated ones."""

import dataclasses
import glob
import hashlib
import os
import platform
import shutil
import subprocess
import sys

from models import ROOT

sys.path.insert(0, os.path.join(ROOT, "test"))
from cpu_levels import levels_of_this_machine  # the folder is known only now

BITS = os.path.join(ROOT, "test", "bits")
CORE = os.path.join(ROOT, "runtime", "core")
HOSTILE = os.path.join(ROOT, "test", "e2e", "Inputs", "hostile_environment.h")


@dataclasses.dataclass(frozen=True)
class Machine:
    name: str
    triple: str  # empty: this machine
    cc: tuple
    emulator: tuple
    cpus: tuple  # levels it runs, lowest first

    @property
    def is_emulated(self):
        return bool(self.emulator)


def cpu_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            line = next((line for line in info if line.startswith("model name")), "")
        return line.partition(":")[2].strip() or platform.machine()
    except OSError:
        return platform.machine()


def this_machine():
    name = platform.machine()
    cpus = tuple(levels_of_this_machine())
    if name != "x86_64":
        cpus = ("generic",)
    return Machine(name, "", tuple(os.environ.get("CC", "cc").split()), (), cpus)


def emulated_machines():
    """Those with a cross compiler and an emulator; and what the others lack."""
    found, lacking = [], []
    for name in ("x86_64", "aarch64", "riscv64"):
        if name == platform.machine():
            continue
        triple = f"{name}-linux-gnu"
        tools = (f"{triple}-gcc", f"qemu-{name}")
        absent = [tool for tool in tools if not shutil.which(tool)]
        if absent:
            lacking.append(f"{name} (no {' and no '.join(absent)})")
        else:
            cpu = "x86-64-v2" if name == "x86_64" else "generic"
            found.append(Machine(name, triple, (tools[0], "-static"), (tools[1],), (cpu,)))
    return found, lacking


def runner_sources():
    found = [path for folder in (BITS, CORE) for path in glob.glob(os.path.join(folder, "*.c"))]
    return sorted(found)


def runner_digest():
    """Of the sources and of all headers that they may include."""
    headers = [path for folder in (BITS, CORE)
               for path in glob.glob(os.path.join(folder, "**", "*.h"), recursive=True)]
    digest = hashlib.sha256()
    for path in [*runner_sources(), *sorted(headers), HOSTILE]:
        with open(path, "rb") as file:
            digest.update(hashlib.sha256(file.read()).digest())
    return digest.hexdigest()[:16]


def build_runner(machine, place):
    """The objects that every program of a machine is linked with."""
    place = os.path.join(place, machine.name)
    os.makedirs(place, exist_ok=True)
    objects = []
    digest = runner_digest()
    for source in runner_sources():
        target = os.path.join(place, f"{os.path.basename(source)[:-2]}-{digest}.o")
        objects.append(target)
        if os.path.exists(target):
            continue
        flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-c"]
        include = ["-I" + os.path.join(CORE, "include"), "-I" + CORE]
        part = f"{target}.{os.getpid()}"
        subprocess.run([*machine.cc, *flags, *include, source, "-o", part], check=True)
        os.replace(part, target)
    return objects
