// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace apr::fuzz {

/// How a piece of work ended in a process of its own.
struct Ending {
  enum class Kind : unsigned char { Done, Crashed, TimedOut };
  Kind kind = Kind::Done;
  int signal = 0;
  std::string output; ///< what the work returned
};

/// Runs work in a child process, which may crash or hang; its memory is limited too.
Ending runIsolated(double seconds, const std::function<std::string()> &work);

/// Zeroed memory that child processes share with their parent.
void *sharedMemory(size_t bytes);
/// Called first in a child: nothing it does may exhaust the machine.
void limitMemory();

} // namespace apr::fuzz
