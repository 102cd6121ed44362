#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the tests against each mutant until one fails: see README.md."""

import argparse
import collections
import json
import multiprocessing
import os
import pathlib
import shutil
import subprocess
import time

import suite

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Store:
    """A JSON file that is whole at any time."""

    def __init__(self, path):
        self.path = path
        self.data = json.loads(path.read_text()) if path.is_file() else {}

    def put(self, key, value):
        self.data[key] = value
        self.save()

    def save(self):
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.data, indent=1) + "\n")
        fresh.replace(self.path)


# -- which test reaches which mutant --------------------------------------------------------------


def measure(job):
    """Runs one test without a mutant; what it costs and reaches."""
    name, scratch = job
    path = scratch / f"reached.{os.getpid()}"
    path.unlink(missing_ok=True)
    outcome = TESTS[name].run({"APR_MUTANT": "-1", "APR_MUTANT_REACHED": str(path)}, limit=600)
    reached = [i for i, byte in enumerate(path.read_bytes()) if byte] if path.exists() else []
    path.unlink(missing_ok=True)
    return name, {"passed": outcome.passed, "how": outcome.how,
                  "seconds": round(outcome.seconds, 3), "reached": reached}


def measure_all(coverage, names, scratch, jobs):
    missing = [n for n in names if n not in coverage.data]
    with multiprocessing.Pool(jobs) as pool:
        for i, (name, facts) in enumerate(
                pool.imap_unordered(measure, [(n, scratch) for n in missing])):
            coverage.data[name] = facts
            if i % 20 == 0:
                coverage.save()
            if not facts["passed"]:
                print(f"left out, {facts['how']} without a mutant: {name}", flush=True)
    coverage.save()


# -- one mutant -----------------------------------------------------------------------------------


class Ranking:
    """Which test is likely to notice a mutant, by what noticed others, per second of its cost."""

    def __init__(self, coverage):
        self.coverage = coverage
        self.caught = collections.Counter()
        self.ran = collections.Counter()

    def learn(self, mutant, result):
        for name in result["tried"]:
            self.ran[mutant["file"], name] += 1
            self.ran[name] += 1
        if result["status"] == "caught":
            self.caught[mutant["file"], result["by"]] += 1
            self.caught[result["by"]] += 1

    def score(self, mutant, name):
        here = (self.caught[mutant["file"], name] + 0.3) / (self.ran[mutant["file"], name] + 1)
        anywhere = (self.caught[name] + 0.3) / (self.ran[name] + 1)
        facts = self.coverage[name]
        focus = 1 if stem(mutant["file"]) in name else 0
        rarity = 30 / (30 + len(facts["reached"]))
        return (2 * here + anywhere + focus + rarity) / (facts["seconds"] + 0.02)


def stem(file):
    name = pathlib.Path(file).stem
    for prefix in ("grad_", "infer_", "kernel_", "lanes_"):
        name = name.removeprefix(prefix)
    return name


def test_mutant(job):
    """Runs the named tests in their order; stops at the first that fails or at the budget."""
    number, names, limits, budget, before = job
    tried, spent = list(before["tried"]), before["seconds"]
    for name in names:
        if spent > budget:
            return number, {"status": "open", "tried": tried, "seconds": round(spent, 2)}
        outcome = TESTS[name].run({"APR_MUTANT": str(number)}, limit=limits[name])
        spent += outcome.seconds
        tried.append(name)
        if not outcome.passed:
            return number, {"status": "caught", "by": name, "stage": TESTS[name].stage,
                            "how": outcome.how, "tried": tried, "seconds": round(spent, 2)}
    return number, {"status": "survived", "tried": tried, "seconds": round(spent, 2)}


def job_of(mutant, ranking, coverage, results, options):
    number = mutant["id"]
    before = results.data.get(str(number), {"tried": [], "seconds": 0})
    before = {**before, "tried": [n for n in before["tried"]
                                  if not any(m in n for m in options.measure)]}
    names = [n for n, facts in coverage.items()
             if facts["passed"] and number in facts["reached"] and n not in before["tried"] and
             n in TESTS and facts["seconds"] <= options.slowest]
    names.sort(key=lambda n: -ranking.score(mutant, n))
    limits = {n: max(10, 10 * coverage[n]["seconds"]) for n in names}
    return number, names, limits, options.budget + before["seconds"], before


def run_all(mutants, coverage, results, options):
    ranking = Ranking(coverage)
    by_number = {m["id"]: m for m in mutants}
    for number, result in results.data.items():
        if int(number) in by_number:
            ranking.learn(by_number[int(number)], result)
    waiting = [m for m in mutants
               if results.data.get(str(m["id"]), {}).get("status") != "caught" and
               (not options.only or m["id"] in options.only)]
    end = time.monotonic() + options.minutes * 60
    with multiprocessing.Pool(options.jobs) as pool:
        running = []
        while (waiting or running) and (running or time.monotonic() < end):
            while waiting and len(running) < options.jobs and time.monotonic() < end:
                job = job_of(waiting.pop(0), ranking, coverage, results, options)
                if job[1]:
                    running.append(pool.apply_async(test_mutant, (job,)))
                else:
                    status = "survived" if job[4]["tried"] else "unreached"
                    results.put(str(job[0]), {**job[4], "status": status})
            time.sleep(0.01)
            for done in [r for r in running if r.ready()]:
                running.remove(done)
                number, result = done.get()
                results.put(str(number), result)
                ranking.learn(by_number[number], result)
                report_one(by_number[number], result)


def report_one(mutant, result):
    what = f"{mutant['file']}:{mutant['line']} {mutant['kind']}"
    how = f"{result['how']} {result['by']}" if result["status"] == "caught" else result["status"]
    print(f"{mutant['id']:4} {what}: {how} ({len(result['tried'])} tests, "
          f"{result['seconds']:.1f} s)", flush=True)


def synchronize(source, build, coverage):
    """Takes the tests of the working tree; forgets what is known of those that changed."""
    changed = []
    for folder in (*suite.FOLDERS, "unit"):
        for path in sorted((ROOT / "test" / folder).rglob("*")):
            copy = source / path.relative_to(ROOT)
            if path.is_file() and "__pycache__" not in path.parts and \
                    (not copy.is_file() or copy.read_bytes() != path.read_bytes()):
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
                changed.append(str(path.relative_to(ROOT / "test")))
                coverage.data.pop(changed[-1], None)
    print(f"{len(changed)} files of tests are new: {', '.join(changed)}", flush=True)
    built = [p for p in suite.PROGRAMS if (build / "test" / "unit" / p).is_file()]
    if any(name.startswith("unit/") for name in changed):
        subprocess.run(["ninja", "-C", build, *built], check=True, stdout=subprocess.DEVNULL)


def main():
    global TESTS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path, help="the folder of mutate.py")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--minutes", type=float, default=1e6, help="start nothing after these")
    parser.add_argument("--budget", type=float, default=600,
                        help="processor seconds for one mutant before it waits for the next run")
    parser.add_argument("--slowest", type=float, default=1e6,
                        help="leave out tests that take longer than this many seconds")
    parser.add_argument("--tests", default="", help="only tests whose name contains this")
    parser.add_argument("--exclude", action="append", default=[], help="not these")
    parser.add_argument("--only", type=lambda s: {int(i) for i in s.split(",")},
                        help="only these mutants: 3,17")
    parser.add_argument("--measure", action="append", default=[], metavar="NAME",
                        help="measure the tests whose name contains this once more")
    parser.add_argument("--sync", action="store_true",
                        help="take the tests of the working tree first")
    parser.add_argument("--source", type=pathlib.Path, help="as given to mutate.py")
    options = parser.parse_args()

    folder = options.folder.resolve()
    build = folder / "build"
    coverage = Store(folder / "coverage.json")
    if options.sync:
        synchronize(options.source or folder / "source", build, coverage)
    tests = suite.all_tests(build, suite.lit_folder_of(build))
    TESTS = {n: t for n, t in tests.items()
             if options.tests in n and not any(e in n for e in options.exclude)}
    for name in [n for n in coverage.data if any(m in n for m in options.measure)]:
        del coverage.data[name]
    measure_all(coverage, list(TESTS), folder, options.jobs)
    record = json.loads((folder / "mutants.json").read_text())
    results = Store(folder / "results.json")
    run_all(record["mutants"], coverage.data, results, options)
    counts = collections.Counter(r["status"] for r in results.data.values())
    print(", ".join(f"{n} {status}" for status, n in counts.most_common()))


TESTS = {}

if __name__ == "__main__":
    main()
