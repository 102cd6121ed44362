// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/frontend.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace apr {

/// A condition of a test. Where it depends on tensors, results of the test's function say whether
/// it holds and, for comparisons, what was compared.
struct Expectation {
  Location location;
  /// Index of a bool result; every element must be true. Empty where the compiler knew the answer.
  std::optional<size_t> verdict;
  /// Results of one shape, that of the verdict; empty where the condition compares nothing.
  std::optional<size_t> left;
  std::optional<size_t> right;
  bool holds = true;   ///< without a verdict
  std::string message; ///< without a verdict: what was compared
};

/// A `test` block as an entry point without state. Its only argument, where it draws random
/// numbers, is an i64 `seed`.
struct LoweredTest {
  std::string title;
  Location location;
  std::optional<Function> function; ///< nothing where it has errors
  std::vector<Expectation> expectations;
};

struct TestOptions {
  FrontendOptions frontend;
  /// Which tests, by title; all where it is empty.
  std::function<bool(const std::string &title)> selects;
  /// Adds to a model's module what the tests call and the frontend does not make: the steps of
  /// train blocks.
  std::function<void(Module &, Diagnostics &)> complete;
};

/// Lowers the test blocks of a file. A model that a test makes is compiled as `compileModel` does,
/// and its init, entries and steps are inlined where the test calls them, so that what a test sees
/// is what the object does. Errors of one test do not keep the others from being lowered; nothing
/// where the file itself has errors.
std::optional<std::vector<LoweredTest>> lowerTests(SourceManager &sources, FileId file,
                                                   Diagnostics &diagnostics,
                                                   const TestOptions &options);

} // namespace apr
