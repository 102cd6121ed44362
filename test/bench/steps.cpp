// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Times of compiled models through their C functions: the training steps of the digit classifier and
// of a recurrent layer, and matrix products, with one worker and with one per CPU. Prints the best of
// several rounds.
#include "aprt.h"
#include "digits.h"
#include "gru.h"
#include "product.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <vector>

namespace {

struct Free {
  void operator()(void *block) const { std::free(block); }
};
using Block = std::unique_ptr<void, Free>;

Block newBlock(size_t bytes) {
  void *block = std::aligned_alloc(64, (bytes / 64 + 1) * 64);
  if (!block)
    throw std::bad_alloc();
  return Block(block);
}

struct PoolDeleter {
  void operator()(aprt_pool *pool) const { aprt_pool_destroy(pool); }
};
using Pool = std::unique_ptr<aprt_pool, PoolDeleter>;

// Seconds of one call, the best of rounds that take about a third of a second together.
double secondsOf(const std::function<void()> &call) {
  using Clock = std::chrono::steady_clock;
  auto timeOf = [&](int calls) {
    const auto begin = Clock::now();
    for (int i = 0; i < calls; ++i)
      call();
    return std::chrono::duration<double>(Clock::now() - begin).count() / calls;
  };
  const double first = std::max(timeOf(1), 1e-7);
  const int calls = std::clamp(static_cast<int>(0.02 / first), 1, 100000);
  double best = first;
  for (int round = 0; round < 15 && round * calls * first < 3; ++round)
    best = std::min(best, timeOf(calls));
  return best;
}

void require(aprt_status status) {
  if (status != APRT_OK) {
    std::fprintf(stderr, "bench: %s\n", aprt_status_text(status));
    std::exit(1);
  }
}

void benchDigits(aprt_pool *pool) {
  constexpr int64_t rows = 1797;
  std::vector<float> x(rows * 64);
  std::vector<int32_t> y(rows);
  for (int64_t i = 0; i < rows * 64; ++i)
    x[i] = static_cast<float>(i * 7 % 17) / 16;
  for (int64_t i = 0; i < rows; ++i)
    y[i] = static_cast<int32_t>(i % 10);
  const Block state = newBlock(digits_state_bytes());
  require(digits_init(state.get(), 1));
  for (int64_t batch : {32, 256}) {
    const size_t bytes = digits_step_workspace_bytes(aprt_pool_workers(pool), batch);
    const Block workspace = newBlock(bytes);
    const aprt_exec exec = aprt_pool_exec(pool, bytes);
    digits_step_out out = DIGITS_STEP_OUT_INIT;
    const double epoch = secondsOf([&] {
      for (int64_t row = 0; row + batch <= rows; row += batch)
        require(digits_step(&exec, state.get(), workspace.get(), batch, &x[row * 64], &y[row],
                            nullptr, &out));
    });
    std::printf("digits step      B=%-4lld workers=%-2u  %8.1f us   epoch of %lld rows %7.3f ms\n",
                static_cast<long long>(batch), aprt_pool_workers(pool),
                epoch * 1e6 / static_cast<double>(rows / batch), static_cast<long long>(rows),
                epoch * 1e3);
  }
}

void benchRecurrent(aprt_pool *pool) {
  constexpr int64_t rows = 32, steps = 64, inputs = 64;
  std::vector<float> x(rows * steps * inputs), y(rows * steps, 0.5f);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(i * 7 % 17) / 16;
  const Block state = newBlock(gru_state_bytes());
  require(gru_init(state.get(), 1));
  const size_t bytes = gru_step_workspace_bytes(aprt_pool_workers(pool), rows, steps);
  const Block workspace = newBlock(bytes);
  const aprt_exec exec = aprt_pool_exec(pool, bytes);
  gru_step_out out = GRU_STEP_OUT_INIT;
  const double seconds = secondsOf([&] {
    require(gru_step(&exec, state.get(), workspace.get(), rows, steps, x.data(), y.data(), nullptr,
                     &out));
  });
  std::printf("gru step         B=%-4lld workers=%-2u  %8.1f us   %lld steps of %.1f us\n",
              static_cast<long long>(rows), aprt_pool_workers(pool), seconds * 1e6,
              static_cast<long long>(steps), seconds * 1e6 / steps);
}

template <typename T, typename Function, typename Workspace>
void benchProduct(const char *name, aprt_pool *pool, Function function, Workspace workspaceBytes) {
  for (int64_t n : {64, 256, 512, 1024}) {
    const std::vector<T> a(n * n, T(0.5)), b(n * n, T(0.25));
    std::vector<T> c(n * n);
    const size_t bytes = workspaceBytes(aprt_pool_workers(pool), n, n, n);
    const Block workspace = newBlock(bytes);
    const aprt_exec exec = aprt_pool_exec(pool, bytes);
    const Block state = newBlock(product_state_bytes());
    require(product_init(state.get(), 1));
    const double seconds = secondsOf([&] {
      require(function(&exec, state.get(), workspace.get(), n, n, n, a.data(), b.data(), c.data()));
    });
    const double flops = 2.0 * static_cast<double>(n) * static_cast<double>(n * n);
    std::printf("matmul %s       n=%-5lld workers=%-2u %8.1f us   %7.2f GFLOP/s\n", name,
                static_cast<long long>(n), aprt_pool_workers(pool), seconds * 1e6,
                flops / seconds * 1e-9);
  }
}

} // namespace

int main() {
  std::vector<uint32_t> sizes = {1, 0};
  for (uint32_t workers : sizes) {
    const Pool pool(aprt_pool_create(workers));
    if (!pool || (workers == 0 && aprt_pool_workers(pool.get()) == 1))
      continue;
    benchDigits(pool.get());
    benchRecurrent(pool.get());
    benchProduct<float>("f32", pool.get(), product_single, product_single_workspace_bytes);
    benchProduct<double>("f64", pool.get(), product_double_precision,
                         product_double_precision_workspace_bytes);
  }
  return 0;
}
