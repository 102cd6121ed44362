# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""alter_records.py APRUN RUN: alters one thing of a run at a time, and expects verify to find and
locate it: a leaf of each kind of run.json, every row of the table, every tensor of the weights, each
column of the step record, every file. The table and the model lie in the run's folder. That each
single leaf counts is shown by the unit test of the digests."""

import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys

ALTERED = 6


def leaves(value, path=""):
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from leaves(member, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, element in enumerate(value):
            yield from leaves(element, f"{path}[{index}]")
    else:
        yield path, value


def changed(value, path, target):
    """A copy of the value in which the leaf at `target` is another one of its type."""
    if isinstance(value, dict) and value:
        return {k: changed(v, f"{path}.{k}" if path else k, target) for k, v in value.items()}
    if isinstance(value, list) and value:
        return [changed(v, f"{path}[{i}]", target) for i, v in enumerate(value)]
    if path != target:
        return value
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, str):
        return ("1" if value[:1] == "0" else "0") + value[1:]
    return "altered"


def one_of_each_kind(paths):
    """Of leaves that differ in numbers of list elements only, the last one; of the digests of
    members, which the reader does not tell apart, some."""
    kinds = {}
    for path in paths:
        kinds[re.sub(r"\[\d+\]", "[]", path)] = path
    members = [path for path in kinds.values() if path.startswith("digests.members.")]
    return [path for path in kinds.values() if path not in members] + members[::20]


class Alterations:
    def __init__(self, aprun, run):
        self.aprun = aprun
        self.run = pathlib.Path(run)
        self.work = pathlib.Path("altered")
        self.count = 0

    def expect(self, what, location, code=ALTERED):
        """verify exits with the code, and one of its lines names the location."""
        self.count += 1
        done = subprocess.run(
            [self.aprun, "verify", str(self.work)], capture_output=True, text=True, check=False
        )
        lines = [line for line in done.stdout.splitlines() if line.startswith("altered: ")]
        if done.returncode != code or len(lines) != 1 or location not in lines[0]:
            sys.exit(
                f"{what}: expected exit code {code} and one line with {location!r}, found "
                f"{done.returncode}:\n{done.stdout}{done.stderr}"
            )

    def fresh(self):
        if self.work.exists():
            shutil.rmtree(self.work)
        shutil.copytree(self.run, self.work)

    def with_file(self, name, data, what, location):
        path = self.work / name
        original = path.read_bytes()
        path.write_bytes(data)
        self.expect(what, location)
        path.write_bytes(original)

    def record(self):
        """What has no digest of its own is located by the member or entry around it."""
        text = (self.run / "run.json").read_text()
        document = json.loads(text)
        paths = [path for path, _ in leaves(document)]
        for path in one_of_each_kind(paths):
            if path.startswith("digests.members."):
                location = f"the digest of {path[len('digests.members.'):]} was altered"
            elif path.startswith("epochs["):
                location = path[: path.index("]") + 1]
            else:
                location = max(
                    (m for m in document["digests"]["members"] if path.startswith(m)),
                    key=len,
                    default=path,
                )
            data = json.dumps(changed(document, "", path)).encode()
            self.with_file("run.json", data, path, location)

    def table(self):
        lines = (self.run / "table.csv").read_bytes().splitlines(keepends=True)
        for row in range(len(lines)):
            line = lines[row]
            other = line.replace(b"x", b"z", 1) if row == 0 else line[:-2] + b"7\n"
            if other == line:
                other = line[:-2] + b"8\n"
            location = "what comes before them" if row == 0 else f"it differs in row {row}"
            data = b"".join(lines[:row] + [other] + lines[row + 1 :])
            self.with_file("table.csv", data, f"row {row}", location)
        self.with_file("table.csv", b"".join(lines[:-1]), "a missing row", "it has 11 rows")

    def weights(self):
        for name in ("weights.safetensors", "state.safetensors"):
            data = (self.run / name).read_bytes()
            size = struct.unpack("<Q", data[:8])[0]
            for tensor, entry in json.loads(data[8 : 8 + size]).items():
                if tensor == "__metadata__":
                    continue
                # The first byte of a tensor in one file, the last one in the other.
                first, end = entry["data_offsets"]
                at = 8 + size + (first if name[0] == "w" else end - 1)
                other = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
                self.with_file(name, other, tensor, f"{name}: tensor {tensor} is not")
            other = data.replace(b'"weight_hash":"', b'"weight_hash":"0', 1)
            other = struct.pack("<Q", size + 1) + other[8:]
            self.with_file(name, other, "metadata", f"{name}: the tensors are the recorded ones")
            other = struct.pack("<Q", 2**63) + data[8:]
            self.with_file(name, other, "the header's size", f"{name}: ")
            self.with_file(name, data[:size], "half of the header", f"{name}: ")
            self.with_file(name, b"", "an empty file", f"{name}: ")

    def steps(self):
        data = (self.run / "steps.bin").read_bytes()
        columns = struct.unpack("<I", data[12:16])[0]
        row = 8 * (columns + 1)
        for offset in range(16, len(data), row + 8):
            other = data[:offset] + bytes([data[offset] ^ 4]) + data[offset + 1 :]
            step = (offset - 16) // row + 1
            self.with_file("steps.bin", other, f"byte {offset}", f"of step {step} were altered")
        self.with_file("steps.bin", data[:-row], "a missing step", "steps.bin")
        self.with_file("steps.bin", b"x" + data[1:], "the first byte", "steps.bin")

    def files(self):
        for name in ("weights.safetensors", "state.safetensors", "weights.json"):
            self.fresh()
            (self.work / name).unlink()
            self.expect(name, f"{name}: the file is missing")
        self.fresh()
        for name in ("model.apr", "blocks.apr", "weights.json"):
            source = (self.work / name).read_bytes()
            self.with_file(name, source + b"\n", name, f"{name}: the")
        for name in ("weights.safetensors", "model.apr", "table.csv", "steps.bin"):
            self.fresh()
            (self.work / name).unlink()
            (self.work / name).mkdir()
            self.expect(f"a folder called {name}", name)
        self.fresh()
        (self.work / "table.csv").unlink()
        self.expect("table", "the data file is missing")


def main():
    alterations = Alterations(sys.argv[1], sys.argv[2])
    alterations.fresh()
    alterations.record()
    alterations.table()
    alterations.weights()
    alterations.steps()
    alterations.files()
    print(f"{alterations.count} alterations were found and located")


main()
