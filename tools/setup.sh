#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs what building needs and this machine lacks, through apt: Debian 12 or 13, Ubuntu 24.04.
#   tools/setup.sh         what the compiler and its tools need
#   tools/setup.sh tests   and what only the tests and `make bits` use
#                          (MPFR; cross compilers and an emulator for aarch64 and riscv64)
#   tools/setup.sh bench   and the libraries that `make bench` compares with
# Asks nothing. Does nothing where everything is present. LLVM=22 chooses a version of LLVM.
set -eu

say() { printf 'setup: %s\n' "$*"; }

fail() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

is_installed() {
  dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -q '^installed'
}

is_available() {
  apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [0-9]'
}

cross=''
if [ "$(uname -m)" = x86_64 ]; then
  cross='gcc-aarch64-linux-gnu libc6-dev-arm64-cross
    gcc-riscv64-linux-gnu libc6-dev-riscv64-cross qemu-user'
fi
build_packages='g++ make cmake ninja-build python3 libfmt-dev libcli11-dev nlohmann-json3-dev
  zlib1g-dev libzip-dev libgtest-dev'
test_packages="libmpfr-dev $cross"
bench_packages='python3-venv libopenblas0-pthread libdnnl2 libsleef-dev'
supported_llvm='19 20 21 22'

wanted=$build_packages
case "${1:-}" in
  '') ;;
  tests) wanted="$wanted $test_packages" ;;
  bench) wanted="$wanted $bench_packages" ;;
  *) fail "unknown argument '$1'; expected 'tests', 'bench' or nothing" ;;
esac

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  say 'no apt on this machine; install by hand what its packages are called here:'
  say "llvm-19-dev llvm-19-tools" $wanted
  exit 0
fi

# The first pass looks for an installed LLVM, the second for one that apt offers.
choose_llvm() {
  for version in ${LLVM:-$supported_llvm}; do
    if "$1" "llvm-$version-dev"; then
      llvm=$version
      return 0
    fi
  done
  return 1
}

missing_of() {
  missing=''
  for package in "$@"; do
    is_installed "$package" || missing="$missing $package"
  done
}

llvm=''
choose_llvm is_installed || true
if [ -n "$llvm" ]; then
  missing_of $wanted "llvm-$llvm-dev" "llvm-$llvm-tools"
  if [ -z "$missing" ]; then
    say "everything is present (LLVM $llvm)"
    exit 0
  fi
fi

as_root=''
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail 'packages are missing and there is neither root nor sudo'
  as_root=sudo
fi

say 'reading the package lists (apt-get update)'
$as_root apt-get -o Acquire::Retries=3 -qq update
if [ -z "$llvm" ]; then
  choose_llvm is_available || fail "apt offers no llvm-N-dev with N in: ${LLVM:-$supported_llvm}"
fi
missing_of $wanted "llvm-$llvm-dev" "llvm-$llvm-tools"
say "installing:$missing"
$as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -qq install -y \
  --no-install-recommends $missing >/dev/null
say 'done'
