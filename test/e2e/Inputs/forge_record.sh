# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# forge_record.sh PYTHON record_digests.py APRUN RUN LEAF VALUE CODE: verifies a copy of a run in
# which one leaf of the record is another and all digests are made anew; expects the exit code.
rm -rf forgery && cp -r "$4" forgery && "$1" "$2" forge forgery "$5" "$6" || exit 99
"$3" verify forgery
code=$?
[ "$code" = "$7" ] || { echo "expected exit code $7, found $code"; exit 98; }
