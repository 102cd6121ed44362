// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <algorithm>
#include <ctime>
#include <functional>
#include <vector>

namespace apr::bench {

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Seconds that this thread has computed.
inline double threadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

/// Seconds of computing of one call of each function: the median of rounds in which they take
/// turns, so that whatever else the machine does meets all of them alike.
inline std::vector<double> medians(const std::vector<std::function<void()>> &functions) {
  constexpr int kRounds = 31;
  constexpr double kSecondsOfARound = 3e-4;
  auto timeOf = [](const std::function<void()> &call, int calls) {
    const double begin = threadSeconds();
    for (int i = 0; i < calls; ++i)
      call();
    return (threadSeconds() - begin) / calls;
  };
  std::vector<int> calls;
  for (const auto &function : functions) {
    function();
    const double once = std::max(timeOf(function, 3), 1e-8);
    calls.push_back(std::clamp(static_cast<int>(kSecondsOfARound / once), 1, 100000));
  }
  std::vector<std::vector<double>> times(functions.size());
  for (int round = 0; round < kRounds; ++round)
    for (size_t i = 0; i < functions.size(); ++i)
      times[i].push_back(timeOf(functions[i], calls[i]));
  std::vector<double> result;
  for (auto &each : times)
    result.push_back(median(std::move(each)));
  return result;
}

} // namespace apr::bench
