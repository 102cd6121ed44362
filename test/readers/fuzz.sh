#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# fuzz.sh FOLDER RUNS [READER…]: build the fuzzers of the readers in FOLDER and give each so many runs.
set -eu
folder=$1
runs=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)

for version in "" -22 -21 -20 -19 -18 -17 -16 -15 -14; do
  if command -v "clang++$version" >/dev/null && command -v "clang$version" >/dev/null; then
    break
  fi
  version=none
done
if [ "$version" = none ]; then
  echo "fuzz-readers: no clang++ found; libFuzzer comes with it (Debian: apt-get install clang-19)." >&2
  echo "The inputs of the fuzzers are read by unit_runtime_train too, which needs no clang." >&2
  exit 1
fi

cmake -S "$here" -B "$folder" -G Ninja -DCMAKE_C_COMPILER="clang$version" \
  -DCMAKE_CXX_COMPILER="clang++$version" --log-level=WARNING
cmake --build "$folder"
for reader in ${*:-csv idx cifar npy npz gzip toml safetensors record}; do
  # New inputs go to a folder of the build; the corpus stays as it is.
  mkdir -p "$folder/corpus/$reader" "$folder/found"
  echo "fuzzing $reader: $runs runs"
  "$folder/fuzz_$reader" -runs="$runs" -max_len=8192 -timeout=20 -rss_limit_mb=3072 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="$folder/found/$reader-" \
    "$folder/corpus/$reader" "$here/corpus/$reader"
done
