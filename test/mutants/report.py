#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes RESULTS.md from the results of run_mutants.py: see README.md."""

import argparse
import collections
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent


# Numbers of mutants and lines change with the sources; a verdict is found by what is changed where.
KEY = ("file", "function", "text", "original", "replacement")


def key_of(entry):
    return tuple(entry[name] for name in KEY)


def by_key(verdicts):
    """An argument holds for one line: a second one with the same key would excuse what it does not
    speak of."""
    found = {}
    for verdict in verdicts:
        if key_of(verdict) in found:
            raise SystemExit(f"verdicts.json: two verdicts for {key_of(verdict)}")
        found[key_of(verdict)] = verdict
    return found


def check_lines(mutants, verdicts):
    """One line may hold a change twice; then its text does not tell which one is argued."""
    counts = collections.Counter(key_of(m) for m in mutants if key_of(m) in verdicts)
    for key, count in counts.items():
        if count > 1:
            raise SystemExit(f"verdicts.json: one verdict for {count} mutants: {key}")


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]


def code(text):
    return "`` " + text.replace("|", "\\|") + " ``" if text else "(left out)"


def change_of(mutant):
    return f"{code(mutant['original'])} → {code(mutant['replacement'])}"


class Report:
    def __init__(self, record, results, verdicts):
        self.record, self.results, self.verdicts = record, results, by_key(verdicts)
        self.mutants = record["mutants"]
        check_lines(self.mutants, self.verdicts)
        self.caught = [m for m in self.mutants if self.status(m) == "caught"]
        left = [m for m in self.mutants if self.status(m) in ("survived", "unreached", "open")]
        self.equivalent = [m for m in left if self.is_equivalent(m)]
        self.survivors = [m for m in left if not self.is_equivalent(m)]
        self.not_run = [m for m in self.mutants if self.status(m) == "not run"]

    def result(self, mutant):
        return self.results.get(str(mutant["id"]), {"status": "not run"})

    def status(self, mutant):
        return self.result(mutant)["status"]

    def is_equivalent(self, mutant):
        verdict = self.verdicts.get(key_of(mutant))
        return verdict is not None and verdict["verdict"] == "equivalent"

    def share(self, mutants):
        caught = sum(self.status(m) == "caught" for m in mutants)
        counted = sum(not self.is_equivalent(m) or self.status(m) == "caught" for m in mutants
                      if self.status(m) != "not run")
        return f"{100 * caught / counted:.1f} %" if counted else "–"

    def grouped(self, key):
        groups = collections.defaultdict(list)
        for mutant in self.mutants:
            groups[mutant[key]].append(mutant)
        for name, members in sorted(groups.items()):
            yield (name, len(members), sum(self.status(m) == "caught" for m in members),
                   sum(m in self.equivalent for m in members),
                   sum(m in self.survivors for m in members), self.share(members))

    def lines(self):
        record = self.record
        ran = len(self.mutants) - len(self.not_run)
        yield "# Mutants"
        yield ""
        yield "Written by `report.py`; how it was done is in [README.md](README.md)."
        yield ""
        drawn = len(self.mutants) + record.get("dropped", 0)
        yield f"Sources of commit `{record['commit'][:12]}`, seed {record['seed']}: {drawn} drawn, "\
              f"{record.get('dropped', 0)} refused by the C++ compiler, "\
              f"**{len(self.mutants)} built**, {ran} run. Tests that were added for survivors count."
        yield ""
        yield from table(("caught", "equivalent", "survived", "caught, of all that are not equivalent",
                          "caught, of all"),
                         [(len(self.caught), len(self.equivalent), len(self.survivors),
                           self.share(self.mutants),
                           f"{100 * len(self.caught) / ran:.1f} %" if ran else "–")])
        yield ""
        yield "## By kind"
        yield ""
        head = ("mutants", "caught", "equivalent", "survived", "share")
        yield from table(("kind", *head), self.grouped("kind"))
        yield ""
        yield "## By the test that noticed first"
        yield ""
        stages = collections.Counter(self.result(m)["stage"] for m in self.caught)
        hows = collections.Counter((self.result(m)["stage"], self.result(m)["how"])
                                   for m in self.caught)
        yield from table(("tests", "caught", "wrong result", "crash", "hang"),
                         [(s, n, hows[s, "failed"], hows[s, "crashed"], hows[s, "hung"])
                          for s, n in stages.most_common()])
        yield ""
        yield "## Survivors"
        yield ""
        yield "Noticed by no test, and not argued to be equivalent."
        yield ""
        yield from self.list_of(self.survivors, "None.")
        yield "## Equivalents"
        yield ""
        yield from self.list_of(self.equivalent, "None.")
        yield "## By file"
        yield ""
        yield from table(("file", *head), self.grouped("file"))
        yield ""
        empty = sorted(f for f, n in record["sites"].items() if n == 0)
        yield f"Without any site, since they only declare or hold constants: {', '.join(empty)}."

    def list_of(self, mutants, none):
        if not mutants:
            yield none
            yield ""
        for mutant in sorted(mutants, key=lambda m: (m["file"], m["line"])):
            verdict = self.verdicts.get(key_of(mutant))
            tried = len(self.result(mutant).get("tried", []))
            yield f"- {mutant['id']}, {mutant['file']}:{mutant['line']} `{mutant['function']}`, "\
                  f"{mutant['kind']}: {change_of(mutant)} ({tried} tests reach it)"
            if verdict:
                yield f"  {verdict['why']}"
        yield ""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="the folder of mutate.py")
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "RESULTS.md")
    parser.add_argument("--at-least", type=float, help="fail if a smaller percentage was caught")
    options = parser.parse_args()
    record = json.loads((options.folder / "mutants.json").read_text())
    results = json.loads((options.folder / "results.json").read_text())
    verdicts = json.loads((HERE / "verdicts.json").read_text())
    report = Report(record, results, verdicts)
    options.output.write_text("\n".join(report.lines()) + "\n")
    caught, left = len(report.caught), len(report.survivors)
    print(f"{caught} caught, {left} survived, {len(report.equivalent)} equivalent, "
          f"{len(report.not_run)} not run")
    if options.at_least and 100 * caught < options.at_least * (caught + left):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
