# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times compiled models beside the peers that this machine has: see ../README.md."""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys

import contenders
import page
from workloads import ALL

ROUND_SECONDS = 0.1


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, help="the build folder")
    parser.add_argument("--aprc", help="the compiler to measure; default that of the build")
    parser.add_argument("--python", default=sys.executable, help="a Python with PyTorch")
    parser.add_argument("--only", default="", metavar="REGEX", help="workloads to run")
    parser.add_argument("--peers", default="", metavar="REGEX", help="peers to run")
    parser.add_argument("--threads", default=f"1,{os.cpu_count()}", help="thread counts")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--html", metavar="FILE")
    return parser.parse_args()


def machine_of(build):
    done = subprocess.run([os.path.join(build, "test", "bench", "bench_machine")],
                          stdout=subprocess.PIPE, text=True, check=True)
    facts = json.loads(done.stdout)
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        line = next((line for line in file if line.startswith("model name")), "")
    facts["cpu"] = line.partition(":")[2].strip() or platform.machine()
    return facts


def start_all(workload, threads, ours, peers):
    """The contenders that are ready, ours first, and why others are not."""
    running, absent = [], []
    try:
        running.append(ours.start(workload, threads))
        for peer in peers:
            if not peer.takes(workload):
                continue
            try:
                running.append(peer.start(workload, threads))
            except contenders.Unavailable as error:
                absent.append(str(error))
    except BaseException:
        close_all(running)
        raise
    return running, absent


def close_all(running):
    for contender in running:
        contender.close()


def calls_of(contender):
    """How many calls make a round."""
    calls = 1
    while True:
        seconds = contender.seconds(calls)
        if seconds > ROUND_SECONDS / 4 or calls > 10**8:
            return max(1, round(calls * ROUND_SECONDS / max(seconds, 1e-9)))
        calls *= 4


def measure(workload, threads, ours, peers, rounds):
    """Seconds per call of each contender in each round; the rounds take turns."""
    running, absent = start_all(workload, threads, ours, peers)
    try:
        calls = [calls_of(contender) for contender in running]
        times = [[] for _ in running]
        for _ in range(rounds):
            for contender, count, found in zip(running, calls, times):
                found.append(contender.seconds(count) / count)
        return {
            "workload": workload.name, "kind": workload.kind, "threads": threads,
            "flops": workload.flops, "absent": absent, "facts": running[0].facts,
            "memory": {c.name: c.facts.get("memory") for c in running},
            "seconds": {c.name: found for c, found in zip(running, times)},
        }
    finally:
        close_all(running)


def judge(result, workload, is_all):
    """Adds medians, the best peer and the ratio of its time to ours."""
    medians = {name: statistics.median(found) for name, found in result["seconds"].items()}
    result["medians"] = medians
    others = {name: seconds for name, seconds in medians.items() if name != "aprc"}
    result["best"] = min(others, key=others.get) if others else None
    result["ratio"] = others[result["best"]] / medians["aprc"] if others else None
    result["required"] = workload.required[is_all]
    result["aim"] = workload.aim[is_all]
    return result


def time_text(seconds):
    for unit, scale in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def row_text(result, machine):
    seconds = result["medians"]["aprc"]
    peak = machine["flops"][result["threads"] > 1]
    share = f"{result['flops'] / seconds / peak:4.0%}" if result["flops"] else "    "
    text = f"{result['workload']:32} {result['threads']:2}T  {time_text(seconds):>8} {share}"
    if not result["best"]:
        return text + "  no peer"
    best = result["medians"][result["best"]]
    verdict = "" if result["ratio"] >= result["aim"] else \
        "below the aim" if result["ratio"] >= result["required"] else "BELOW WHAT IS REQUIRED"
    return (f"{text}  {result['best']:14} {time_text(best):>8}  {result['ratio']:7.2f} "
            f"({result['required']:g}, {result['aim']:g}) {verdict}").rstrip()


def main():
    options = arguments()
    machine = machine_of(options.build)
    worker = os.path.join(options.build, "test", "bench", "bench_gemm_worker")
    ours = contenders.Ours(options.build, os.path.join(options.build, "test", "bench", "programs"),
                           options.aprc)
    peers, absent = contenders.peers(options.python, worker)
    peers = [peer for peer in peers if re.search(options.peers, peer.name)]
    print(f"{machine['cpu']}, {machine['threads']} threads: f32 multiply-adds "
          f"{machine['flops'][0] / 1e9:.0f} and {machine['flops'][1] / 1e9:.0f} GFLOP/s, memory "
          f"{machine['read'][0] / 1e9:.0f} and {machine['read'][1] / 1e9:.0f} GB/s")
    for sentence in absent:
        print(f"absent: {sentence}")
    print("time of a call by 1 or all threads, share of the peak, the best peer, its time / ours "
          "(required, aim)")
    results = []
    for workload in ALL:
        if not re.search(options.only, workload.name):
            continue
        for threads in dict.fromkeys(int(text) for text in options.threads.split(",")):
            result = measure(workload, threads, ours, peers, options.rounds)
            results.append(judge(result, workload, threads > 1))
            print(row_text(result, machine), flush=True)
            for sentence in result["absent"]:
                print(f"  absent: {sentence}", flush=True)
    report = {"machine": machine, "results": results}
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    if options.html:
        with open(options.html, "w", encoding="utf-8") as file:
            file.write(page.html(report))


main()
