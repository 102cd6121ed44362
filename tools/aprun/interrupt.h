// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

namespace apr::aprun {

/// While it lives, the first Ctrl-C (SIGINT) or SIGTERM only sets a flag; the second one ends the
/// program as usual.
class InterruptGuard {
public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard &) = delete;
  InterruptGuard &operator=(const InterruptGuard &) = delete;

  static bool isRequested();
};

} // namespace apr::aprun
