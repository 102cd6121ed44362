# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads .onnx files without any package: a decoder of its own, so that the writer's mistakes show.

    onnx_file.py FILE                       prints the graph, one line per node
    onnx_file.py FILE --weights FILE        and compares initializers with a safetensors file
"""
import json
import struct
import sys

SIZES = {1: 4, 2: 1, 6: 4, 7: 8, 9: 1, 11: 8, 16: 2}
NAMES = {1: "f32", 2: "u8", 6: "i32", 7: "i64", 9: "bool", 11: "f64", 16: "bf16"}
STORED = {"F32": 1, "U8": 2, "I32": 6, "I64": 7, "BOOL": 9, "F64": 11, "BF16": 16}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """All fields of a message: (number, value) with ints, floats and bytes."""
    at = 0
    found = []
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
            value -= (value >> 63) << 64
        elif kind == 2:
            size, at = varint(data, at)
            value = data[at : at + size]
            assert len(value) == size, "a field ends behind the file"
            at += size
        elif kind == 5:
            value = struct.unpack("<f", data[at : at + 4])[0]
            at += 4
        else:
            raise ValueError(f"wire type {kind}")
        found.append((key >> 3, value))
    return found


def every(message, number):
    return [value for key, value in fields(message) if key == number]


def one(message, number, default=b""):
    values = every(message, number)
    assert len(values) <= 1, f"field {number} stands {len(values)} times"
    return values[0] if values else default


def text(message, number):
    return one(message, number).decode()


def tensor(message):
    shape = every(message, 1)
    kind = one(message, 2)
    raw = one(message, 9)
    count = 1
    for size in shape:
        count *= size
    assert len(raw) == count * SIZES[kind], f"{text(message, 8)}: {len(raw)} bytes for {shape}"
    return {"name": text(message, 8), "type": kind, "shape": shape, "raw": raw}


def attribute(message):
    kind = one(message, 20)
    value = {2: lambda: one(message, 3), 3: lambda: text(message, 4), 4: lambda: tensor(one(message, 5)),
             5: lambda: graph(one(message, 6)), 7: lambda: every(message, 8)}[kind]()
    return text(message, 1), value


def node(message):
    return {"inputs": [name.decode() for name in every(message, 1)],
            "outputs": [name.decode() for name in every(message, 2)],
            "type": text(message, 4), "doc": text(message, 6),
            "attributes": dict(attribute(each) for each in every(message, 5))}


def value_info(message):
    kind = one(one(message, 2), 1)
    shape = [one(dim, 1, None) if one(dim, 1, None) is not None else text(dim, 2)
             for dim in every(one(kind, 2), 1)]
    return {"name": text(message, 1), "type": one(kind, 1), "shape": shape, "doc": text(message, 3)}


def graph(message):
    return {"name": text(message, 2), "doc": text(message, 10), "nodes": [node(n) for n in every(message, 1)],
            "initializers": [tensor(t) for t in every(message, 5)],
            "inputs": [value_info(v) for v in every(message, 11)],
            "outputs": [value_info(v) for v in every(message, 12)]}


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    return {"format": one(data, 1), "producer": text(data, 2), "doc": text(data, 6),
            "operator_set": one(one(data, 8), 2), "graph": graph(one(data, 7)),
            "metadata": {text(entry, 1): text(entry, 2) for entry in every(data, 14)}}


def check(part, outer=frozenset()):
    """Every name is defined once and before its use, in a body too."""
    known = set(outer)

    def define(name):
        assert name and name not in known, f"{name!r} is defined twice"
        known.add(name)

    for value in part["inputs"] + part["initializers"]:
        define(value["name"])
    used = {value["name"] for value in part["outputs"]}
    for each in part["nodes"]:
        for name in each["inputs"]:
            assert name in known, f"{each['type']} reads {name!r}, which nothing before it defines"
        used.update(each["inputs"])
        for value in each["attributes"].values():
            if isinstance(value, dict) and "nodes" in value:
                used |= check(value, known)
        for name in each["outputs"]:
            define(name)
    for value in part["outputs"]:
        assert value["name"] in known, f"nothing defines the output {value['name']!r}"
    for value in part["initializers"]:
        assert value["name"] in used, f"nothing uses the initializer {value['name']!r}"
    return used


def typed(value):
    shape = ",".join(str(size) or "?" for size in value["shape"])
    return f"{value['name']}: {NAMES[value['type']]}[{shape}]"


def show(part, indent=""):
    print(f"{indent}graph {part['name']} ({', '.join(map(typed, part['inputs']))})")
    for value in part["initializers"]:
        print(f"{indent}  initializer {typed(value)}")
    for each in part["nodes"]:
        plain = [f"{name} = {value}" for name, value in each["attributes"].items()
                 if not isinstance(value, dict)]
        print(f"{indent}  {', '.join(each['outputs'])} = {each['type']}({', '.join(each['inputs'])})"
              + (f" {{{', '.join(plain)}}}" if plain else "") + (f" # {each['doc']}" if each["doc"] else ""))
        for value in each["attributes"].values():
            if isinstance(value, dict):
                show(value, indent + "    ")
    print(f"{indent}  return {', '.join(map(typed, part['outputs']))}")


def compare_weights(model, path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
        values = file.read()
    initializers = {value["name"]: value for value in model["graph"]["initializers"]}
    compared = 0
    for name, entry in header.items():
        if name == "__metadata__" or name not in initializers:
            continue
        begin, end = entry["data_offsets"]
        mine = initializers[name]
        assert mine["type"] == STORED[entry["dtype"]] and mine["shape"] == entry["shape"], name
        assert mine["raw"] == values[begin:end], f"the values of {name} differ"
        compared += 1
    print(f"{compared} weights are those of the file")


if __name__ == "__main__":
    loaded = read(sys.argv[1])
    check(loaded["graph"])
    print(f"format {loaded['format']}, operator set {loaded['operator_set']}, by {loaded['producer']}")
    for key, value in sorted(loaded["metadata"].items()):
        print(f"{key} = {value}")
    show(loaded["graph"])
    if "--weights" in sys.argv:
        compare_weights(loaded, sys.argv[sys.argv.index("--weights") + 1])
