// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/history.h"
#include "runtime/train/progress.h"
#include "runtime/train/run_recorder.h"
#include "runtime/train/sha256.h"
#include "runtime/train/weights.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/interrupt.h"
#include "tools/aprun/json_output.h"
#include "tools/aprun/load_data.h"
#include "tools/aprun/model_summary.h"
#include "tools/aprun/non_finite.h"
#include "tools/aprun/resume.h"
#include "tools/aprun/session.h"
#include "tools/aprun/train_observer.h"
#include "tools/aprun/training.h"
#include "tools/aprun/training_end.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <unistd.h>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using train::Trainer;

constexpr std::uint64_t defaultEpochs = 10;

/// The block's inputs, and those of plain entries that the run file binds, or did when the training
/// began, so that the record knows their columns too.
std::vector<train::InputNeed> allNeeds(const Trainer &trainer, const train::Model &model,
                                       const Session &session) {
  const train::RunSettings &settings = session.settings;
  auto needs = trainer.inputNeeds();
  const auto isKnown = [&](const std::string &name) {
    return std::any_of(needs.begin(), needs.end(),
                       [&](const train::InputNeed &need) { return need.name == name; });
  };
  if (session.record)
    for (const train::RecordedInput &input : session.record->inputs)
      if (!isKnown(input.need.name))
        needs.push_back(input.need);
  for (const train::Declared &declared : settings.inputs) {
    if (isKnown(declared.key))
      continue;
    for (const aprt_entry &entry : model.entries()) {
      if (entry.kind != APRT_ENTRY || isKnown(declared.key))
        continue;
      for (std::uint32_t i = 0; i < entry.input_count; ++i)
        if (declared.key == entry.inputs[i].name && entry.inputs[i].rank > 0) {
          const auto entryNeeds = train::inputNeeds(entry, settings.trainer.fixed);
          needs.push_back(*std::find_if(
              entryNeeds.begin(), entryNeeds.end(),
              [&](const train::InputNeed &need) { return need.name == declared.key; }));
          break;
        }
    }
  }
  return needs;
}

train::ProgressStyle progressStyle(const train::RunSettings &settings,
                                   const train::RunRecord &record) {
  train::ProgressStyle style;
  style.secondsBefore = record.information.seconds;
  if (settings.epochs)
    style.shareBefore = static_cast<double>(record.epochs) / static_cast<double>(*settings.epochs);
  if (settings.steps)
    style.shareBefore = static_cast<double>(record.steps) / static_cast<double>(*settings.steps);
  style.epochs = settings.epochs.value_or(0);
  style.steps = settings.steps.value_or(0);
  style.every = settings.logEvery;
  style.onlyEpochs = settings.logEpochs;
  style.table = settings.logTable;
  return style;
}

void checkLogTable(const train::RunSettings &settings, const Trainer &trainer) {
  for (const train::LogColumn &column : settings.logTable) {
    std::vector<std::string> known;
    for (std::uint32_t i = 0; i < trainer.stepEntry().result_count; ++i)
      known.emplace_back(trainer.stepEntry().results[i].name);
    if (std::find(known.begin(), known.end(), column.metric) == known.end())
      throw Error(
          ErrorKind::Usage, {"log.table"},
          fmt::format("{} reports no {}; it reports {}", trainer.stepEntry().name,
                      train::inQuotes(column.metric),
                      known.empty() ? "nothing" : fmt::format("{}", fmt::join(known, ", "))));
  }
}

std::string defaultFolder(const std::string &target) {
  return "runs/" + std::filesystem::path(target).stem().stem().string();
}

train::RunInformation informationOf(const CommandLine &line, const Session &session,
                                    const train::Instance &instance) {
  train::RunInformation information = train::describeMachine();
  information.compiler = session.model->table().compiler;
  information.target = session.model->table().target;
  information.optimize = line.option("optimize").value_or("");
  information.threads = instance.workers();
  return information;
}

/// Whether a file is one that the training replaces or moves out of the way.
bool isInTheWay(const std::string &path, const std::string &run) {
  std::error_code error;
  for (const char *name : {"weights.safetensors", "state.safetensors"})
    if (std::filesystem::equivalent(run + "/" + name, path, error))
      return true;
  const auto folder = std::filesystem::weakly_canonical(path, error).parent_path();
  for (const std::string &checkpoints : {checkpointPath(run), checkpointPath(run) + ".previous"})
    if (std::filesystem::equivalent(folder, checkpoints, error))
      return true;
  return false;
}

/// What the training starts from. One that goes on started long ago: from what its record says,
/// unless this command names another file. One that it has replaced meanwhile is that of the
/// record, which names the copy.
void setStart(train::RunRecord &record, const CommandLine &line, const std::string &run,
              const InterruptedRun *interrupted) {
  const auto weights = line.option("weights");
  if (interrupted &&
      (!weights || (!interrupted->record.startHash.empty() && isInTheWay(*weights, run)))) {
    record.startWeights = interrupted->record.startWeights;
    record.startHash = interrupted->record.startHash;
  } else if (weights) {
    record.startWeights = *weights;
    record.startHash = train::sha256Of(train::readFile(*weights));
  }
}

/// All that is known before the first step.
train::RunRecord makeRecord(const CommandLine &line, const Session &session, const Trainer &trainer,
                            const train::Instance &instance, const LoadedData &loaded,
                            const InterruptedRun *interrupted) {
  const aprt_model &table = session.model->table();
  train::RunRecord record;
  record.model = session.settings.model;
  record.modelName = table.name;
  record.sourceHash = table.source_hash;
  record.sources = session.model->sources();
  record.semanticsVersion = table.semantics_version;
  record.settings = session.settings;
  record.settings.trainer.block = instance.model().blocks()[trainer.block()].name;
  for (const aprt_hyper &hyper : instance.model().hypers())
    record.hyper[hyper.name] = instance.hyper(hyper);
  setStart(record, line, session.settings.out, interrupted);
  record.settings.bytes.vocabulary = loaded.vocabulary;
  record.columnNames = loaded.columnNames;
  record.columnCount = loaded.columnCount;
  record.droppedRows = loaded.droppedRows;
  record.trainingRows = loaded.split.training.size();
  record.validationRows = loaded.split.validation.size();
  record.testRows = loaded.split.test.size();
  record.splitHash = train::splitHash(loaded.split);
  record.inputs = loaded.inputs;
  for (train::RecordedInput &input : record.inputs)
    if (const train::InputArray *array = loaded.data.find(input.need.name))
      input.sha256 = train::inputHash(*array);
  record.dataFiles = loaded.files;
  record.information = informationOf(line, session, instance);
  return record;
}

/// What only the finished training tells.
void completeRecord(train::RunRecord &record, const TrainObserver &observer,
                    const train::Trainer &trainer, train::Outcome outcome, double seconds) {
  const RunPlace &place = observer.place();
  record.epochs = place.epochs;
  record.steps = place.steps;
  record.training = place.training;
  record.validation = place.validation;
  record.end = outcome == train::Outcome::Finished       ? "finished"
               : outcome == train::Outcome::StoppedEarly ? "stopped early"
                                                         : observer.stopReason();
  if (record.settings.stopsEarly)
    record.best = trainer.cursor().best;
  record.information.seconds = seconds;
}

std::string startCopy(const std::string &folder) { return folder + "/start.safetensors"; }

/// Makes the run's folder that of a new training, whether or not it writes checkpoints: no other
/// training uses it, and none is resumed from what another one left. The file that it starts from
/// stays readable, because the record must name what can still be read.
void takeFolder(train::CheckpointFolder &folder, const std::string &run, train::RunRecord &record) {
  std::string start;
  const bool isMoved = !record.startWeights.empty() && isInTheWay(record.startWeights, run);
  if (isMoved)
    start = train::readFile(record.startWeights);
  folder.open();
  folder.startAnew();
  if (!isMoved)
    return;
  record.startWeights = startCopy(folder.path());
  train::writeFile(record.startWeights, start);
}

/// Puts the copy of what the training started from beside the weights.
void keepStart(const std::string &run, train::RunRecord &record) {
  if (record.startWeights != startCopy(checkpointPath(run)))
    return;
  train::writeFile(startCopy(run), train::readFile(record.startWeights));
  record.startWeights = startCopy(run);
}

void writeOutputs(const train::RunSettings &settings, const train::Instance &instance,
                  train::RunRecord &record) {
  const std::map<std::string, std::string> metadata = {{"steps", std::to_string(record.steps)},
                                                       {"weight_hash", record.weightHash}};
  const auto path = [&](const char *name) { return settings.out + "/" + name; };
  keepStart(settings.out, record);
  train::saveWeights(instance, path("weights.safetensors"), metadata);
  train::saveState(instance, path("state.safetensors"), metadata);
  std::vector<const char *> names = {"weights.safetensors", "state.safetensors"};
  if (settings.writesJson) {
    train::writeFile(path("weights.json"), train::weightsJson(instance));
    names.push_back("weights.json");
  }
  for (const char *name : names)
    record.outputs[name] = train::sha256Of(train::readFile(path(name)));
  train::writeRecord(record, settings.out);
}

/// Whether --record asks for a hash per step and tensor; refuses what would not fit.
bool recordsSteps(const CommandLine &line, const train::RunSettings &settings, Trainer &trainer,
                  const LoadedData &loaded) {
  const train::Model &model = trainer.instance().model();
  const std::string choice = line.option("record").value_or("epoch");
  if (choice != "epoch" && choice != "step")
    throw Error(ErrorKind::Usage, {"--record"},
                fmt::format("expected epoch or step, found {}", train::inQuotes(choice)));
  if (choice == "epoch")
    return false;
  const std::uint64_t perEpoch = trainer.stepsPerEpoch(loaded.data, loaded.split);
  const std::uint64_t epochs = settings.epochs.value_or(0);
  const bool isHuge = perEpoch > 0 && epochs > ~std::uint64_t{0} / perEpoch;
  const std::uint64_t steps = settings.steps ? *settings.steps
                              : isHuge       ? ~std::uint64_t{0}
                                             : epochs * perEpoch;
  const std::uint64_t bytes = train::stepRecordBytes(model, steps);
  if (bytes > train::largestStepRecord)
    throw Error(ErrorKind::Usage, {"--record"},
                fmt::format("hashes of {} tensors for {} steps take {} MiB, at most {} are "
                            "written: train fewer steps, or with --record epoch",
                            model.tensors().size() + 1, steps, bytes >> 20,
                            train::largestStepRecord >> 20));
  fmt::print("step record: {} hashes for each of {} steps, {:.1f} MiB\n",
             model.tensors().size() + 1, steps, static_cast<double>(bytes) / (1 << 20));
  return true;
}

/// The session of a new training, or of one that goes on.
Session beginSession(const CommandLine &line, std::optional<InterruptedRun> &interrupted) {
  const bool resumes = line.option("resume").has_value();
  const std::string target = line.arguments.empty() ? "" : line.arguments.front();
  std::error_code error;
  if (resumes && std::filesystem::is_directory(target, error)) {
    interrupted = findInterrupted(target);
    if (!interrupted)
      throw Error(ErrorKind::Data, {checkpointPath(target)},
                  "there is no checkpoint to go on from");
    Session session = readInterrupted(line, target, *interrupted);
    if (session.settings.out != target &&
        !std::filesystem::equivalent(session.settings.out, target, error))
      throw Error(
          ErrorKind::Usage, {"--out"},
          fmt::format("a training goes on in its own folder, {0}: to keep this state of it, "
                      "copy the whole folder and resume the copy",
                      target));
    session.settings.out = target;
    return session;
  }
  Session session = readSession(line);
  if (session.record)
    throw Error(ErrorKind::Usage, {session.folder},
                "this is the folder of a run: --resume goes on with it; to train again, give its "
                "run file or model");
  if (session.settings.out.empty())
    session.settings.out = defaultFolder(target.empty() ? session.settings.model : target);
  if (!resumes)
    return session;
  interrupted = findInterrupted(session.settings.out);
  if (!interrupted)
    fmt::print("{} has no checkpoint to go on from: training starts from the beginning\n",
               session.settings.out);
  return session;
}

void requireNoChanges(const CommandLine &line) {
  if (line.option("allow-changed") && !line.option("resume"))
    throw Error(ErrorKind::Usage, {"--allow-changed"}, "this belongs to --resume");
}

bool savesCheckpoints(const train::RunSettings &settings) {
  return settings.loop.checkpoints.unit != train::CheckpointPolicy::Unit::Never;
}

/// What is watched to know the best epoch: by default the first figure, for the checkpoints alone.
void settleBest(train::RunSettings &settings) {
  constexpr std::uint64_t defaultPatience = 5;
  train::BestOptions &best = settings.trainer.best;
  if (!settings.stopsEarly) {
    if (best.patience > 0 || best.minDelta > 0)
      throw Error(ErrorKind::Usage, {best.patience > 0 ? "--patience" : "--min-delta"},
                  "this belongs to --early-stop FIGURE");
    best.isWatched = savesCheckpoints(settings);
    return;
  }
  best.isWatched = true;
  if (best.patience == 0)
    best.patience = defaultPatience;
}

void checkSettings(const train::RunSettings &settings, const Trainer &trainer) {
  const train::Instance &instance = const_cast<Trainer &>(trainer).instance();
  if (settings.writesJson && train::weightElements(instance) > train::largestJsonElements)
    throw Error(ErrorKind::Usage, {"--weights-json"},
                fmt::format("the model has {} weights, JSON is written for at most {}",
                            train::weightElements(instance), train::largestJsonElements));
  const bool hasEpochs = !trainer.inputNeeds().empty();
  if (!hasEpochs && settings.loop.checkpoints.unit == train::CheckpointPolicy::Unit::Epochs)
    throw Error(ErrorKind::Usage, {"--checkpoint-every"},
                "the model takes no rows, so there are no epochs: give a number of steps");
  if (!hasEpochs && settings.stopsEarly)
    throw Error(ErrorKind::Usage, {"--early-stop"},
                "the model takes no rows, so there are no epochs to compare");
}

/// How much of the history the checkpoint knows of.
std::uint64_t keptHistory(const std::string &run, const InterruptedRun &interrupted) {
  std::error_code error;
  const auto size = std::filesystem::file_size(run + "/history.jsonl", error);
  if (!error && size >= interrupted.historyBytes)
    return interrupted.historyBytes;
  fmt::print(stderr, "warning: {}/history.jsonl lacks lines of the training so far\n", run);
  return error ? 0 : size;
}

/// The checkpoint was read before the folder was locked: a training that ended in between may have
/// written newer ones, which are not to be set aside.
void requireNewest(const train::CheckpointFolder &folder, const InterruptedRun &interrupted) {
  std::vector<std::string> rejected;
  const auto newest = folder.latest(rejected);
  if (!newest || newest->checkpoint.contents().cursor.steps != interrupted.cursor().steps)
    throw Error(ErrorKind::Data, {folder.path()},
                "another training wrote a checkpoint here just now: run the command again");
}

StopConditions stopConditions(const CommandLine &line, const train::RunSettings &settings) {
  StopConditions stop;
  if (const auto step = line.option("stop-after"))
    stop.step = train::countFromText(*step, {"--stop-after"});
  stop.seconds = settings.loop.timeLimit;
  stop.lastStep = settings.steps.value_or(0);
  return stop;
}

/// Trains for what is left of the plan.
train::Outcome fit(Trainer &trainer, const LoadedData &loaded, const train::RunSettings &settings,
                   TrainObserver &observer) {
  const train::Cursor cursor = trainer.cursor();
  if (settings.steps)
    return trainer.fitSteps(loaded.data, loaded.split, *settings.steps - cursor.steps, observer);
  return trainer.fitEpochs(loaded.data, loaded.split, settings.epochs.value_or(0) - cursor.epochs,
                           observer);
}

/// Prints what one step and one evaluation report.
class FirstStep : public train::Observer {
public:
  void onStep(const train::StepReport &report) override { print("step", report.metrics); }
  void onEpoch(const train::EpochReport &report) override {
    if (!report.validation.empty())
      print("validation", report.validation);
  }

private:
  static void print(const char *what, const train::Metrics &metrics) {
    fmt::print("{:<11}", what);
    for (const train::Metric &metric : metrics)
      if (!metric.isElement)
        fmt::print("  {} {}", metric.name, train::figure(metric.value));
    fmt::print("\n");
  }
};

/// Everything up to the first step, that step and an evaluation; writes nothing.
int dryRun(Session &session, const CommandLine &line, Trainer &trainer, const LoadedData &loaded,
           train::RunRecord &record, const std::optional<InterruptedRun> &interrupted) {
  train::Instance &instance = trainer.instance();
  if (interrupted) {
    requireSameTraining(*interrupted, record, session.settings.out);
    goOn(*interrupted, trainer, record);
  } else {
    loadTensors(session, line, instance, RunFile::Weights);
  }
  fmt::print("model        {}: {} weights, {:.1f} MiB of state\n", instance.model().name(),
             train::weightElements(instance),
             static_cast<double>(instance.model().table().state_bytes) / (1 << 20));
  const std::uint64_t steps = trainer.stepsPerEpoch(loaded.data, loaded.split);
  if (steps > 0)
    fmt::print("data         {} training rows, {} validation rows, {} steps per epoch\n",
               loaded.split.training.size(), loaded.split.validation.size(), steps);
  FirstStep first;
  trainer.fitSteps(loaded.data, loaded.split, 1, first);
  fmt::print("dry run: nothing was written; without --dry-run, the run goes to {}\n",
             session.settings.out);
  return Success;
}

/// Throws the error again, with where the numbers came from.
[[noreturn]] void failExplained(const Session &session, Trainer &trainer, const LoadedData &loaded,
                                const train::RunRecord &record,
                                const train::NonFiniteError &error) {
  std::string text = error.what();
  fmt::print("looking for the op that made this…\n");
  std::fflush(stdout);
  try {
    for (const std::string &line : explainNonFinite(session, trainer, loaded, record, error.step()))
      text += "\n  " + line;
  } catch (const Error &why) {
    text += fmt::format("\n  where it came from cannot be told: {}", why.what());
  }
  throw Error(ErrorKind::Verdict, text.substr(std::string_view("error: ").size()));
}

/// The last lines, and the exit code.
int report(const train::RunSettings &settings, const train::RunRecord &record, bool isSaved) {
  if (settings.stopsEarly && !record.isCutShort() && record.best.epoch > 0)
    fmt::print("{}the weights are those of the best epoch, {}: {} {}\n",
               record.end == "stopped early" ? "stopped early; " : "", record.best.epoch,
               record.best.metric, train::figure(record.best.value));
  if (settings.logTable.empty())
    fmt::print("{}", courseText(record));
  fmt::print("{} steps in {:.2f} s; weights {:.16}\n", record.steps, record.information.seconds,
             record.weightHash);
  if (!record.isCutShort()) {
    fmt::print("written to {0}; next: aprun eval {0}, aprun predict {0}, aprun report {0}\n",
               settings.out);
    return Success;
  }
  const char *what = record.end == "interrupted" ? "interrupted" : "the time limit is reached";
  if (isSaved)
    fmt::print("{}: saved in {}; go on with aprun train {} --resume\n", what, settings.out,
               settings.out);
  else
    fmt::print("{}: the weights so far are in {}; go on from them with --weights "
               "{}/state.safetensors\n",
               what, settings.out, settings.out);
  return record.end == "interrupted" ? ExitCode::Interrupted : Success;
}

} // namespace

int trainCommand(const CommandLine &line) { return trainWith(line, nullptr); }

int trainWith(const CommandLine &line, std::unique_ptr<LoadedModel> model) {
  if (line.arguments.size() > 1)
    throw Error(ErrorKind::Usage,
                fmt::format("unexpected argument {}", train::inQuotes(line.arguments[1])));
  std::optional<JsonOutput> json;
  if (line.option("json").value_or("false") == "true")
    json.emplace();
  std::optional<InterruptedRun> interrupted;
  Session session = beginSession(line, interrupted);
  if (model)
    session.model = std::move(model);
  else
    linkModel(session, line);
  if (interrupted)
    settleHypers(session, line, *interrupted);
  else
    requireNoChanges(line);
  settleBest(session.settings);
  const auto trainer = makeTrainer(session);
  train::Instance &instance = trainer->instance();
  train::RunSettings &settings = session.settings;
  checkLogTable(settings, *trainer);
  const LoadedData loaded =
      loadData(session, allNeeds(*trainer, instance.model(), session), DataUse::RowsAndDescription);
  if (!settings.epochs && !settings.steps && !trainer->inputNeeds().empty())
    settings.epochs = defaultEpochs;
  checkSettings(settings, *trainer);
  const bool hasSteps = recordsSteps(line, settings, *trainer, loaded);
  train::RunRecord record =
      makeRecord(line, session, *trainer, instance, loaded, interrupted ? &*interrupted : nullptr);
  if (line.option("dry-run"))
    return dryRun(session, line, *trainer, loaded, record, interrupted);
  train::makeFolder(settings.out);
  train::CheckpointFolder folder(checkpointPath(settings.out), settings.loop.checkpoints.earlier);
  if (interrupted) {
    requireSameTraining(*interrupted, record, settings.out);
    if (hasSteps && !interrupted->record.stepRecord)
      throw Error(ErrorKind::Usage, {"--record"},
                  "the training so far was recorded by epochs, not by steps");
    folder.open();
    requireNewest(folder, *interrupted);
    folder.setAsideAfter(interrupted->cursor().steps);
    goOn(*interrupted, *trainer, record);
  } else {
    loadTensors(session, line, instance, RunFile::Weights);
    takeFolder(folder, settings.out, record);
  }

  fmt::print("{}", summaryText(instance, summaryFigures(settings, *trainer, loaded.data)));
  if (!loaded.data.inputs.empty())
    fmt::print("{}: {} training rows, {} validation rows{}\n", fmt::join(settings.data, ", "),
               loaded.split.training.size(), loaded.split.validation.size(),
               loaded.split.test.empty() ? ""
                                         : fmt::format(", {} test rows", loaded.split.test.size()));
  if (interrupted)
    fmt::print("going on after step {}{}\n", interrupted->cursor().steps,
               trainer->inputNeeds().empty()
                   ? ""
                   : fmt::format(" (epoch {})", interrupted->cursor().epochs + 1));
  train::History history(settings.out + "/history.jsonl",
                         interrupted ? keptHistory(settings.out, *interrupted) : 0);
  const auto device = json                      ? train::Progress::Device::Json
                      : ::isatty(STDOUT_FILENO) ? train::Progress::Device::Terminal
                                                : train::Progress::Device::Log;
  train::Progress progress(json ? json->file() : stdout, device, progressStyle(settings, record));
  train::RunRecorder recorder(record, instance);
  if (interrupted && interrupted->record.stepRecord)
    recorder.resumeSteps(settings.out, *interrupted->record.stepRecord);
  else if (!interrupted && hasSteps)
    recorder.recordSteps(settings.out);
  RunCheckpoints checkpoints(
      {folder, *trainer, record, recorder, history, progress, settings, dataHashOf(record)});
  TrainObserver observer(progress, history, recorder, checkpoints, settings.logEvery,
                         stopConditions(line, settings));
  const InterruptGuard guard;
  if (interrupted) {
    observer.resume(record);
    checkpoints.startAt(interrupted->cursor());
  } else {
    recorder.onStart();
    checkpoints.save(observer.place());
  }
  const train::Outcome outcome = [&] {
    try {
      return fit(*trainer, loaded, settings, observer);
    } catch (const train::NonFiniteError &error) {
      failExplained(session, *trainer, loaded, record, error);
    }
  }();
  const double seconds = progress.seconds();
  const bool isSaved = observer.isSavedBeforeReport() || checkpoints.save(observer.place());
  completeRecord(record, observer, *trainer, outcome, seconds);
  if (settings.stopsEarly && !record.isCutShort())
    trainer->restoreBest();
  recorder.finish();
  history.finish();
  writeOutputs(settings, instance, record);
  if (json)
    fmt::print(json->file(), "{}\n", endLine(settings, record));
  return report(settings, record, isSaved && savesCheckpoints(settings));
}

} // namespace apr::aprun
