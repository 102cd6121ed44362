// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-fuzz/campaign.h"

#include "ir/text.h"
#include "tools/apr-fuzz/isolation.h"
#include "tools/apr-fuzz/reduce.h"
#include "tools/apr-fuzz/trial.h"
#include "tools/graph_generator/coverage.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

namespace apr::fuzz {
namespace {

double now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What a worker and its parent share.
struct Desk {
  static constexpr size_t kMaximumFindings = 64;
  std::atomic<uint64_t> next;  ///< the graph that is being tried, or comes next
  std::atomic<double> started; ///< when it was begun
  std::atomic<uint64_t> findingCount;
  uint64_t findings[kMaximumFindings];
  Tally tally;
};

void note(Desk &desk, uint64_t index) {
  if (desk.findingCount < Desk::kMaximumFindings) {
    desk.findings[desk.findingCount] = index;
    ++desk.findingCount;
  }
}

void countOps(Tally &tally, const Trial &trial, const TrialResult &result) {
  std::set<OpKind> computed = result.ops;
  computed.merge(opsOf(trial.module));
  for (OpKind kind : computed)
    ++tally.computed[static_cast<size_t>(kind)];
  for (OpKind kind : differentiatedOpsOf(trial.module))
    ++tally.differentiated[static_cast<size_t>(kind)];
}

/// Tries the graphs from desk.next to `end`.
void work(Desk &desk, uint64_t seed, uint64_t end) {
  for (; desk.next < end; ++desk.next) {
    const uint64_t index = desk.next;
    desk.started = now();
    const Trial trial = makeTrial(seed, index);
    const TrialResult result = runTrial(trial);
    Tally &tally = desk.tally;
    ++tally.graphs;
    ++tally.graphsByMode[static_cast<size_t>(recipeOf(seed, index).mode)];
    tally.calls += result.calls;
    tally.refusedCalls += result.refusedCalls;
    const bool isRefused = result.finding && result.finding->kind == Finding::Kind::Refused;
    tally.refusedGraphs += isRefused ? 1 : 0;
    if (!isRefused)
      countOps(tally, trial, result);
    if (!result.finding || isRefused)
      continue;
    ++(result.finding->kind == Finding::Kind::Failure ? tally.failures : tally.differences);
    fmt::print(stderr, "\n{}:{}: {}\n  {}\n", seed, index, str(trial.configuration),
               result.finding->text);
    note(desk, index);
  }
}

/// Set by signals that ask for an end.
std::atomic<bool> isInterrupted = false;

/// Ends a run as its limits do: with a summary and a record.
void endOnSignals() {
  struct sigaction action{};
  action.sa_handler = [](int) { isInterrupted = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// A worker process and its desk.
struct Worker {
  Desk *desk = nullptr;
  pid_t process = 0;
  uint64_t end = 0;
  uint64_t reduced = 0; ///< findings that are handed to reduction

  bool isBusy() const { return process != 0; }
};

class Campaign {
public:
  explicit Campaign(const CampaignOptions &options)
      : options_(options), next_(options.first), start_(now()), workers_(options.jobs) {
    for (Worker &worker : workers_)
      worker.desk = new (sharedMemory(sizeof(Desk))) Desk();
    if (!options.out.empty())
      std::filesystem::create_directories(options.out);
    endOnSignals();
  }

  uint64_t run() {
    for (;;) {
      bool isBusy = false;
      for (Worker &worker : workers_) {
        if (!worker.isBusy() && !isOver())
          begin(worker);
        if (worker.isBusy())
          watch(worker);
        isBusy = isBusy || worker.isBusy();
      }
      collectFindings();
      if (!isBusy && isOver())
        break;
      showProgress();
      usleep(10000);
    }
    waitForReducer();
    return finish();
  }

private:
  bool isOver() const {
    return isInterrupted || next_ >= options_.first + options_.graphs ||
           (options_.seconds > 0 && now() - start_ >= options_.seconds);
  }

  void begin(Worker &worker) {
    // Few, because a worker goes on to the end of its share when the time is over.
    constexpr uint64_t kGraphsPerWorker = 50;
    worker.desk->next = next_;
    worker.end = std::min(next_ + kGraphsPerWorker, options_.first + options_.graphs);
    next_ = worker.end;
    start(worker);
  }

  void start(Worker &worker) {
    worker.desk->started = now();
    std::fflush(nullptr);
    worker.process = fork();
    if (worker.process < 0)
      throw std::runtime_error("no process for a worker");
    if (worker.process == 0) {
      signal(SIGINT, SIG_IGN); // the parent lets it come to the end of its share
      signal(SIGTERM, SIG_IGN);
      limitMemory();
      work(*worker.desk, options_.seed, worker.end);
      std::fflush(nullptr);
      _exit(0);
    }
  }

  void watch(Worker &worker) {
    int status = 0;
    if (waitpid(worker.process, &status, WNOHANG) == worker.process) {
      worker.process = 0;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return;
      blame(worker, WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                        : fmt::format("exit code {}", WEXITSTATUS(status)));
      ++worker.desk->tally.crashes;
    } else if (now() - worker.desk->started > options_.secondsPerGraph) {
      kill(worker.process, SIGKILL);
      waitpid(worker.process, &status, 0);
      worker.process = 0;
      blame(worker, "no end in sight");
      ++worker.desk->tally.hangs;
    }
  }

  /// The graph that a worker was trying is a finding; another worker goes on behind it. A worker
  /// that dies behind the last of its graphs is the fault of that one, which is counted already.
  void blame(Worker &worker, const std::string &what) {
    const bool isBehind = worker.desk->next >= worker.end;
    const uint64_t index = isBehind ? worker.end - 1 : worker.desk->next.load();
    fmt::print(stderr, "\n{}:{}: {}{}\n", options_.seed, index, what, isBehind ? " behind it" : "");
    worker.desk->tally.graphs += isBehind ? 0 : 1;
    note(*worker.desk, index);
    worker.desk->next = index + 1;
    if (worker.desk->next < worker.end)
      start(worker);
  }

  void collectFindings() {
    for (Worker &worker : workers_)
      for (; worker.reduced < worker.desk->findingCount; ++worker.reduced)
        findings_.push_back(worker.desk->findings[worker.reduced]);
    if (reducer_ != 0 && waitpid(reducer_, nullptr, WNOHANG) == reducer_)
      reducer_ = 0;
    if (reducer_ != 0 || reduced_ >= std::min<size_t>(findings_.size(), options_.reductions))
      return;
    const uint64_t index = findings_[reduced_++];
    std::fflush(nullptr);
    reducer_ = fork();
    if (reducer_ == 0) {
      reduceFinding(options_.seed, index, options_.out);
      std::fflush(nullptr);
      _exit(0);
    }
  }

  void waitForReducer() {
    for (;;) {
      collectFindings();
      if (reducer_ == 0)
        return;
      usleep(10000);
    }
  }

  Tally total() const {
    Tally sum;
    for (const Worker &worker : workers_)
      sum.add(worker.desk->tally);
    return sum;
  }

  void showProgress() {
    const double elapsed = now() - start_;
    if (elapsed - shown_ < (isatty(2) ? 1 : 60))
      return;
    shown_ = elapsed;
    writeLog();
    const Tally tally = total();
    fmt::print(stderr, "{}{} graphs, {:.1f} per second, {} findings{}", isatty(2) ? "\r" : "",
               tally.graphs, static_cast<double>(tally.graphs) / elapsed, tally.findings(),
               isatty(2) ? " " : "\n");
  }

  RunFacts facts() const {
    RunFacts facts{options_.seed,   options_.first, now() - start_,
                   options_.commit, hostCpus(),     findings_};
    std::ranges::sort(facts.findings);
    return facts;
  }

  void writeLog() const {
    if (!options_.log.empty())
      std::ofstream(options_.log, std::ios::binary) << json(total(), facts());
  }

  uint64_t finish() {
    fmt::print("{}{}", isatty(2) ? "\n" : "", summary(total(), facts()));
    writeLog();
    return total().findings();
  }

  const CampaignOptions &options_;
  uint64_t next_;
  double start_;
  double shown_ = 0;
  std::vector<Worker> workers_;
  std::vector<uint64_t> findings_;
  size_t reduced_ = 0;
  pid_t reducer_ = 0;
};

} // namespace

uint64_t runCampaign(const CampaignOptions &options) { return Campaign(options).run(); }

bool replay(uint64_t seed, uint64_t index, const std::string &out) {
  const Trial trial = makeTrial(seed, index);
  std::string sizes;
  for (const auto &[name, size] : trial.dims)
    sizes += fmt::format(" {}={}", name, size);
  fmt::print("{}// sizes:{}\n// configuration: {}\n", print(trial.module), sizes,
             str(trial.configuration));
  std::fflush(nullptr);
  const auto finding = tryIsolated(trial);
  fmt::print("// {}\n", finding ? finding->text : "no difference");
  std::fflush(nullptr);
  if (!finding || finding->kind == Finding::Kind::Refused)
    return true;
  reduceFinding(seed, index, out);
  return false;
}

} // namespace apr::fuzz
