// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/json_output.h"

#include "runtime/train/error.h"

#include <unistd.h>

namespace apr::aprun {

JsonOutput::JsonOutput() {
  std::fflush(stdout);
  const int kept = ::dup(STDOUT_FILENO);
  file_ = kept < 0 ? nullptr : ::fdopen(kept, "w");
  if (!file_ || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
    throw train::Error(train::ErrorKind::Data, {"<stdout>"}, "cannot be kept for JSON");
}

JsonOutput::~JsonOutput() {
  std::fflush(stdout);
  std::fflush(file_);
  ::dup2(::fileno(file_), STDOUT_FILENO);
  std::fclose(file_);
}

} // namespace apr::aprun
