# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Configuration of the text tests; test/README.md lists the substitutions and features."""

import os
import shutil
import subprocess
import sys

import lit.formats

sys.path.insert(0, os.path.join(config.apr_source_root, "test"))
from cpu_levels import levels_of_this_machine  # the folder is known only now

config.name = "aprc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".apir", ".apr", ".test"]
config.excludes = ["Inputs", "unit", "bench"]
config.test_source_root = os.path.join(config.apr_source_root, "test")
config.test_exec_root = os.path.join(config.apr_build_root, "test", "lit")

build = config.apr_build_root
tool_names = ("aprc", "apr-opt", "apr-run", "apr-fuzz", "aprun")
tools = {name: os.path.join(build, "tools", name, name) for name in tool_names}
aprt_include = os.path.join(config.apr_source_root, "runtime", "core", "include")
onnx_python = os.environ.get("APR_ONNX_PYTHON") or config.apr_python
torch_python = os.environ.get("APR_TORCH_PYTHON") or config.apr_python
data = os.environ.get("APR_DATA") or os.path.join(config.apr_source_root, "..", "shared", "data")

path = [os.path.dirname(tool) for tool in tools.values()]
path += [config.apr_llvm_tools_dir, config.environment["PATH"]]
config.environment["PATH"] = os.pathsep.join(path)
config.environment["NO_COLOR"] = "1"

# A longer name first: a substitution also replaces the start of a longer word.
config.substitutions += [
    ("%apr-opt", tools["apr-opt"]),
    ("%apr-run", tools["apr-run"]),
    ("%apr-fuzz", tools["apr-fuzz"]),
    ("%aprt_include", aprt_include),
    ("%aprt_lib", os.path.join(build, "runtime", "core", "libaprt.a")),
    ("%aprun", tools["aprun"]),
    ("%aprc", tools["aprc"]),
    ("%cc_aarch64", "aarch64-linux-gnu-gcc"),
    ("%qemu_aarch64", "qemu-aarch64 -L /usr/aarch64-linux-gnu"),
    ("%cc_riscv64", "riscv64-linux-gnu-gcc"),
    ("%cc", config.apr_cc),
    ("%cxx", config.apr_cxx),
    ("%cmake", config.apr_cmake),
    ("%python", config.apr_python),
    ("%torch_python", torch_python),
    ("%onnx_python", onnx_python),
    ("%data", data),
    ("%examples", os.path.join(config.apr_source_root, "docs", "examples")),
    ("%root", config.apr_source_root),
    ("%build", build),
]


def has_torch():
    find = "import importlib.util, sys; sys.exit(importlib.util.find_spec('torch') is None)"
    return subprocess.run([torch_python, "-c", find], check=False).returncode == 0


config.available_features.update(levels_of_this_machine())
if has_torch():
    config.available_features.add("pytorch")
if os.path.isdir(data):
    config.available_features.add("data")
if any(os.path.exists(os.path.join(folder, "mpfr.h")) for folder in ("/usr/include", "/usr/local/include")):
    config.available_features.add("mpfr")
for machine in ("aarch64", "riscv64"):
    if shutil.which(f"qemu-{machine}") and shutil.which(f"{machine}-linux-gnu-gcc"):
        config.available_features.add(f"qemu-{machine}")
