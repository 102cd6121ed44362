# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weight files without any package.

    foreign_weights.py torch OURS.safetensors THEIRS.safetensors
        renames the weights of digits as another program would and transposes matrices
    foreign_weights.py same A.safetensors B.safetensors
        compares the values of two files bit by bit
    foreign_weights.py npz RUN.safetensors ARCHIVE.npz
        compares an archive of arrays with a file of weights bit by bit
    foreign_weights.py make FILE NAME:TYPE:SIZExSIZE:VALUE…
        a file whose tensors hold one value everywhere
"""
import json
import struct
import sys
import zipfile


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        values = file.read()
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], values[slice(*entry["data_offsets"])])
            for name, entry in header.items()}


def write(path, tensors):
    header, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def transposed(shape, raw):
    rows, columns = shape
    numbers = [raw[4 * i : 4 * i + 4] for i in range(rows * columns)]
    return [columns, rows], b"".join(numbers[r * columns + c] for c in range(columns) for r in range(rows))


def torch(ours, theirs):
    result = {"optimizer.step": ("I64", [], struct.pack("<q", 7))}
    for name, (dtype, shape, raw) in read(ours).items():
        if len(shape) == 2:
            shape, raw = transposed(shape, raw)
        name = name.replace("fc1.", "model.layer1.").replace("fc2.weight", "model.out.w").replace(
            "fc2.bias", "model.out.b")
        result[name] = (dtype, shape, raw)
    write(theirs, result)


def same(a, b):
    assert read(a) == read(b), "the files differ"
    print(f"{len(read(a))} tensors are equal")


def npz(weights, archive):
    kinds = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "|u1", "BOOL": "|b1"}
    expected = read(weights)
    with zipfile.ZipFile(archive) as file:
        assert file.testzip() is None
        assert [name + ".npy" for name in expected] == file.namelist()
        for name, (dtype, shape, raw) in expected.items():
            content = file.read(name + ".npy")
            assert content[:8] == b"\x93NUMPY\x01\x00"
            size = 10 + struct.unpack("<H", content[8:10])[0]
            header = eval(content[10:size])
            assert header == {"descr": kinds[dtype], "fortran_order": False, "shape": tuple(shape)}, header
            assert content[size:] == raw, f"the values of {name} differ"
    print(f"{len(expected)} arrays are the weights")


def make(path, descriptions):
    codes = {"F32": "<f", "F64": "<d", "F16": "<e", "I64": "<q", "I32": "<i", "U8": "<B"}
    tensors = {}
    for text in descriptions:
        name, dtype, sizes, value = text.split(":")
        shape = [int(size) for size in sizes.split("x") if size]
        count = 1
        for size in shape:
            count *= size
        if dtype == "BF16":
            raw = struct.pack("<f", float(value))[2:]
        else:
            number = float(value) if dtype[0] == "F" else int(value)
            raw = struct.pack(codes[dtype], number)
        tensors[name] = (dtype, shape, raw * count)
    write(path, tensors)


def counted(path, description):
    """One tensor whose elements are 0, 1, 2 …"""
    name, sizes = description.split(":")
    shape = [int(size) for size in sizes.split("x")]
    count = 1
    for size in shape:
        count *= size
    write(path, {name: ("F32", shape, struct.pack(f"<{count}f", *range(count)))})


def turned(theirs, ours):
    """theirs[o, i, h, w] is ours[h, w, i, o]."""
    (_, (o, i, h, w), raw), = read(theirs).values()
    (_, shape, moved), = read(ours).values()
    assert shape == [h, w, i, o]
    for a in range(o):
        for b in range(i):
            for c in range(h):
                for d in range(w):
                    x, y = ((a * i + b) * h + c) * w + d, ((c * w + d) * i + b) * o + a
                    assert raw[4 * x : 4 * x + 4] == moved[4 * y : 4 * y + 4], (a, b, c, d)
    print("the kernel is turned")


{"torch": torch, "counted": counted, "turned": turned, "same": same, "npz": npz, "make": lambda path, *rest: make(path, rest)}[sys.argv[1]](*sys.argv[2:])
