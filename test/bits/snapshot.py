# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a run of train.c leaves: tensors with names, and where two of them differ first."""

import dataclasses
import hashlib
import struct

_FORMATS = {"f32": "<f", "f64": "<d", "i32": "<i", "i64": "<q", "bool": "<B", "u8": "<B",
            "bf16": "<H"}


@dataclasses.dataclass(frozen=True)
class Tensor:
    name: str
    dtype: str
    shape: tuple
    data: bytes

    @property
    def head(self):
        return self.name, self.dtype, self.shape


def hash_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def read(path):
    with open(path, "rb") as file:
        header, _, body = file.read().partition(b"\n\n")
    tensors, offset = [], 0
    for line in header.decode().split("\n"):
        name, dtype, dims = line.split("\t")
        shape = tuple(int(d) for d in dims.split(",") if d)
        size = struct.calcsize(_FORMATS[dtype])
        for dim in shape:
            size *= dim
        tensors.append(Tensor(name, dtype, shape, body[offset:offset + size]))
        offset += size
    return tensors


def _element(tensor, number):
    """Its bits, and its value where the bits do not say it."""
    form = _FORMATS[tensor.dtype]
    size = struct.calcsize(form)
    raw = tensor.data[number * size:(number + 1) * size]
    bits = "0x" + raw[::-1].hex()
    if tensor.dtype == "bf16":
        return f"{bits} ({struct.unpack('<f', bytes(2) + raw)[0]:.9g})"
    return f"{bits} ({struct.unpack(form, raw)[0]:.17g})"


def _index(shape, number):
    index = []
    for dim in reversed(shape):
        index.insert(0, number % dim)
        number //= dim
    return f"[{', '.join(map(str, index))}]" if shape else ""


def first_difference(expected, found):
    """A sentence, or None where all bits agree."""
    if [t.head for t in expected] != [t.head for t in found]:
        return "the two do not have the same tensors"
    for a, b in zip(expected, found):
        if a.data == b.data:
            continue
        size = struct.calcsize(_FORMATS[a.dtype])
        differing = [i for i in range(len(a.data) // size)
                     if a.data[i * size:(i + 1) * size] != b.data[i * size:(i + 1) * size]]
        at = differing[0]
        return (f"{a.name}{_index(a.shape, at)} is {_element(b, at)} instead of {_element(a, at)}; "
                f"{len(differing)} of its {len(a.data) // size} elements differ")
    return None


def has_nan(tensors):
    for tensor in tensors:
        if tensor.dtype not in ("f32", "f64"):
            continue
        values = struct.iter_unpack(_FORMATS[tensor.dtype], tensor.data)
        if any(value != value for (value,) in values):
            return True
    return False
