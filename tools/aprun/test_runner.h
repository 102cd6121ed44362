// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/lower_test.h"

#include <cstdint>
#include <string>
#include <vector>

namespace apr::aprun {

/// How tests are run.
struct TestRunOptions {
  bool interprets = true; ///< by the reference interpreter
  bool compiles = true;   ///< as compiled code, linked into this process
  std::string cpu = "native";
  std::string optimize; ///< "0" to "3"; empty: the default
  std::uint64_t seed = 0;
};

/// A condition that does not hold, or a difference between interpreter and compiled code.
struct TestFailure {
  Location location;
  std::string message;
};

struct TestOutcome {
  enum class Status { Passed, Failed, Broken } status = Status::Passed;
  std::string title;
  Location location;
  std::vector<TestFailure> failures;
};

/// Runs the tests of a file. Where both ways are chosen, every result must have the same bits.
/// `diagnostics` has no errors yet; with those of the passes no test runs.
std::vector<TestOutcome> runTests(const std::vector<LoweredTest> &tests,
                                  const TestRunOptions &options, Diagnostics &diagnostics);

} // namespace apr::aprun
