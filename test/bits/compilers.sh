#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Builds aprc once more with every other LLVM and C++ compiler that this machine has, for `make bits`:
#   test/bits/compilers.sh BUILD      makes BUILD-llvm20, BUILD-llvm22, BUILD-clang …
set -eu

build=${1:?usage: compilers.sh BUILD}
root=$(cd "$(dirname "$0")/../.." && pwd)
main_llvm=$(sed -n 's|^LLVM_DIR:.*/llvm-\([0-9]*\)/.*|\1|p' "$build/CMakeCache.txt")

build_one() {
  name=$1
  shift
  echo "bits: building $build-$name/tools/aprc/aprc"
  launcher=$(command -v ccache || true)
  cmake -S "$root" -B "$build-$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$launcher" --log-level=WARNING "$@"
  cmake --build "$build-$name" --target aprc
}

for version in 20 21 22; do
  [ "$version" != "$main_llvm" ] && [ -d "/usr/lib/llvm-$version/include" ] || continue
  build_one "llvm$version" -DAPR_LLVM_VERSION="$version"
done
for clang in clang++ clang++-19 clang++-20 clang++-21 clang++-22; do
  command -v "$clang" >/dev/null || continue
  build_one clang -DCMAKE_CXX_COMPILER="$clang" -DCMAKE_C_COMPILER="$(echo "$clang" | sed s/++//)" \
    -DAPR_LLVM_VERSION="$main_llvm"
  break
done
