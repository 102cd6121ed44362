# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fail_training.py STRIDE LIBRARY APRUN ARGUMENTS…: trains with each STRIDE-th write, fsync, rename, open
and ftruncate of the run's folder failing in turn (fail_writes.c), in every way. Nothing may crash; what is
interrupted or short is finished; what fails is said; and what is left resumes to the same training."""

import os
import shutil
import subprocess
import sys

from resume_training import traces

stride, library, aprun, *arguments = sys.argv[1:]
folder = os.path.abspath("broken")


def train(options, kind="", at=0, count=""):
    environment = dict(os.environ, LD_PRELOAD=os.path.abspath(library), FAULT_FOLDER=folder,
                       FAULT_AT=str(at), FAULT_KIND=kind, FAULT_COUNT=count)
    return subprocess.run([aprun, "train", *arguments, "--out", "broken", *options],
                          capture_output=True, text=True, env=environment)


def fail(where, result):
    sys.exit(f"{where}: exit code {result.returncode}\n{result.stdout}{result.stderr}")


result = train([], count="count")
if result.returncode != 0:
    fail("without a fault", result)
whole = traces("broken")
operations = int(open("count").read())
seen = {"goes on": 0, "ends": 0}
tried = 0
for at in range(1, operations + 1):
    for i, kind in enumerate(("enospc", "eio", "full", "eintr", "short")):
        # All ways in turn, where not all operations are tried in all.
        if (5 * at + i) % int(stride):
            continue
        tried += 1
        shutil.rmtree("broken", ignore_errors=True)
        where = f"operation {at} of {operations}, {kind}"
        result = train([], kind, at)
        if result.returncode not in (0, 3):
            fail(where, result)
        if kind in ("eintr", "short") and (result.returncode or result.stderr):
            fail(f"{where} was not finished", result)
        if result.returncode == 3:
            seen["ends"] += 1
            lines = result.stderr.splitlines()
            reason = "Input/output error" if kind == "eio" else "No space left on device"
            if not any("error: cannot" in line and reason in line for line in lines):
                fail(f"{where} has no clear message", result)
            result = train(["--resume"])
            if result.returncode:
                fail(f"{where}: no resume", result)
        elif kind not in ("eintr", "short"):
            seen["goes on"] += 1
        found = traces("broken")
        for name, trace in whole.items():
            if found.get(name) != trace:
                fail(f"{where}: {name} is not the same", result)
        left = [name for _, _, names in os.walk("broken") for name in names if name.endswith(".tmp")]
        if left:
            fail(f"{where}: {left} is left", result)
print(f"{tried} faults of {operations} operations; goes on: {seen['goes on']}, ends: {seen['ends']}")
