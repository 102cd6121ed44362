#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every CPU level that this machine has, with one thread and with three; then the largest size, which
# takes as long as all others, once:
#   probe_levels.sh APRC [options of probe.py]
set -e
folder=$(dirname "$0")
aprc=$1
shift
for cpu in $("$aprc" --cpu=help | grep -o 'x86-64-v[0-9]'); do
  case $cpu in
  x86-64-v3) grep -qw avx2 /proc/cpuinfo || continue ;;
  x86-64-v4) grep -qw avx512vl /proc/cpuinfo || continue ;;
  esac
  for workers in 1 3; do
    echo "$cpu, $workers threads:"
    python3 "$folder/probe.py" "$aprc" --flags="--cpu=$cpu" --workers $workers "$@"
  done
done
[ $# -gt 0 ] || python3 "$folder/probe.py" "$aprc" --workers 3 --sizes 9000
