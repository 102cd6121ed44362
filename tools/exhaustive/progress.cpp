// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace apr::exhaustive {

std::string describeSeconds(double seconds) {
  auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole < 60)
    return fmt::format("{} s", whole);
  if (whole < 3600)
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

Progress::Progress(uint64_t total, uint64_t done)
    : total_(total), before_(done), done_(done), isTerminal_(isatty(STDERR_FILENO) == 1) {}

void Progress::advance(const std::string &name) {
  std::lock_guard lock(mutex_);
  ++done_;
  auto now = Clock::now();
  if (now - printed_ >= std::chrono::seconds(isTerminal_ ? 1 : 30))
    print(name, now);
}

void Progress::advanceTo(uint64_t done) {
  std::lock_guard lock(mutex_);
  done_ = done;
}

void Progress::print(const std::string &name, Clock::time_point now) {
  printed_ = now;
  double seconds = std::chrono::duration<double>(now - start_).count();
  double left = seconds * static_cast<double>(total_ - std::min(total_, done_)) /
                static_cast<double>(std::max<uint64_t>(1, done_ - before_));
  std::string line = fmt::format("{}: {:.1f} % of all, about {} left", name,
                                 100 * static_cast<double>(done_) / static_cast<double>(total_),
                                 describeSeconds(left));
  if (isTerminal_)
    fmt::print(stderr, "\r{:<70}", line);
  else
    fmt::print(stderr, "{}\n", line);
  hasOpenLine_ = isTerminal_;
  std::fflush(stderr);
}

void Progress::pause() {
  std::lock_guard lock(mutex_);
  if (hasOpenLine_)
    fmt::print(stderr, "\r{:<70}\r", "");
  hasOpenLine_ = false;
}

} // namespace apr::exhaustive
