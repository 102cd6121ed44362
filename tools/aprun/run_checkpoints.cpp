// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/run_checkpoints.h"

#include "runtime/train/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using Unit = train::CheckpointPolicy::Unit;

/// The share of the time that checkpoints may take where nobody says how often to write them.
constexpr double autoFactor = 50;
constexpr double autoLeast = 1;

} // namespace

bool RunCheckpoints::isDue(const train::Cursor &cursor) const {
  const train::CheckpointPolicy &policy = parts_.settings.loop.checkpoints;
  if (policy.unit == Unit::Never || (saved_ && saved_->steps == cursor.steps))
    return false;
  // The last step of a limit is saved before the epoch that it ends early is reported: a training
  // that goes on beyond it has no such epoch.
  if (parts_.settings.steps && cursor.steps == *parts_.settings.steps)
    return true;
  const double elapsed = std::chrono::duration<double>(Clock::now() - last_).count();
  switch (policy.unit) {
  case Unit::Steps:
    return cursor.steps % static_cast<std::uint64_t>(policy.every) == 0;
  case Unit::Epochs:
    return cursor.stepInEpoch == 0 && cursor.epochs % static_cast<std::uint64_t>(policy.every) == 0;
  case Unit::Seconds:
    return elapsed >= policy.every;
  case Unit::Auto:
    return elapsed >= std::max(autoLeast, autoFactor * cost_);
  case Unit::Never:
    break;
  }
  return false;
}

void RunCheckpoints::atRest(const RunPlace &place) {
  const train::Cursor cursor = parts_.trainer.cursor();
  if (isBestNew_)
    best_ = takeSnapshot(place);
  isBestNew_ = false;
  if (isDue(cursor))
    tryWrite(place);
}

bool RunCheckpoints::save(const RunPlace &place) {
  if (parts_.settings.loop.checkpoints.unit == Unit::Never)
    return false;
  if (saved_ && *saved_ == parts_.trainer.cursor())
    return true;
  return tryWrite(place);
}

RunCheckpoints::Snapshot RunCheckpoints::takeSnapshot(const RunPlace &place) const {
  Snapshot snapshot;
  snapshot.checkpoint.cursor = parts_.trainer.cursor();
  snapshot.checkpoint.seed = parts_.settings.trainer.seed;
  snapshot.checkpoint.dataHash = parts_.dataHash;
  snapshot.checkpoint.extra["history_bytes"] = std::to_string(parts_.history.size());
  snapshot.checkpoint.extra["plan"] = planText(parts_.settings);
  snapshot.place = place;
  snapshot.entries = parts_.record.history.size();
  snapshot.steps = parts_.recorder.stepsSoFar();
  snapshot.seconds = parts_.progress.seconds();
  return snapshot;
}

void RunCheckpoints::write(Snapshot snapshot, const std::byte *state) {
  // The record of a training that ends here, but for the hashes of a state that is in the same
  // file.
  train::RunRecord record = parts_.record;
  record.history.resize(snapshot.entries);
  record.epochs = snapshot.place.epochs;
  record.steps = snapshot.place.steps;
  record.training = snapshot.place.training;
  record.validation = snapshot.place.validation;
  record.end = "interrupted";
  record.stateHash = record.weightHash = std::string(64, '0');
  record.stepRecord = snapshot.steps;
  record.information.seconds = snapshot.seconds;
  snapshot.checkpoint.record = train::recordText(record, parts_.settings.out);
  parts_.folder.save(parts_.trainer.instance().model(), state, snapshot.checkpoint);
}

bool RunCheckpoints::tryWrite(const RunPlace &place) {
  const Clock::time_point begin = Clock::now();
  const train::Cursor cursor = parts_.trainer.cursor();
  try {
    // A checkpoint refers to what the other files hold at least.
    if (!parts_.history.trySync() || !parts_.recorder.trySync())
      throw Error(ErrorKind::Data, {parts_.settings.out},
                  fmt::format("cannot write the history: {}", std::strerror(errno)));
    if (best_ && best_->place.steps != cursor.steps)
      write(*best_, parts_.trainer.bestState().data());
    write(takeSnapshot(place), parts_.trainer.instance().state());
    best_.reset();
    saved_ = cursor;
    if (hasFailed_)
      fmt::print(stderr, "checkpoints are written again, the last one at step {}\n", cursor.steps);
    hasFailed_ = false;
  } catch (const Error &error) {
    if (!hasFailed_)
      fmt::print(stderr,
                 "{}\nwarning: no checkpoint at step {}; training goes on and tries again\n",
                 error.what(), cursor.steps);
    hasFailed_ = true;
  }
  last_ = Clock::now();
  cost_ = std::chrono::duration<double>(last_ - begin).count();
  return !hasFailed_;
}

std::string planText(const train::RunSettings &settings) {
  train::Json table = train::Json::array();
  for (const train::LogColumn &column : settings.logTable)
    table.push_back({column.metric, column.title});
  const train::CheckpointPolicy &policy = settings.loop.checkpoints;
  const train::Json plan = {{"epochs", settings.epochs.value_or(0)},
                            {"steps", settings.steps.value_or(0)},
                            {"log_every", settings.logEvery},
                            {"log_epochs", settings.logEpochs},
                            {"log_table", std::move(table)},
                            {"weights_json", settings.writesJson},
                            {"threads", settings.trainer.workers},
                            {"accumulate", settings.trainer.parts == train::BatchParts::OneByOne},
                            {"checkpoint_unit", static_cast<std::uint64_t>(policy.unit)},
                            {"checkpoint_every", policy.every},
                            {"checkpoint_keep", policy.earlier}};
  return plan.dump();
}

void applyPlan(train::RunSettings &settings, const std::string &text, const std::string &file) {
  const train::ParsedJson plan = train::parseJson(text, file);
  try {
    const auto count = [&](const char *key) { return plan.at(key).get<std::uint64_t>(); };
    if (count("epochs") > 0)
      settings.epochs = count("epochs");
    if (count("steps") > 0)
      settings.steps = count("steps");
    settings.logEvery = count("log_every");
    settings.logEpochs = plan.at("log_epochs").get<std::vector<std::uint64_t>>();
    settings.logTable.clear();
    for (const train::ParsedJson &column : plan.at("log_table"))
      settings.logTable.push_back(
          {column.at(0).get<std::string>(), column.at(1).get<std::string>()});
    settings.writesJson = plan.at("weights_json").get<bool>();
    // Checkpoints of before have no such key.
    settings.trainer.parts =
        plan.value("accumulate", false) ? train::BatchParts::OneByOne : train::BatchParts::Together;
    settings.trainer.workers =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(count("threads"), 1024));
    train::CheckpointPolicy &policy = settings.loop.checkpoints;
    const std::uint64_t unit = count("checkpoint_unit");
    policy.every = plan.at("checkpoint_every").get<double>();
    const bool isKnown = unit <= static_cast<std::uint64_t>(Unit::Seconds) &&
                         (unit <= static_cast<std::uint64_t>(Unit::Never) || policy.every >= 1 ||
                          (unit == static_cast<std::uint64_t>(Unit::Seconds) && policy.every > 0));
    policy.unit = isKnown ? static_cast<Unit>(unit) : Unit::Auto;
    policy.earlier = count("checkpoint_keep");
  } catch (const train::ParsedJson::exception &error) {
    throw Error(ErrorKind::Data, {file},
                fmt::format("the metadata plan is not that of a run: {}", error.what()));
  }
}

} // namespace apr::aprun
