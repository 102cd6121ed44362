# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""write_npz.py FILE NAME=ROWS…: an archive of float32 arrays as numpy.savez writes it; rows are
separated by semicolons, the values of a row by commas. An array whose rows are words is one of
texts."""

import struct
import sys
import zipfile


def header(descr, shape):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text += " " * (-(11 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def content(rows):
    try:
        values = [[float(value) for value in row.split(",")] for row in rows]
    except ValueError:
        texts = [row.encode("utf-32-le")[:16].ljust(16, b"\0") for row in rows]
        return header("<U4", (len(rows),)) + b"".join(texts)
    width = len(values[0])
    shape = (len(rows),) if width == 1 else (len(rows), width)
    return header("<f4", shape) + b"".join(struct.pack(f"<{width}f", *row) for row in values)


with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for argument in sys.argv[2:]:
        name, rows = argument.split("=")
        archive.writestr(f"{name}.npy", content(rows.split(";")))
