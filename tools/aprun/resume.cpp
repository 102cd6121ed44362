// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/resume.h"

#include "tools/aprun/run_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <map>
#include <set>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using train::inQuotes;

const std::string &extra(const train::CheckpointFile &file, const std::string &key) {
  const auto &all = file.contents().extra;
  const auto found = all.find(key);
  if (found == all.end())
    throw Error(ErrorKind::Data, {file.path()},
                fmt::format("the checkpoint is not one of aprun: its metadata lacks {}", key));
  return found->second;
}

/// All hyperparameters by their full names.
using Hypers = std::map<std::string, double>;

Hypers defaults(const train::Model &model) {
  Hypers values;
  for (const aprt_hyper &hyper : model.hypers())
    values[hyper.name] = hyper.default_value;
  return values;
}

/// `names` may be the last parts of names.
void overlay(Hypers &values, const train::Model &model, const Hypers &names) {
  for (const auto &[name, value] : names)
    values[model.hyper(name).name] = value;
}

/// The values that flags alone give.
Hypers flagHypers(const CommandLine &line) {
  train::RunSettings settings;
  for (const auto &[info, text] : line.settings)
    if (std::string_view(info->flag) == "hyper")
      train::applyFlag(settings, *info, text);
  return settings.trainer.hyper;
}

std::set<std::string> allowed(const CommandLine &line, const train::Model &model) {
  std::set<std::string> names;
  const std::string list = line.option("allow-changed").value_or("");
  std::string_view rest = list;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    try {
      names.insert(model.hyper(rest.substr(0, comma)).name);
    } catch (const Error &error) {
      throw Error(
          ErrorKind::Usage, {"--allow-changed"},
          fmt::format("only hyperparameters may change within a training; {}", error.what()));
    }
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  return names;
}

/// Figures in the order in which the entry reports them, as before they were written down.
void putInOrder(train::Metrics &metrics, const aprt_entry *entry) {
  if (!entry)
    return;
  const auto rank = [&](const train::Metric &metric) {
    const std::string name = metric.name.substr(0, metric.name.find('['));
    std::uint32_t i = 0;
    while (i < entry->result_count && name != entry->results[i].name)
      ++i;
    return i;
  };
  // Elements of tensors are named by place: [2,10] comes after [2,9].
  const auto place = [](const train::Metric &metric) {
    std::vector<std::uint64_t> numbers;
    for (std::size_t at = metric.name.find('['); at < metric.name.size();
         at = metric.name.find(',', at + 1)) {
      std::uint64_t number = 0;
      std::from_chars(metric.name.data() + at + 1, metric.name.data() + metric.name.size(), number);
      numbers.push_back(number);
    }
    return numbers;
  };
  std::stable_sort(metrics.begin(), metrics.end(), [&](const auto &a, const auto &b) {
    return rank(a) != rank(b) ? rank(a) < rank(b) : place(a) < place(b);
  });
  for (train::Metric &metric : metrics)
    metric.isElement = metric.name.ends_with(']');
}

} // namespace

std::string checkpointPath(const std::string &run) { return run + "/checkpoints"; }

std::string dataHashOf(const train::RunRecord &record) {
  std::vector<std::pair<std::string, std::string>> inputs;
  for (const train::RecordedInput &input : record.inputs)
    inputs.emplace_back(input.need.name, input.sha256);
  return inputs.empty() ? "" : train::dataHash(inputs, record.splitHash);
}

bool isOfTraining(const train::CheckpointFile &file, const train::RunRecord &training,
                  const std::string &run) {
  const train::Checkpoint &contents = file.contents();
  if (contents.seed != training.settings.trainer.seed || contents.dataHash != dataHashOf(training))
    return false;
  const train::RunRecord record = train::parseRecord(contents.record, file.path(), run);
  return train::headerDifferences(record, training).empty();
}

std::optional<InterruptedRun> findInterrupted(const std::string &run) {
  const train::CheckpointFolder folder(checkpointPath(run), 1);
  std::vector<std::string> rejected;
  auto found = folder.latest(rejected);
  if (!found && rejected.empty())
    return std::nullopt;
  for (const std::string &line : rejected)
    fmt::print(stderr, "{}\n", line);
  if (!found)
    throw Error(ErrorKind::Data, {folder.path()}, "none of the checkpoints is whole");
  if (!rejected.empty())
    fmt::print(stderr, "warning: going back to the checkpoint of step {}\n",
               found->checkpoint.contents().cursor.steps);
  const std::string path = found->checkpoint.path();
  const std::string bytes = extra(found->checkpoint, "history_bytes");
  InterruptedRun interrupted{std::move(*found), {}, 0};
  interrupted.record =
      train::parseRecord(interrupted.found.checkpoint.contents().record, path, run);
  std::from_chars(bytes.data(), bytes.data() + bytes.size(), interrupted.historyBytes);
  return interrupted;
}

Session readInterrupted(const CommandLine &line, const std::string &run,
                        const InterruptedRun &interrupted) {
  Session session;
  session.folder = run;
  session.record = interrupted.record;
  session.settings = interrupted.record.settings;
  session.settings.out = run;
  const train::CheckpointFile &file = interrupted.found.checkpoint;
  applyPlan(session.settings, extra(file, "plan"), file.path());
  for (const auto &[info, text] : line.settings)
    train::applyFlag(session.settings, *info, text);
  return session;
}

void settleHypers(Session &session, const CommandLine &line, const InterruptedRun &interrupted) {
  const train::Model model(session.model->table());
  train::TrainerOptions &options = session.settings.trainer;
  const train::RunRecord &record = interrupted.record;
  Hypers before = defaults(model);
  overlay(before, model, record.hyper);
  for (const train::HyperChange &change : record.settings.trainer.changes)
    overlay(before, model, change.values);
  Hypers now = session.record ? before : defaults(model);
  if (!session.record)
    overlay(now, model, options.hyper);
  overlay(now, model, flagHypers(line));
  const std::set<std::string> mayChange = allowed(line, model);
  train::HyperChange change{interrupted.cursor().steps, {}};
  std::string refused;
  for (const auto &[name, value] : now) {
    if (train::figureBits(value) == train::figureBits(before.at(name)))
      continue;
    change.values[name] = value;
    if (!mayChange.contains(name))
      refused += fmt::format("\n  hyper.{}: the checkpoint has {}, this training {} "
                             "(--allow-changed={} accepts that)",
                             name, before.at(name), value, name);
  }
  if (!refused.empty())
    throw Error(ErrorKind::Usage, {interrupted.found.checkpoint.path()},
                "this is not the training that was interrupted:" + refused);
  options.hyper = record.hyper;
  options.changes = record.settings.trainer.changes;
  if (!change.values.empty())
    options.changes.push_back(std::move(change));
}

void requireSameTraining(const InterruptedRun &interrupted, const train::RunRecord &now,
                         const std::string &run) {
  const auto differences = train::headerDifferences(interrupted.record, now);
  if (!differences.empty())
    throw Error(ErrorKind::Usage, {interrupted.found.checkpoint.path()},
                fmt::format("this is not the training that was interrupted:\n  {}\ntrain without "
                            "--resume, or go on as it was with: aprun train {} --resume",
                            fmt::join(differences, "\n  "), run));
  const train::RunSettings &settings = now.settings;
  const train::Cursor &cursor = interrupted.cursor();
  if ((settings.epochs && cursor.epochs > *settings.epochs) ||
      (settings.steps && cursor.steps > *settings.steps))
    throw Error(ErrorKind::Usage, {interrupted.found.checkpoint.path()},
                fmt::format("{} epochs and {} steps are done, which is more than is asked for",
                            cursor.epochs, cursor.steps));
}

void goOn(const InterruptedRun &interrupted, train::Trainer &trainer, train::RunRecord &record) {
  const auto &best = interrupted.found.best;
  train::resumeFrom(trainer, interrupted.found.checkpoint, best ? &*best : nullptr);
  const train::Model &model = trainer.instance().model();
  const aprt_entry *eval = model.blockEntry(trainer.block(), APRT_EVAL);
  const bool isAfter = record.settings.trainer.measure == train::Measure::After;
  const train::RunRecord &before = interrupted.record;
  record.history = before.history;
  record.epochs = before.epochs;
  record.steps = before.steps;
  record.training = before.training;
  record.validation = before.validation;
  record.startWeights = before.startWeights;
  record.startHash = before.startHash;
  record.information.started = before.information.started;
  record.information.seconds = before.information.seconds;
  for (train::RecordedEpoch &entry : record.history) {
    putInOrder(entry.training, isAfter && entry.epoch > 0 ? eval : &trainer.stepEntry());
    putInOrder(entry.validation, eval);
  }
  putInOrder(record.training, isAfter && record.epochs > 0 ? eval : &trainer.stepEntry());
  putInOrder(record.validation, eval);
}

} // namespace apr::aprun
