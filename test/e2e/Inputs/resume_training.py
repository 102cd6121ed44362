# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""resume_training.py stops STEPS|kills SEED COUNT APRUN ARGUMENTS…: trains once without a break, and once
with breaks: stopped after each of the steps (1,6,…), or killed at so many random moments, and resumed
on another number of threads each time. Everything that the two leave must be the same, but for what
record and history say of time and threads. The folders are called whole and broken."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time


def traces(folder):
    """All that must be the same, by name."""
    record = json.load(open(f"{folder}/run.json"))
    for key in ("started", "seconds", "threads"):
        del record["information"][key]
        del record["digests"]["members"][f"information.{key}"]
    del record["digests"]["record"]
    history = [json.loads(line) for line in open(f"{folder}/history.jsonl")]
    for line in history:
        del line["seconds"]
    found = {"run.json": record, "history.jsonl": history}
    for name in ("weights.safetensors", "state.safetensors", "steps.bin"):
        if os.path.exists(f"{folder}/{name}"):
            found[name] = hashlib.sha256(open(f"{folder}/{name}", "rb").read()).hexdigest()
    # The order of keys counts too.
    return {name: json.dumps(value) for name, value in found.items()}


def train(arguments, code):
    result = subprocess.run([aprun, "train", *arguments], capture_output=True, text=True)
    if result.returncode != code:
        sys.exit(f"{arguments}: exit code {result.returncode}, expected {code}:\n"
                 f"{result.stdout}{result.stderr}")


def compare(when):
    broken = traces("broken")
    for name, trace in whole.items():
        if broken.get(name) != trace:
            sys.exit(f"{name} is not the same {when}:\n{trace}\n{broken.get(name)}")


def stop(steps):
    for i, step in enumerate(steps):
        shutil.rmtree("broken", ignore_errors=True)
        train([*arguments, "--out", "broken", "--stop-after", str(step)], 130)
        # From the folder alone, or with the same command.
        command = ["broken"] if i % 2 else [*arguments, "--out", "broken"]
        train([*command, "--resume", "--threads", str(i % 3 + 1)], 0)
        compare(f"after a stop at step {step}")
    print(f"{len(steps)} resumed trainings are the whole one")


def kill(count):
    shutil.rmtree("broken", ignore_errors=True)
    killed = 0
    while killed < count:
        process = subprocess.Popen(
            [aprun, "train", *arguments, "--out", "broken", "--resume",
             "--threads", str(killed % 3 + 1)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(random.uniform(0.1, 0.9))
        process.send_signal(signal.SIGKILL)
        message = process.stderr.read().decode()
        code = process.wait()
        if code not in (0, -signal.SIGKILL) or message:
            sys.exit(f"after {killed} kills: exit code {code}: {message}")
        killed += code != 0
        if code == 0:
            compare(f"after {killed} kills")
            shutil.rmtree("broken")
    train([*arguments, "--out", "broken", "--resume"], 0)
    compare(f"after {killed} kills")
    print(f"killed {killed} times, resumed to the whole training")


if __name__ == "__main__":
    mode = sys.argv[1]
    rest = 3 if mode == "stops" else 4  # where aprun stands
    aprun, *arguments = sys.argv[rest:]
    shutil.rmtree("whole", ignore_errors=True)
    train([*arguments, "--out", "whole"], 0)
    whole = traces("whole")
    if mode == "stops":
        stop([int(step) for step in sys.argv[2].split(",")])
    else:
        random.seed(int(sys.argv[2]))
        kill(int(sys.argv[3]))
