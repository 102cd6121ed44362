// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What this machine can do: f32 multiply-adds and bytes read per second, by one thread and by all.
// Prints one line of JSON. Compiled for the CPU it runs on; nothing else here is.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kLanes = 16;
#elif defined(__AVX__)
constexpr std::size_t kLanes = 8;
#else
constexpr std::size_t kLanes = 4;
#endif
using Vector [[gnu::vector_size(kLanes * sizeof(float))]] = float;

// As many chains as hide the latency of an addition behind a multiplication on two units.
constexpr std::size_t kChains = 12;

/// Floating-point operations made.
double multiplyAdd(long rounds, float *sink) {
  Vector sums[kChains] = {};
  Vector factor, term;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    factor[lane] = 0.9999f;
    term[lane] = 1e-3f;
  }
  for (long round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(factor), "+x"(term)); // another value each round, as far as it knows
    for (Vector &sum : sums)
      sum = sum * factor + term;
  }
  for (const Vector &sum : sums)
    *sink += sum[0];
  return 2.0 * static_cast<double>(rounds) * kChains * kLanes;
}

double readAll(const std::vector<float> &values, float *sink) {
  Vector sums[8] = {};
  const std::size_t step = kLanes * 8;
  for (std::size_t i = 0; i + step <= values.size(); i += step)
    for (std::size_t part = 0; part < 8; ++part) {
      Vector next;
      std::memcpy(&next, &values[i + part * kLanes], sizeof next);
      sums[part] += next;
    }
  for (const Vector &sum : sums)
    *sink += sum[0];
  return static_cast<double>(values.size() * sizeof(float));
}

/// The best rate of several trials in which all threads work at once.
template <typename Work> double bestRate(unsigned threads, Work work) {
  double best = 0;
  for (int trial = 0; trial < 7; ++trial) {
    std::vector<std::thread> others;
    std::vector<double> amounts(threads);
    const auto begin = std::chrono::steady_clock::now();
    for (unsigned t = 1; t < threads; ++t)
      others.emplace_back([&, t] { amounts[t] = work(t); });
    amounts[0] = work(0);
    for (std::thread &other : others)
      other.join();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    double total = 0;
    for (double amount : amounts)
      total += amount;
    best = std::max(best, total / seconds.count());
  }
  return best;
}

} // namespace

int main() {
  const unsigned all = std::max(1u, std::thread::hardware_concurrency());
  std::vector<float> sinks(all * 64);
  std::vector<std::vector<float>> memory(all, std::vector<float>(std::size_t{64} << 20, 1.0f));
  const auto compute = [&](unsigned t) { return multiplyAdd(30'000'000, &sinks[t * 64]); };
  const auto read = [&](unsigned t) { return readAll(memory[t], &sinks[t * 64]); };
  std::printf(
      "{\"threads\": %u, \"lanes\": %zu, \"flops\": [%.4g, %.4g], \"read\": [%.4g, %.4g]}\n", all,
      kLanes, bestRate(1, compute), bestRate(all, compute), bestRate(1, read), bestRate(all, read));
  return sinks[0] == 12345.0f;
}
