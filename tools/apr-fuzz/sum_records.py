# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Adds up records of apr-fuzz: sum_records.py [--at-least=N] RECORD.json …

Prints what all runs together have tried. With --at-least the exit code is 4 where an op occurs in
fewer graphs, computed or differentiated, or where anything was found.
"""

import argparse
import json
import sys

COUNTS = ("graphs", "forward", "gradient", "train", "calls", "refused_calls", "refused_graphs",
          "differences", "failures", "crashes", "hangs")
FINDINGS = ("differences", "failures", "crashes", "hangs")


def overlap(a, b):
    """True where two runs tried the same graphs."""
    return (a["seed"] == b["seed"] and a["first"] < b["first"] + b["graphs"] and
            b["first"] < a["first"] + a["graphs"])


def add(records):
    total = {key: sum(r[key] for r in records) for key in COUNTS}
    total["runs"] = [{key: r[key] for key in ("seed", "first", "graphs", "commit")}
                     for r in records]
    total["ops"] = {}
    for op in records[0]["ops"]:
        rows = [r["ops"][op] for r in records]
        total["ops"][op] = {
            "computed": sum(row["computed"] for row in rows),
            "gradient": None if rows[0]["gradient"] is None else sum(r["gradient"] for r in rows)}
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("records", nargs="+")
    parser.add_argument("--at-least", type=int, default=0, metavar="N")
    options = parser.parse_args()
    records = []
    for path in options.records:
        with open(path, encoding="utf-8") as file:
            records.append(json.load(file))
    for i, record in enumerate(records):
        if any(overlap(record, other) for other in records[:i]):
            sys.exit("{}: its graphs are those of another record".format(options.records[i]))
    total = add(records)
    print(json.dumps(total, indent=1))
    rare = sorted("{} ({})".format(op, kind) for op, counts in total["ops"].items()
                  for kind, count in counts.items()
                  if count is not None and count < options.at_least)
    found = sum(total[key] for key in FINDINGS)
    if options.at_least and (rare or found):
        print("{} findings; in fewer than {} graphs: {}".format(
            found, options.at_least, ", ".join(rare) or "none"), file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
