// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/f64_errors.h"

#include "tools/exhaustive/f64_inputs.h"
#include "tools/exhaustive/reference.h"

namespace apr::exhaustive {
namespace {

void note(F64Error &error, double ulps, double x, double y) {
  ++error.inputs;
  if (ulps > error.ulps || error.inputs == 1)
    error = {.ulps = ulps, .x = x, .y = y, .inputs = error.inputs};
}

} // namespace

F64Error measure(const F64Function &function, uint64_t count, uint64_t seed) {
  F64Error error;
  Reference reference(function.kind);
  forEachF64Input(function, count, seed, [&](double x) {
    note(error, reference.errorInUlps(x, function.evaluate(x)), x, 0);
  });
  return error;
}

F64Error measure(const F64BinaryFunction &function, uint64_t count, uint64_t seed) {
  F64Error error;
  forEachF64Pair(function, count, seed, [&](double x, double y) {
    note(error, function.errorInUlps(x, y, function.evaluate(x, y)), x, y);
  });
  return error;
}

} // namespace apr::exhaustive
