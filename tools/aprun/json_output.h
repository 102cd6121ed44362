// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdio>

namespace apr::aprun {

/// Keeps standard output for JSON: while it lives, what is printed there otherwise goes to standard
/// error.
class JsonOutput {
public:
  JsonOutput();
  ~JsonOutput();
  JsonOutput(const JsonOutput &) = delete;
  JsonOutput &operator=(const JsonOutput &) = delete;

  std::FILE *file() const { return file_; }

private:
  std::FILE *file_;
};

} // namespace apr::aprun
