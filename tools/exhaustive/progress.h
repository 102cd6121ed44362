// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace apr::exhaustive {

/// A line on stderr about how far a long run is and when it will be done: rewritten in place on a
/// terminal, a new one every half minute elsewhere. Threads may share one.
class Progress {
public:
  /// `total` and `done` count in one unit, blocks say; `done` is what an earlier run left.
  Progress(uint64_t total, uint64_t done);

  /// Another one is done, of the thing with this name.
  void advance(const std::string &name);
  /// So many are done in all, those of other processes included.
  void advanceTo(uint64_t done);
  /// Ends the line, so that other text can follow.
  void pause();

private:
  using Clock = std::chrono::steady_clock;
  void print(const std::string &name, Clock::time_point now);

  std::mutex mutex_;
  const uint64_t total_, before_;
  uint64_t done_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point printed_ = start_;
  const bool isTerminal_;
  bool hasOpenLine_ = false;
};

/// 95 s is "1 min 35 s".
std::string describeSeconds(double seconds);

} // namespace apr::exhaustive
