# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# interrupt_training.sh HISTORY COMMAND…: runs a training and interrupts it once its history has lines;
# expects the exit code 130.
history=$1
shift
"$@" > /dev/null &
pid=$!
while kill -0 $pid 2> /dev/null && [ ! -s "$history" ]; do sleep 0.1; done
kill -INT $pid
wait $pid
code=$?
[ $code = 130 ] || { echo "expected exit code 130, found $code"; exit 1; }
