# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model as a host sees it: compiled, linked into a shared library and called through its reflection
table (docs/abi.md)."""

import ctypes
import re
import subprocess
from ctypes import (CFUNCTYPE, POINTER, Structure, addressof, c_char_p, c_int32, c_int64, c_size_t,
                    c_uint32, c_uint64, c_void_p, sizeof)
from pathlib import Path

CORE = Path(__file__).resolve().parents[2] / "runtime" / "core"


class Exec(Structure):
    _fields_ = [("size", c_uint32), ("workers", c_uint32), ("ctx", c_void_p), ("par_for", c_void_p),
                ("workspace_bytes", c_uint64), ("row_offset", c_int64), ("reserved", c_uint64 * 4)]


class Call(Structure):
    _fields_ = [("size", c_uint32), ("reserved0", c_uint32), ("exec", c_void_p), ("state", c_void_p),
                ("workspace", c_void_p), ("dims", c_void_p), ("inputs", c_void_p),
                ("hyper", c_void_p), ("gradients", c_void_p), ("results", c_void_p),
                ("reserved", c_uint64 * 4)]


class Entry(Structure):
    _fields_ = [("name", c_char_p), ("kind", c_int32), ("train_block", c_uint32),
                ("dim_count", c_uint32), ("input_count", c_uint32), ("result_count", c_uint32),
                ("reserved0", c_uint32), ("dims", c_void_p), ("inputs", c_void_p),
                ("results", c_void_p), ("call", CFUNCTYPE(c_int32, c_void_p)),
                ("workspace", CFUNCTYPE(c_size_t, c_uint32, c_void_p)), ("shapes", c_void_p),
                ("reserved", c_uint64 * 4)]


class ModelTable(Structure):
    _fields_ = [("size", c_uint32), ("abi_version", c_uint32), ("semantics_version", c_uint32),
                ("tensor_count", c_uint32), ("texts", c_char_p * 5), ("state_bytes", c_uint64),
                ("hyper_bytes", c_uint64), ("tensors", c_void_p), ("hypers", c_void_p),
                ("entries", POINTER(Entry)), ("train_blocks", c_void_p), ("hyper_count", c_uint32),
                ("entry_count", c_uint32)]


def block(size):
    """Zeroed bytes at a multiple of 64."""
    memory = ctypes.create_string_buffer(size + 64)
    return (ctypes.c_char * (size + 1)).from_buffer(memory, -addressof(memory) % 64)


class Model:
    def __init__(self, aprc, source, flags, workers, folder):
        folder = Path(folder)
        stem = folder / f"probe{len(list(folder.iterdir()))}"
        self.ir = subprocess.run([aprc, source, "--emit=ir-after-fix-reduction-orders", *flags], check=True,
                                 capture_output=True, text=True).stdout
        subprocess.run([aprc, source, "-o", f"{stem}.o", *flags], check=True)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", f"{stem}.o", *map(str, CORE.glob("*.c")),
                        f"-I{CORE / 'include'}", "-pthread", "-o", f"{stem}.so"], check=True)
        self.linked = ctypes.CDLL(f"{stem}.so")
        self.header = Path(f"{stem}.h").read_text()
        name = re.search(r"(\w+_model)\(void\)", self.header)[1]
        function = getattr(self.linked, name)
        function.restype = POINTER(ModelTable)
        self.table = function().contents
        entries = self.table.entries[:self.table.entry_count]
        self.entries = {entry.name.decode(): entry for entry in entries}
        self.state = block(self.table.state_bytes)
        self.context = Exec(size=sizeof(Exec), workers=1)
        if workers > 1:
            create, make = self.linked.aprt_pool_create, self.linked.aprt_pool_exec
            create.restype, make.restype = c_void_p, Exec
            self.context = make(c_void_p(create(workers)), c_uint64(0))

    def orders(self, name, operation=r"\w+"):
        """Those that the printed IR states for operations that a result of the function needs."""
        text = re.search(rf"^func @{re.escape(name)} .*?^}}", self.ir, re.M | re.S)[0]
        orders, needed = [], set()
        for line in reversed(text.splitlines()[1:]):
            defined, _, computation = line.partition(" = ")
            names = set(re.findall(r"(%[\w.~]+):", defined))
            is_result = line.lstrip().startswith(("return", "gradient ", "update"))
            if is_result and not names or names & needed:
                needed |= set(re.findall(r"%[\w.~]+", line)) - names
                if found := re.match(rf"{operation} %.*?order = (.*?)(?:, \w+ =|\}})", computation):
                    orders.insert(0, found[1])
        return orders

    def offset(self, tensor):
        """Of a state tensor, from the header."""
        name = tensor.replace(".", "_").upper()
        return int(re.search(rf"_OFFSET_{name} (\d+)u", self.header)[1])

    def bind(self, name, inputs, results, dims=(), gradients=None):
        """A function without arguments that calls the entry on these ctypes arrays."""
        entry = self.entries[name]
        sizes = (c_int64 * 8)(*dims)
        self.context.workspace_bytes = entry.workspace(self.context.workers, sizes)
        context = Exec.from_buffer_copy(self.context)
        keep = [sizes, context, block(context.workspace_bytes)]
        keep += [(c_void_p * (len(arrays) + 1))(*map(addressof, arrays))
                 for arrays in (inputs, results)]
        call = Call(size=sizeof(Call), exec=addressof(context), state=addressof(self.state),
                    workspace=addressof(keep[2]), dims=addressof(sizes), inputs=addressof(keep[3]),
                    gradients=addressof(gradients) if gradients is not None else None,
                    results=addressof(keep[4]))

        def run(_alive=(keep, inputs, results, gradients)):
            status = entry.call(addressof(call))
            if status != 0:
                raise RuntimeError(f"{name} returns status {status}")

        return run
