# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The digests of a record, computed from docs/records.md alone, by nothing of the project's code.

record_digests.py check RUN MODEL TABLE     recomputes all digests and hashes of a run
record_digests.py forge RUN PATH VALUE      changes a leaf of run.json and makes the digests anew
"""

import copy
import hashlib
import json
import pathlib
import struct
import sys

TAIL = ("files", "steps", "information")


def encoding(value):
    """The one encoding of a JSON value."""
    if isinstance(value, dict):
        members = sorted((key.encode(), member) for key, member in value.items())
        parts = [b"o", struct.pack("<Q", len(members))]
        for key, member in members:
            parts += [b"s", struct.pack("<Q", len(key)), key, encoding(member)]
        return b"".join(parts)
    if isinstance(value, list):
        return b"a" + struct.pack("<Q", len(value)) + b"".join(map(encoding, value))
    if isinstance(value, str):
        text = value.encode()
        return b"s" + struct.pack("<Q", len(text)) + text
    if value is True or value is False:
        return b"t" if value else b"f"
    if value is None:
        return b"n"
    if isinstance(value, int):
        text = str(value).encode()
        return b"i" + struct.pack("<Q", len(text)) + text
    return b"d" + struct.pack("<d", value)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).hexdigest()


def link(previous, value):
    return sha256(previous.encode(), encoding(value))


def members(path, value, depth, found):
    divided = isinstance(value, (dict, list)) and value and depth < 4
    if divided and isinstance(value, list) and len(value) > 64:
        divided = False
    if not divided:
        found[path] = sha256(encoding(value))[:16]
    elif isinstance(value, dict):
        for key, member in value.items():
            members(f"{path}.{key}", member, depth + 1, found)
    else:
        for index, element in enumerate(value):
            members(f"{path}[{index}]", element, depth + 1, found)


def add_digests(record):
    """Puts the digests into a record, replacing those it has."""
    record.pop("digests", None)
    for entry in record["epochs"]:
        entry.pop("digest", None)
    header = {k: v for k, v in record.items() if k not in TAIL + ("epochs", "result")}
    digests = {"header": sha256(encoding(header))}
    previous = digests["header"]
    for entry in record["epochs"]:
        previous = link(previous, entry)
        entry["digest"] = previous
    digests["training"] = link(previous, record["result"])
    digests["record"] = link(digests["training"], {k: record[k] for k in TAIL})
    found = {}
    for key, value in record.items():
        if key != "epochs":
            members(key, value, 1, found)
    digests["members"] = found
    record["digests"] = digests


def tensors_of(path):
    """Names, types, shapes and bytes of a safetensors file, in the order of their bytes."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        yield name, entry["dtype"].lower(), entry["shape"], data[8 + size + begin : 8 + size + end]


def tensor_encoding(name, dtype, shape, values):
    sizes = struct.pack("<Q", len(shape)) + b"".join(struct.pack("<q", n) for n in shape)
    return name.encode() + b"\0" + dtype.encode() + b"\0" + sizes + values


def philox(counter, key):
    key = list(key)
    for _ in range(10):
        a = 0xD2511F53 * counter[0]
        b = 0xCD9E8D57 * counter[2]
        counter = [
            (b >> 32) ^ counter[1] ^ key[0],
            b & 0xFFFFFFFF,
            (a >> 32) ^ counter[3] ^ key[1],
            a & 0xFFFFFFFF,
        ]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def split_hash(seed, rows, share):
    stream = 0x811C9DC5
    for byte in b"split":
        stream = (stream ^ byte) * 0x01000193 & 0xFFFFFFFF
    order = list(range(rows))
    for i in range(rows - 1, 0, -1):
        words = philox([i, 0, 0, stream], [seed & 0xFFFFFFFF, seed >> 32])
        j = (words[1] << 32 | words[0]) * (i + 1) >> 64
        order[i], order[j] = order[j], order[i]
    count = int(rows * share + 0.5)
    parts = sorted(order[count:]), sorted(order[:count]), []
    return sha256(*(struct.pack("<Q", n) for part in parts for n in [len(part)] + part))


def step_digest(path, columns):
    data = path.read_bytes()
    assert data[:16] == b"aprsteps" + struct.pack("<II", 1, columns), "header of steps.bin"
    digest = sha256(data[:16])
    row = 8 * (columns + 1)
    for begin in range(16, len(data), row):
        digest = sha256(digest.encode(), data[begin : begin + row - 8])
        assert bytes.fromhex(digest)[:8] == data[begin + row - 8 : begin + row], "chain of steps.bin"
    return digest


class Check:
    def __init__(self):
        self.count = 0

    def same(self, what, found, expected):
        self.count += 1
        if found != expected:
            sys.exit(f"{what}: computed {found}, recorded {expected}")


def check(run, model, table):
    """The table has a header and columns of numbers that nothing transforms; no shuffle counts."""
    record = json.loads((run / "run.json").read_text())
    again = copy.deepcopy(record)
    add_digests(again)
    check = Check()
    check.same("digests", again["digests"], record["digests"])
    check.same("epochs", again["epochs"], record["epochs"])
    source = model.read_bytes()
    check.same("source", sha256(source), record["model"]["source_hash"])
    check.same("source", sha256(source), record["model"]["sources"][0]["sha256"])
    lines = table.read_bytes().splitlines(keepends=True)
    file = record["data"]["files"][0]
    check.same("table", sha256(*lines), file["sha256"])
    check.same("rows", "".join(sha256(line)[:8] for line in lines[1:]), file["blocks"])
    numbers = [[float(field) for field in line.decode().split(",")] for line in lines[1:]]
    for entry in record["inputs"]:
        columns = [column["column"] - 1 for column in entry["columns"]]
        values = [struct.pack("<f", row[column]) for row in numbers for column in columns]
        check.same(entry["name"], sha256(*values), entry["sha256"])
    check.same(
        "split",
        split_hash(record["seed"], len(numbers), record["data"]["validation"]),
        record["data"]["split_hash"],
    )
    result = record["result"]
    for name, key in (("state", "state_hash"), ("weights", "weight_hash")):
        path = run / f"{name}.safetensors"
        encoded = [(tensor[0], tensor_encoding(*tensor)) for tensor in tensors_of(path)]
        check.same(name, sha256(*(bytes for _, bytes in encoded)), result[key])
        for tensor, values in encoded:
            check.same(tensor, sha256(values), result["tensors"][tensor])
        check.same(path.name, sha256(path.read_bytes()), record["files"][path.name])
    for entry in record["epochs"]:
        for figure in list(entry["training"].values()) + list(entry["validation"].values()):
            check.same("bits", struct.pack(">d", figure["value"]).hex(), figure["bits"])
    steps = record["steps"]
    check.same("steps", step_digest(run / steps["file"], len(steps["columns"])), steps["digest"])
    print(f"{check.count} digests are as recorded")


def leaf_at(value, path):
    """The object or list around a leaf, and its key; keys with dots are written in [quotes]."""
    keys = []
    while path:
        if path.startswith("['"):
            end = path.index("']")
            keys.append(path[2:end])
            path = path[end + 2 :]
        elif path.startswith("["):
            end = path.index("]")
            keys.append(int(path[1:end]))
            path = path[end + 1 :]
        else:
            path = path.lstrip(".")
            end = min([i for i in (path.find("."), path.find("[")) if i >= 0], default=len(path))
            keys.append(path[:end])
            path = path[end:]
    for key in keys[:-1]:
        value = value[key]
    return value, keys[-1]


def forge(run, path, value):
    file = run / "run.json"
    record = json.loads(file.read_text())
    around, key = leaf_at(record, path)
    around[key] = json.loads(value)
    add_digests(record)
    file.write_text(json.dumps(record))


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(*map(pathlib.Path, sys.argv[2:]))
    else:
        forge(pathlib.Path(sys.argv[2]), *sys.argv[3:])
