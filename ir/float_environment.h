// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cfenv>

namespace apr {

/// While one lives, its thread rounds to nearest and keeps subnormals, whatever the program around
/// has set; a library linked with -ffast-math is enough to change that. Numbers that are read,
/// computed or printed at compile time thus have the same bits in every host.
class FloatEnvironment {
public:
  FloatEnvironment() {
    std::fegetenv(&saved_);
    std::fesetenv(FE_DFL_ENV);
  }
  ~FloatEnvironment() { std::fesetenv(&saved_); }
  FloatEnvironment(const FloatEnvironment &) = delete;
  FloatEnvironment &operator=(const FloatEnvironment &) = delete;

private:
  std::fenv_t saved_;
};

} // namespace apr
