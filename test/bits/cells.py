# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The cells of the grid: how a model is compiled, and how it is run."""

import dataclasses

from machines import Machine

# Blocks of about this many operations: small models then have many, and they run in parallel.
BLOCKS = ("--block-work=2048",)
PASSES = ("simplify-exact", "fold-constants", "cse", "dce")
THREADS = (1, 2, 3, 5, 8, 16, 64)


@dataclasses.dataclass(frozen=True)
class Build:
    tool: str
    machine: Machine
    cpu: str
    level: int
    options: tuple = ()
    has_fixed_dims: bool = False


@dataclasses.dataclass(frozen=True)
class Run:
    how: str = "serial"
    workers: int = 1
    options: tuple = ()


@dataclasses.dataclass(frozen=True)
class Cell:
    name: str
    build: Build
    run: Run

    @property
    def is_emulated(self):
        return self.build.machine.is_emulated


def _build(tool, machine, cpu, level, *options, fixed=False):
    return Build(tool, machine, cpu, level, tuple(options), fixed)


def level_cells(tool, machine):
    """The first is the reference: scalar code of the lowest level, without LLVM's optimizer."""
    for cpu in machine.cpus:
        # What LLVM does at -O1 and -O3 hardly depends on the level of the CPU.
        for level in (0, 2) if cpu == machine.cpus[0] != machine.cpus[-1] else (0, 1, 2, 3):
            yield Cell(f"{cpu} -O{level}", _build(tool, machine, cpu, level), Run())


def thread_cells(tool, machine):
    lowest, cpu = machine.cpus[0], machine.cpus[-1]
    small = _build(tool, machine, cpu, 2, *BLOCKS)
    whole = _build(tool, machine, cpu, 2)
    yield Cell("no context", small, Run("null"))
    yield Cell("blocks backwards, 5 workers", small, Run("backwards", 5))
    for workers in THREADS:
        threads = "1 thread" if workers == 1 else f"{workers} threads"
        yield Cell(f"{threads}, delays", small, Run("jitter", workers))
    for workers in (2, 7, 64):
        yield Cell(f"pool of {workers}", small, Run("pool", workers))
    yield Cell("3 threads, delays, large blocks", whole, Run("jitter", 3))
    yield Cell("pool of 4, large blocks", whole, Run("pool", 4))
    yield Cell(f"3 threads, delays, {lowest} -O0", _build(tool, machine, lowest, 0, *BLOCKS),
               Run("jitter", 3))
    if lowest != cpu:
        yield Cell(f"5 threads, delays, {lowest}", _build(tool, machine, lowest, 2, *BLOCKS),
                   Run("jitter", 5))
    yield Cell("3 threads, FTZ, towards zero", small, Run("jitter", 3, ("--hostile",)))
    yield Cell("grad and apply, 3 threads", small, Run("jitter", 3, ("--apart",)))


def dim_cells(tool, machine):
    for cpu in machine.cpus:
        yield Cell(f"fixed dims, {cpu}", _build(tool, machine, cpu, 2, fixed=True), Run())
    yield Cell("fixed dims, -O0", _build(tool, machine, machine.cpus[0], 0, fixed=True), Run())
    yield Cell("fixed dims, 3 threads, delays",
               _build(tool, machine, machine.cpus[-1], 2, *BLOCKS, fixed=True), Run("jitter", 3))


def pass_cells(tool, machine):
    cpu = machine.cpus[-1]
    for name in PASSES:
        yield Cell(f"without {name}",
                   _build(tool, machine, cpu, 2, f"--disable-pass={name}"), Run())
    yield Cell("without optional passes",
               _build(tool, machine, cpu, 2, f"--disable-pass={','.join(PASSES)}"), Run())
    yield Cell("without fusion", _build(tool, machine, cpu, 2, "--no-fuse"), Run())
    yield Cell("without fusion, 3 threads, delays",
               _build(tool, machine, cpu, 2, "--no-fuse", *BLOCKS), Run("jitter", 3))


def emulated_cells(tool, machine):
    name, cpu = machine.name, machine.cpus[0]
    yield Cell(f"{name} -O2", _build(tool, machine, cpu, 2), Run())
    yield Cell(f"{name} -O0", _build(tool, machine, cpu, 0), Run())
    yield Cell(f"{name}, 3 threads, delays", _build(tool, machine, cpu, 2, *BLOCKS),
               Run("jitter", 3))


def tool_cells(tool, machine, emulated):
    """Another build of the compiler."""
    for cpu in machine.cpus:
        yield Cell(f"{tool}: {cpu}", _build(tool, machine, cpu, 2), Run())
    yield Cell(f"{tool}: {machine.cpus[-1]} -O0", _build(tool, machine, machine.cpus[-1], 0), Run())
    for other in emulated:
        yield Cell(f"{tool}: {other.name}", _build(tool, other, other.cpus[0], 2), Run())


def all_cells(tools, machine, emulated):
    first = tools[0]
    for cells in (level_cells, thread_cells, dim_cells, pass_cells):
        yield from cells(first, machine)
    for other in emulated:
        yield from emulated_cells(first, other)
    for tool in tools[1:]:
        yield from tool_cells(tool, machine, emulated)
