# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# expect_exit.sh CODE COMMAND…: fails with a line of its own where the command exits otherwise.
expected=$1
shift
"$@"
found=$?
[ $found -eq $expected ] || echo "EXIT CODE $found INSTEAD OF $expected"
