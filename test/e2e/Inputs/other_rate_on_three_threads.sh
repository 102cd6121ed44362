#!/bin/sh
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Stands for an aprun whose bits depend on the number of threads.
case "$*" in
*"--threads 3"*) exec aprun "$@" --hyper lr=0.0010001 ;;
*) exec aprun "$@" ;;
esac
