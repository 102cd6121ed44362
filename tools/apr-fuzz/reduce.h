// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/apr-fuzz/trial.h"

namespace apr::fuzz {

/// Runs a trial in a process of its own; a crash or a hang is a Failure.
std::optional<Finding> tryIsolated(const Trial &trial);

/// A trial as small as can be found in two minutes that fails in the same way as `trial`, which
/// gives `finding`: one function with few ops, values cut off by inputs, small sizes, simple
/// numbers and a plain configuration.
struct Reduced {
  Trial trial;
  Finding finding;
};
Reduced reduce(Trial trial, Finding finding);

/// The text of a file that apr-run can run.
std::string testText(const Reduced &reduced, const std::string &origin);

/// Reduces one trial of a run and writes it to `folder`/SEED-INDEX.apir, or prints it.
void reduceFinding(uint64_t seed, uint64_t index, const std::string &folder);

} // namespace apr::fuzz
