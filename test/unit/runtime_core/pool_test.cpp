// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "aprt.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

struct PoolDeleter {
  void operator()(aprt_pool *pool) const { aprt_pool_destroy(pool); }
};
using Pool = std::unique_ptr<aprt_pool, PoolDeleter>;

// Counts how often each block ran and whether worker numbers stayed in range and exclusive.
struct Job {
  explicit Job(int64_t n, uint32_t workers) : runs(n), inside(workers) {}

  static void run(void *arg, int64_t block, uint32_t worker) {
    auto &job = *static_cast<Job *>(arg);
    if (worker >= job.inside.size() || job.inside[worker].exchange(1) != 0) {
      ++job.faults;
      return;
    }
    ++job.runs[block];
    job.inside[worker] = 0;
  }

  bool everyBlockRanOnce() const {
    for (const auto &count : runs)
      if (count != 1)
        return false;
    return faults == 0;
  }

  std::vector<std::atomic<int>> runs;
  std::vector<std::atomic<int>> inside;
  std::atomic<int> faults = 0;
};

void sleepFor(int microseconds) {
  std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

class PoolWorkers : public testing::TestWithParam<uint32_t> {};

TEST_P(PoolWorkers, RunEveryBlockOnce) {
  Pool pool(aprt_pool_create(GetParam()));
  ASSERT_NE(pool, nullptr);
  const aprt_exec exec = aprt_pool_exec(pool.get(), 0);
  EXPECT_EQ(exec.workers, GetParam());
  for (int64_t n : {0, 1, 2, 3, 7, 63, 64, 65, 1000}) {
    Job job(n, exec.workers);
    exec.par_for(exec.ctx, n, Job::run, &job);
    EXPECT_TRUE(job.everyBlockRanOnce()) << "n = " << n;
  }
}

TEST_P(PoolWorkers, SurviveManySmallJobs) {
  Pool pool(aprt_pool_create(GetParam()));
  ASSERT_NE(pool, nullptr);
  const aprt_exec exec = aprt_pool_exec(pool.get(), 0);
  for (int round = 0; round < 3000; ++round) {
    const int64_t n = 1 + round % 9;
    Job job(n, exec.workers);
    exec.par_for(exec.ctx, n, Job::run, &job);
    ASSERT_TRUE(job.everyBlockRanOnce()) << "round " << round;
    if (round % 500 == 0)
      sleepFor(300); // long enough for idle workers to park
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PoolWorkers, testing::Values(1, 2, 3, 4, 7, 16, 33, 64));

TEST(Pool, WritesOfTasksAreVisibleToTheCaller) {
  Pool pool(aprt_pool_create(4));
  const aprt_exec exec = aprt_pool_exec(pool.get(), 0);
  std::vector<int64_t> squares(257);
  auto square = [](void *arg, int64_t block, uint32_t) {
    (*static_cast<std::vector<int64_t> *>(arg))[block] += block * block;
  };
  for (int round = 1; round <= 200; ++round) {
    exec.par_for(exec.ctx, 257, square, &squares);
    for (int64_t i = 0; i < 257; ++i)
      ASSERT_EQ(squares[i], round * i * i);
  }
}

TEST(Pool, UnevenBlocksAreShared) {
  Pool pool(aprt_pool_create(2));
  const aprt_exec exec = aprt_pool_exec(pool.get(), 0);
  // Block 0 waits until all others have run, so someone else must take them.
  struct Shared {
    std::atomic<int> others = 0;
  } shared;
  auto task = [](void *arg, int64_t block, uint32_t) {
    auto &shared = *static_cast<Shared *>(arg);
    if (block != 0)
      ++shared.others;
    else
      while (shared.others != 15)
        sleepFor(10);
  };
  exec.par_for(exec.ctx, 16, task, &shared);
  EXPECT_EQ(shared.others, 15);
}

// A nested call runs on the worker it comes from, under the same worker number.
TEST(Pool, NestedCallsRunOnTheirWorker) {
  struct Outer {
    aprt_exec exec;
    uint32_t worker = 0;
    std::thread::id thread;
    std::atomic<int> *inner;
    std::atomic<int> *wrong;
  };
  struct Context {
    aprt_exec exec;
    std::atomic<int> inner = 0;
    std::atomic<int> wrong = 0;
  } context;
  Pool pool(aprt_pool_create(4));
  context.exec = aprt_pool_exec(pool.get(), 0);
  auto innerTask = [](void *arg, int64_t, uint32_t worker) {
    auto &outer = *static_cast<Outer *>(arg);
    ++*outer.inner;
    if (worker != outer.worker || std::this_thread::get_id() != outer.thread)
      ++*outer.wrong;
  };
  static constexpr aprt_task inner = +innerTask;
  auto outerTask = [](void *arg, int64_t, uint32_t worker) {
    auto &context = *static_cast<Context *>(arg);
    Outer outer = {context.exec, worker, std::this_thread::get_id(), &context.inner,
                   &context.wrong};
    context.exec.par_for(context.exec.ctx, 5, inner, &outer);
    context.exec.par_for(context.exec.ctx, 1, inner, &outer);
  };
  for (int round = 0; round < 100; ++round)
    context.exec.par_for(context.exec.ctx, 20, outerTask, &context);
  EXPECT_EQ(context.inner, 100 * 20 * 6);
  EXPECT_EQ(context.wrong, 0);
}

// Two pools that call each other from their tasks must not wait for each other.
TEST(Pool, PoolsMayCallEachOther) {
  struct Context {
    aprt_exec first, second;
    std::atomic<int> leaves = 0;
  } context;
  Pool first(aprt_pool_create(3)), second(aprt_pool_create(3));
  context.first = aprt_pool_exec(first.get(), 0);
  context.second = aprt_pool_exec(second.get(), 0);
  static constexpr aprt_task leaf =
      +[](void *arg, int64_t, uint32_t) { ++static_cast<Context *>(arg)->leaves; };
  static constexpr aprt_task backToFirst = +[](void *arg, int64_t, uint32_t) {
    auto &context = *static_cast<Context *>(arg);
    context.first.par_for(context.first.ctx, 3, leaf, arg);
  };
  auto toSecond = [](void *arg, int64_t, uint32_t) {
    auto &context = *static_cast<Context *>(arg);
    context.second.par_for(context.second.ctx, 3, backToFirst, arg);
  };
  for (int round = 0; round < 50; ++round)
    context.first.par_for(context.first.ctx, 6, toSecond, &context);
  EXPECT_EQ(context.leaves, 50 * 6 * 3 * 3);
}

TEST(Pool, IsSharedByThreads) {
  Pool pool(aprt_pool_create(4));
  const aprt_exec exec = aprt_pool_exec(pool.get(), 0);
  std::atomic<int> failures = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller)
    callers.emplace_back([&] {
      for (int round = 0; round < 400; ++round) {
        Job job(1 + round % 13, exec.workers);
        exec.par_for(exec.ctx, 1 + round % 13, Job::run, &job);
        if (!job.everyBlockRanOnce())
          ++failures;
      }
    });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(failures, 0);
}

TEST(Pool, IsCreatedAndDestroyedQuickly) {
  for (uint32_t round = 0; round < 100; ++round) {
    Pool pool(aprt_pool_create(1 + round % 8));
    ASSERT_NE(pool, nullptr);
    if (round % 2 == 0) {
      const aprt_exec exec = aprt_pool_exec(pool.get(), 0);
      Job job(round, exec.workers);
      exec.par_for(exec.ctx, round, Job::run, &job);
      ASSERT_TRUE(job.everyBlockRanOnce());
    }
  }
}

TEST(Pool, SizesAreChecked) {
  EXPECT_EQ(aprt_pool_create(1025), nullptr);
  EXPECT_EQ(aprt_pool_create(UINT32_MAX), nullptr);
  Pool pool(aprt_pool_create(0));
  ASSERT_NE(pool, nullptr);
  EXPECT_GE(aprt_pool_workers(pool.get()), 1u);
  aprt_pool_destroy(nullptr);
}

TEST(Pool, NullPoolGivesASerialContext) {
  const aprt_exec exec = aprt_pool_exec(nullptr, 123);
  EXPECT_EQ(exec.size, sizeof(aprt_exec));
  EXPECT_EQ(exec.workers, 1u);
  EXPECT_EQ(exec.par_for, nullptr);
  EXPECT_EQ(exec.workspace_bytes, 123u);
  EXPECT_EQ(exec.row_offset, 0);
  EXPECT_EQ(aprt_pool_workers(nullptr), 1u);
}

TEST(Pool, WorksInAForkedChild) {
  Pool pool(aprt_pool_create(4));
  const aprt_exec exec = aprt_pool_exec(pool.get(), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Job job(100, exec.workers);
    exec.par_for(exec.ctx, 100, Job::run, &job);
    pool.reset();
    _exit(job.everyBlockRanOnce() ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

} // namespace
