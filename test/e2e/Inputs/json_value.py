# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""json_value.py FILE KEY…: prints values of a JSON file, one a line; a key is a dotted path."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    document = json.load(file)
for path in sys.argv[2:]:
    value = document
    for key in path.split("."):
        value = value[key]
    print(path, value)
