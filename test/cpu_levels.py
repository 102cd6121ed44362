# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The CPU levels that this machine runs; codegen/target.cpp asks for the same features."""

_V2 = {"sse4_2", "ssse3", "popcnt"}
_V3 = _V2 | {"avx", "avx2", "abm", "bmi1", "bmi2", "f16c", "fma", "movbe"}
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}
_LEVELS = (("x86-64-v2", _V2), ("x86-64-v3", _V3), ("x86-64-v4", _V4))


def levels_of_this_machine():
    """Lowest first; none where it is no x86-64."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            line = next((line for line in info if line.startswith("flags")), "")
    except OSError:
        return []
    flags = set(line.split())
    return [name for name, needed in _LEVELS if needed <= flags]
