// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/number.h"
#include "runtime/train/record.h"
#include "runtime/train/sampling.h"
#include "runtime/train/suggestion.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/interrupt.h"
#include "tools/aprun/session.h"
#include "tools/aprun/training.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sys/wait.h>
#include <unistd.h>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;

/// One thing that a sweep varies: a hyperparameter by its full name, or a setting by its flag.
struct Axis {
  std::string name;
  const train::SettingInfo *setting = nullptr;
  std::vector<std::string> values;

  std::string flagValue(const std::string &value) const {
    return std::string_view(setting->flag) == "hyper" ? name + "=" + value : value;
  }
};

/// One training of the sweep.
struct Trial {
  std::size_t number = 0;
  std::vector<std::string> values; ///< one per axis
  std::uint64_t fold = 0;          ///< 0: without folds
  std::string folder;
  int exitCode = -1;
  std::optional<double> figure;
  std::string metric;
  std::uint64_t steps = 0;
  std::string digest; ///< of the training
};

[[noreturn]] void fail(const std::string &message) {
  throw Error(ErrorKind::Usage, {"--grid"}, message);
}

Axis axisOf(const std::string &name, const train::Model &model) {
  constexpr std::string_view settings[] = {"batch",    "seed",      "epochs", "steps",
                                           "patience", "min-delta", "limit"};
  Axis axis{name, nullptr, {}};
  if (std::find(std::begin(settings), std::end(settings), name) != std::end(settings)) {
    axis.setting = train::settingOfFlag(name);
    return axis;
  }
  axis.name = model.hyper(name).name;
  axis.setting = train::settingOfFlag("hyper");
  return axis;
}

/// "lr=0.1,0.01,batch=16,32": a name begins a new axis.
std::vector<Axis> axesOf(std::string_view text, const train::Model &model) {
  std::vector<Axis> axes;
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view word = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    if (const auto equals = word.find('='); equals != std::string_view::npos) {
      axes.push_back(axisOf(std::string(word.substr(0, equals)), model));
      word.remove_prefix(equals + 1);
    }
    if (axes.empty() || word.empty())
      fail(fmt::format("expected NAME=VALUE,VALUE, found {}", train::inQuotes(word)));
    axes.back().values.emplace_back(word);
  }
  for (std::size_t i = 0; i < axes.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (axes[i].name == axes[k].name)
        fail(fmt::format("{} is varied twice", axes[i].name));
  // A wrong value is found before anything is trained.
  for (const Axis &axis : axes)
    for (const std::string &value : axis.values) {
      train::RunSettings settings;
      train::applyFlag(settings, *axis.setting, axis.flagValue(value));
    }
  return axes;
}

std::vector<std::vector<std::string>> combinationsOf(const std::vector<Axis> &axes) {
  constexpr std::size_t most = 10'000;
  std::vector<std::vector<std::string>> all = {{}};
  for (const Axis &axis : axes) {
    std::vector<std::vector<std::string>> longer;
    if (all.size() * axis.values.size() > most)
      fail(fmt::format("the grid has more than {} combinations", most));
    for (const auto &combination : all)
      for (const std::string &value : axis.values) {
        longer.push_back(combination);
        longer.back().push_back(value);
      }
    all = std::move(longer);
  }
  return all;
}

/// So many of them, drawn by the seed, in their order.
std::vector<std::vector<std::string>> drawn(std::vector<std::vector<std::string>> all,
                                            std::uint64_t count, std::uint64_t seed) {
  if (count == 0 || count >= all.size())
    return all;
  auto order = train::permutation(seed, 0, "sweep", all.size());
  order.resize(count);
  std::sort(order.begin(), order.end());
  std::vector<std::vector<std::string>> chosen;
  for (const std::size_t index : order)
    chosen.push_back(std::move(all[index]));
  return chosen;
}

std::uint64_t countOption(const CommandLine &line, const char *name, std::uint64_t otherwise) {
  const auto text = line.option(name);
  return text ? train::countFromText(*text, {fmt::format("--{}", name)}) : otherwise;
}

std::string described(const std::vector<Axis> &axes, const Trial &trial) {
  std::string text;
  for (std::size_t i = 0; i < axes.size(); ++i)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", axes[i].name, trial.values[i]);
  if (trial.fold > 0)
    text += fmt::format("{}fold {}", text.empty() ? "" : ", ", trial.fold);
  return text;
}

CommandLine commandOf(const CommandLine &line, const std::vector<Axis> &axes, const Trial &trial) {
  CommandLine command = line;
  command.command = "train";
  for (const char *flag : {"grid", "random", "jobs", "metric"})
    command.options.erase(flag);
  const auto add = [&](const char *flag, const std::string &value) {
    command.settings.emplace_back(train::settingOfFlag(flag), value);
  };
  for (std::size_t i = 0; i < axes.size(); ++i)
    command.settings.emplace_back(axes[i].setting, axes[i].flagValue(trial.values[i]));
  if (trial.fold > 0)
    add("fold", std::to_string(trial.fold));
  add("out", trial.folder);
  return command;
}

/// The child's part: trains with what it prints in a file. Never returns.
[[noreturn]] void runTrial(const CommandLine &command, const std::string &folder,
                           std::unique_ptr<LoadedModel> model) {
  const int log = ::open((folder + "/log.txt").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
  }
  int code = InternalError;
  try {
    code = trainWith(command, std::move(model));
  } catch (const Error &error) {
    std::fflush(stdout);
    fmt::print(stderr, "{}\n", error.what());
    code = exitCode(error.kind());
  } catch (const std::exception &error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
  }
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(code);
}

/// What came out, from the record of the trial.
void readResult(Trial &trial, const std::string &metric) {
  if (trial.exitCode != Success)
    return;
  const train::RunRecord record = train::readRecord(trial.folder);
  trial.steps = record.steps;
  trial.digest = record.trainingDigest;
  const train::Metrics &figures = record.validation.empty() ? record.training : record.validation;
  const train::Metric *found = metric.empty() ? (figures.empty() ? nullptr : &figures.front())
                                              : train::find(figures, metric);
  if (metric.empty() && record.best.epoch > 0) {
    trial.metric = record.best.metric;
    trial.figure = record.best.value;
  } else if (found) {
    trial.metric = found->name;
    trial.figure = found->value;
  } else if (!metric.empty()) {
    throw Error(ErrorKind::Usage, {"--metric"},
                fmt::format("the trainings report no {}", train::inQuotes(metric)));
  }
}

/// A line of the table: a combination, over its folds.
struct Row {
  const Trial *first = nullptr;
  double sum = 0;
  double least = 0;
  double most = 0;
  std::size_t count = 0;
  std::size_t failed = 0;

  double mean() const { return sum / static_cast<double>(count); }
};

std::vector<Row> rowsOf(const std::vector<Trial> &trials) {
  std::vector<Row> rows;
  for (const Trial &trial : trials) {
    if (rows.empty() || rows.back().first->values != trial.values)
      rows.push_back({&trial, 0, 0, 0, 0, 0});
    Row &row = rows.back();
    if (!trial.figure) {
      ++row.failed;
      continue;
    }
    row.least = row.count == 0 ? *trial.figure : std::min(row.least, *trial.figure);
    row.most = row.count == 0 ? *trial.figure : std::max(row.most, *trial.figure);
    row.sum += *trial.figure;
    ++row.count;
  }
  return rows;
}

/// Whether a row has a figure to be ordered by: one that is no number is neither more nor less.
bool hasOrder(const Row &row) { return row.count > 0 && !std::isnan(row.mean()); }

void printTable(const std::vector<Axis> &axes, const std::vector<Trial> &trials,
                train::Better better) {
  std::vector<Row> rows = rowsOf(trials);
  std::string metric;
  for (const Trial &trial : trials)
    if (metric.empty())
      metric = trial.metric;
  const bool isGreater = better == train::Better::ByName ? train::isBetterGreater(metric)
                                                         : better == train::Better::Greater;
  std::stable_sort(rows.begin(), rows.end(), [&](const Row &a, const Row &b) {
    if ((a.count == 0) != (b.count == 0))
      return a.count > 0;
    if (hasOrder(a) != hasOrder(b))
      return hasOrder(a);
    return hasOrder(a) && (isGreater ? a.mean() > b.mean() : a.mean() < b.mean());
  });
  const bool hasFolds = trials.front().fold > 0;
  std::string head;
  for (const Axis &axis : axes)
    head += fmt::format("{:<14}", axis.name);
  fmt::print("\n{}{:<14}{}{}\n", head, hasFolds ? "mean " + metric : metric,
             hasFolds ? fmt::format("{:<24}", "least to most") : "", "folder");
  for (const Row &row : rows) {
    for (const std::string &value : row.first->values)
      fmt::print("{:<14}", value);
    if (row.count == 0)
      fmt::print("{:<14}", fmt::format("failed ({})", row.first->exitCode));
    else
      fmt::print("{:<14}", train::figure(row.mean()));
    if (hasFolds)
      fmt::print("{:<24}", row.count == 0 ? ""
                                          : fmt::format("{} to {}{}", train::figure(row.least),
                                                        train::figure(row.most),
                                                        row.failed ? ", some failed" : ""));
    fmt::print("{}\n", row.first->folder);
  }
}

/// All trials in their order, with exact figures.
void writeTable(const std::string &folder, const std::vector<Axis> &axes,
                const std::vector<Trial> &trials) {
  std::string text = "trial";
  for (const Axis &axis : axes)
    text += "," + axis.name;
  text += ",fold,exit_code,metric,value,steps,training\n";
  for (const Trial &trial : trials) {
    text += fmt::format("{:03}", trial.number);
    for (const std::string &value : trial.values)
      text += "," + value;
    text += fmt::format(",{},{},{},{},{},{}\n", trial.fold, trial.exitCode, trial.metric,
                        trial.figure ? fmt::format("{}", *trial.figure) : "", trial.steps,
                        trial.digest);
  }
  train::writeFile(folder + "/sweep.csv", text);
}

/// Whether the trainings report such a figure is known before the first one begins.
void checkMetric(const std::string &metric, Session &session) {
  const auto trainer = makeTrainer(session);
  const train::Model &model = trainer->instance().model();
  std::set<std::string> known;
  for (const aprt_entry *entry :
       {&trainer->stepEntry(), model.blockEntry(trainer->block(), APRT_EVAL)})
    for (std::uint32_t i = 0; entry && i < entry->result_count; ++i)
      known.insert(entry->results[i].name);
  if (!known.contains(metric.substr(0, metric.find('['))))
    throw Error(ErrorKind::Usage, {"--metric"},
                fmt::format("the trainings report no {}; they report {}", train::inQuotes(metric),
                            known.empty() ? "nothing" : fmt::format("{}", fmt::join(known, ", "))));
}

/// Where the trainings go: --out names the folder itself; the folder of a run file is that of a
/// training, and the sweep's is beside it.
std::string sweepFolder(const CommandLine &line, const train::RunSettings &settings,
                        const std::string &target) {
  for (const auto &[info, text] : line.settings)
    if (std::string_view(info->flag) == "out")
      return settings.out;
  std::string folder = settings.out;
  while (folder.ends_with('/'))
    folder.pop_back();
  if (folder.empty())
    folder = "runs/" + std::filesystem::path(target).stem().stem().string();
  return folder + "-sweep";
}

/// Runs the trials, so many at a time.
class Sweep {
public:
  Sweep(const CommandLine &line, std::vector<Axis> axes, std::unique_ptr<LoadedModel> model)
      : line_(line), axes_(std::move(axes)), model_(std::move(model)) {}

  /// None goes on behind a sweep that ends with an error.
  ~Sweep() {
    for (const auto &[child, trial] : running_)
      ::kill(child, SIGTERM);
    for (const auto &[child, trial] : running_)
      while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
      }
  }
  Sweep(const Sweep &) = delete;
  Sweep &operator=(const Sweep &) = delete;

  void run(std::vector<Trial> &trials, std::size_t jobs) {
    std::size_t next = 0;
    while (next < trials.size() || !running_.empty()) {
      while (next < trials.size() && running_.size() < jobs && !InterruptGuard::isRequested())
        start(trials[next++]);
      if (running_.empty())
        return;
      int status = 0;
      const pid_t child = ::waitpid(-1, &status, 0);
      if (child < 0 && errno != EINTR)
        throw Error(ErrorKind::Data,
                    fmt::format("cannot wait for the trainings: {}", std::strerror(errno)));
      const auto found = running_.find(child);
      if (found == running_.end())
        continue;
      Trial &trial = *found->second;
      running_.erase(found);
      finish(trial, status);
    }
  }

private:
  void start(Trial &trial) {
    train::makeFolder(trial.folder);
    const CommandLine command = commandOf(line_, axes_, trial);
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child < 0)
      throw Error(ErrorKind::Data, "cannot start another process");
    if (child == 0)
      runTrial(command, trial.folder, std::move(model_));
    running_[child] = &trial;
  }

  void finish(Trial &trial, int status) {
    trial.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    readResult(trial, line_.option("metric").value_or(""));
    fmt::print("{:03}  {}: {}\n", trial.number, described(axes_, trial),
               trial.figure ? fmt::format("{} {}", trial.metric, train::figure(*trial.figure))
                            : fmt::format("failed with exit code {}, see {}/log.txt",
                                          trial.exitCode, trial.folder));
    std::fflush(stdout);
  }

  const CommandLine &line_;
  std::vector<Axis> axes_;
  std::unique_ptr<LoadedModel> model_;
  std::map<pid_t, Trial *> running_;
};

} // namespace

int sweepCommand(const CommandLine &line) {
  Session session = readSession(line);
  if (session.record)
    throw Error(ErrorKind::Usage, {session.folder},
                "a sweep takes a run file or a model, not the folder of a run");
  linkModel(session, line);
  const train::RunSettings &settings = session.settings;
  const std::vector<Axis> axes =
      axesOf(line.option("grid").value_or(""), train::Model(session.model->table()));
  const std::uint64_t folds = settings.shares.fold > 0 ? 0 : settings.shares.folds;
  if (axes.empty() && folds == 0)
    fail("nothing varies: give --grid NAME=VALUE,VALUE, or --folds K");
  const std::string target = line.arguments.empty() ? settings.model : line.arguments.front();
  const std::string folder = sweepFolder(line, settings, target);
  if (const auto metric = line.option("metric"))
    checkMetric(*metric, session);
  std::vector<Trial> trials;
  for (auto &values :
       drawn(combinationsOf(axes), countOption(line, "random", 0), settings.trainer.seed))
    for (std::uint64_t fold = folds > 0 ? 1 : 0; fold <= folds; ++fold) {
      const std::size_t number = trials.size() + 1;
      Trial trial;
      trial.number = number;
      trial.values = values;
      trial.fold = fold;
      trial.folder = fmt::format("{}/{:03}", folder, number);
      trials.push_back(std::move(trial));
    }
  const auto processors = static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  const std::uint64_t jobs = std::max<std::uint64_t>(1, countOption(line, "jobs", processors));
  fmt::print("{} trainings, {} at a time\n", trials.size(),
             std::min<std::uint64_t>(jobs, trials.size()));
  train::makeFolder(folder);
  // A parent that ignores the end of its children must not make this one do so.
  std::signal(SIGCHLD, SIG_DFL);
  const InterruptGuard guard;
  Sweep(line, axes, std::move(session.model)).run(trials, jobs);
  printTable(axes, trials, settings.trainer.best.better);
  writeTable(folder, axes, trials);
  if (InterruptGuard::isRequested()) {
    fmt::print("interrupted: the same command with --resume goes on\n");
    return Interrupted;
  }
  const bool hasResult = std::any_of(trials.begin(), trials.end(),
                                     [](const Trial &trial) { return trial.figure.has_value(); });
  fmt::print("written to {}/sweep.csv\n", folder);
  return hasResult ? Success : trials.front().exitCode;
}

} // namespace apr::aprun
