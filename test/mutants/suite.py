# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The tests that mutants are run against, each as a thing that can be run alone.

A GoogleTest case is a test, and so is a file of the text tests; lit runs those in a child of this
process, because starting lit for each would cost more than most tests do.
"""

import dataclasses
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

# From cheap and telling to slow; a folder not named here comes last.
FOLDERS = ("ops", "passes", "codegen", "diagnostics", "lang", "tools", "e2e")
PROGRAMS = ("unit_ir", "unit_passes", "unit_codegen_abi", "unit_codegen_kernels", "unit_interp",
            "unit_functions", "unit_frontend")
FUZZ_SEED, FUZZ_SAMPLES, FUZZ_GRAPHS = 4, 8, 12
MEMORY_LIMIT = 8 << 30


@dataclasses.dataclass
class Outcome:
    passed: bool
    how: str  # passed, failed, crashed, hung
    seconds: float  # of the processor


@dataclasses.dataclass
class Test:
    name: str
    stage: str
    action: object  # called in a child process; returns its exit status

    def run(self, environment, limit=None):
        """Runs in a process group of its own; `limit` is in seconds of the processor."""
        pid = os.fork()
        if pid == 0:
            self.child(environment, limit)
        return await_child(pid, None if limit is None else 60 + 20 * limit)

    def child(self, environment, limit):
        status = 99
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            if limit is not None:
                seconds = int(limit) + 1
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
            null = os.open(os.devnull, os.O_RDWR)
            if "APR_MUTANTS_VERBOSE" not in os.environ:
                os.dup2(null, 1)
                os.dup2(null, 2)
            os.dup2(null, 0)
            os.environ.update(environment)
            status = self.action(environment)
        finally:
            os._exit(status)


def await_child(pid, limit):
    start = time.monotonic()
    pause = 0.002
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        if limit is not None and time.monotonic() - start > limit:
            kill_group(pid)
            os.wait4(pid, 0)
            return Outcome(False, "hung", limit)
        time.sleep(pause)
        pause = min(0.05, pause * 1.3)
    kill_group(pid)  # what the test left behind
    seconds = usage.ru_utime + usage.ru_stime
    if os.WIFSIGNALED(status):
        hung = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return Outcome(False, "hung" if hung else "crashed", seconds)
    return Outcome(os.WEXITSTATUS(status) == 0, "passed" if status == 0 else "failed", seconds)


def kill_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


# -- GoogleTest -----------------------------------------------------------------------------------


def unit_tests(build):
    for program in PROGRAMS:
        path = build / "test" / "unit" / program
        if not path.is_file():
            continue
        listed = subprocess.run([path, "--gtest_list_tests"], capture_output=True, text=True,
                                check=True)
        suite = ""
        for line in listed.stdout.splitlines():
            if not line.startswith(" "):
                suite = line.split()[0] if line.split() else ""
            elif suite.endswith("."):
                yield unit_test(path, program, suite + line.split()[0])


def unit_test(path, program, case):
    def run(_):
        os.execv(path, [str(path), f"--gtest_filter={case}", "--gtest_brief=1"])
    return Test(f"{program}:{case}", program, run)


# -- random graphs --------------------------------------------------------------------------------


def fuzz_tests(build):
    """Samples of the differential fuzzer, as cheap as a test."""
    path = build / "tools" / "apr-fuzz" / "apr-fuzz"
    if path.is_file():
        for sample in range(FUZZ_SAMPLES):
            yield fuzz_test(path, sample)


def fuzz_test(path, sample):
    def run(_):
        os.execv(path, [str(path), f"--seed={FUZZ_SEED}", f"--first={FUZZ_GRAPHS * sample}",
                        f"--graphs={FUZZ_GRAPHS}", "--jobs=1", "--reductions=0",
                        "--seconds-per-graph=300"])
    return Test(f"apr-fuzz:{sample}", "apr-fuzz", run)


# -- lit ------------------------------------------------------------------------------------------


def text_tests(build, lit_folder):
    sys.path.insert(0, str(lit_folder))
    import lit.discovery
    import lit.LitConfig
    config = lit.LitConfig.LitConfig(
        progname="lit", path=[], quiet=True, useValgrind=False, valgrindLeakCheck=False,
        valgrindArgs=[], noExecute=False, debug=False, isWindows=False, order="smart", params={})
    tests = lit.discovery.find_tests_for_inputs(config, [str(build / "test")])
    for test in tests:
        yield text_test(test, config)


def text_test(test, config):
    def run(environment):
        test.config.environment.update(environment)
        # Several mutants may run the same test at a time.
        scratch = tempfile.mkdtemp(prefix="mutant")
        test.suite.exec_root = scratch
        try:
            return run_text(test, config)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return Test("/".join(test.path_in_suite), "lit:" + test.path_in_suite[0], run)


def run_text(test, config):
    result = test.config.test_format.execute(test, config)
    code, output = result if isinstance(result, tuple) else (result.code, result.output)
    if "APR_MUTANTS_VERBOSE" in os.environ:
        print(output)
    return 1 if code.isFailure else 0


def stage_rank(test):
    folder = test.stage.removeprefix("lit:")
    if folder in FOLDERS:
        return 10 + FOLDERS.index(folder)
    return PROGRAMS.index(folder) if folder in PROGRAMS else 30


def all_tests(build, lit_folder):
    tests = [*unit_tests(build), *fuzz_tests(build), *text_tests(build, lit_folder)]
    return {t.name: t for t in sorted(tests, key=lambda t: (stage_rank(t), t.name))}


def lit_folder_of(build):
    for line in pathlib.Path(build / "CMakeCache.txt").read_text().splitlines():
        if line.startswith("APR_LIT:"):
            return pathlib.Path(line.split("=", 1)[1]).resolve().parent
    sys.exit("mutants: the build knows no lit")
