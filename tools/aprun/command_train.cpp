// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/history.h"
#include "runtime/train/progress.h"
#include "runtime/train/run_recorder.h"
#include "runtime/train/sha256.h"
#include "runtime/train/weights.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/interrupt.h"
#include "tools/aprun/load_data.h"
#include "tools/aprun/session.h"

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

/// Prints and records what the trainer reports, and stops it on Ctrl-C.
class TrainObserver : public train::Observer {
public:
  TrainObserver(train::Progress &progress, train::History &history, train::RunRecorder &recorder,
                std::uint64_t every, std::uint64_t lastStep)
      : progress_(progress), history_(history), recorder_(recorder), every_(every),
        lastStep_(lastStep) {}

  void onStep(const train::StepReport &report) override {
    progress_.onStep(report);
    recorder_.onStep(report);
    ++steps_;
    lastStepMetrics_ = report.metrics;
    const bool isPrinted = every_ > 0 && report.step % every_ == 0;
    if (isPrinted || (report.epoch == 0 && report.step == lastStep_))
      history_.addStep(report, progress_.seconds());
  }

  void onEpoch(const train::EpochReport &report) override {
    progress_.onEpoch(report);
    recorder_.onEpoch(report);
    history_.addEpoch(report, progress_.seconds());
    last_ = report;
  }

  bool shouldStop() override { return InterruptGuard::isRequested(); }

  std::uint64_t steps() const { return steps_; }
  std::uint64_t epochs() const { return last_.epoch; }
  const train::Metrics &training() const {
    return last_.epoch > 0 ? last_.training : lastStepMetrics_;
  }
  const train::Metrics &validation() const { return last_.validation; }

private:
  train::Progress &progress_;
  train::History &history_;
  train::RunRecorder &recorder_;
  std::uint64_t every_;
  std::uint64_t lastStep_;
  std::uint64_t steps_ = 0;
  train::EpochReport last_;
  train::Metrics lastStepMetrics_;
};

/// The block's inputs, and those of plain entries that the run file binds, so that the record knows
/// their columns too.
std::vector<train::InputNeed> allNeeds(const Trainer &trainer, const train::Model &model,
                                       const train::RunSettings &settings) {
  auto needs = trainer.inputNeeds();
  const auto isKnown = [&](const std::string &name) {
    return std::any_of(needs.begin(), needs.end(),
                       [&](const train::InputNeed &need) { return need.name == name; });
  };
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

train::ProgressStyle progressStyle(const train::RunSettings &settings) {
  train::ProgressStyle style;
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

/// All that is known before the first step.
train::RunRecord makeRecord(const CommandLine &line, const Session &session, const Trainer &trainer,
                            const train::Instance &instance, const LoadedData &loaded) {
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
  if (const auto weights = line.option("weights")) {
    record.startWeights = *weights;
    record.startHash = train::sha256Of(train::readFile(*weights));
  }
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
void completeRecord(train::RunRecord &record, const TrainObserver &observer, train::Outcome outcome,
                    double seconds) {
  record.epochs = observer.epochs();
  record.steps = observer.steps();
  record.training = observer.training();
  record.validation = observer.validation();
  record.end = outcome == train::Outcome::Finished ? "finished" : "interrupted";
  record.information.seconds = seconds;
}

/// Copies the file that the training started from where the outputs are about to replace it: the
/// record must name what can still be read.
void keepStart(const std::string &folder, train::RunRecord &record) {
  if (record.startWeights.empty())
    return;
  for (const char *name : {"weights.safetensors", "state.safetensors"}) {
    std::error_code error;
    if (!std::filesystem::equivalent(folder + "/" + name, record.startWeights, error))
      continue;
    const std::string kept = folder + "/start.safetensors";
    train::writeFile(kept, train::readFile(record.startWeights));
    record.startWeights = kept;
    return;
  }
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

} // namespace

int trainCommand(const CommandLine &line) {
  if (line.arguments.size() > 1)
    throw Error(ErrorKind::Usage,
                fmt::format("unexpected argument {}", train::inQuotes(line.arguments[1])));
  Session session = readSession(line);
  if (session.record)
    throw Error(ErrorKind::Usage, {session.folder},
                "this is a finished run; give its run file or model to train again");
  openModel(session, line);
  const auto trainer = makeTrainer(session);
  train::Instance &instance = trainer->instance();
  train::RunSettings &settings = session.settings;
  checkLogTable(settings, *trainer);
  const LoadedData loaded = loadData(session, allNeeds(*trainer, instance.model(), settings),
                                     DataUse::RowsAndDescription);
  if (!settings.epochs && !settings.steps && !trainer->inputNeeds().empty())
    settings.epochs = defaultEpochs;
  if (settings.writesJson && train::weightElements(instance) > train::largestJsonElements)
    throw Error(ErrorKind::Usage, {"--weights-json"},
                fmt::format("the model has {} weights, JSON is written for at most {}",
                            train::weightElements(instance), train::largestJsonElements));
  const bool hasSteps = recordsSteps(line, settings, *trainer, loaded);
  loadTensors(session, line, instance, RunFile::Weights);
  if (settings.out.empty())
    settings.out = defaultFolder(line.arguments.empty() ? settings.model : line.arguments.front());
  train::makeFolder(settings.out);

  if (!loaded.data.inputs.empty())
    fmt::print("{}: {} training rows, {} validation rows{}\n", fmt::join(settings.data, ", "),
               loaded.split.training.size(), loaded.split.validation.size(),
               loaded.split.test.empty() ? ""
                                         : fmt::format(", {} test rows", loaded.split.test.size()));
  train::History history(settings.out + "/history.jsonl");
  const auto device =
      ::isatty(STDOUT_FILENO) ? train::Progress::Device::Terminal : train::Progress::Device::Log;
  train::Progress progress(stdout, device, progressStyle(settings));
  train::RunRecord record = makeRecord(line, session, *trainer, instance, loaded);
  train::RunRecorder recorder(record, instance, settings.steps.value_or(0));
  if (hasSteps)
    recorder.recordSteps(settings.out);
  TrainObserver observer(progress, history, recorder, settings.logEvery,
                         settings.steps.value_or(0));
  const InterruptGuard guard;
  recorder.onStart();
  const train::Outcome outcome =
      settings.steps
          ? trainer->fitSteps(loaded.data, loaded.split, *settings.steps, observer)
          : trainer->fitEpochs(loaded.data, loaded.split, settings.epochs.value_or(0), observer);
  const double seconds = progress.seconds();
  recorder.finish();
  completeRecord(record, observer, outcome, seconds);
  writeOutputs(settings, instance, record);
  fmt::print("{} steps in {:.2f} s; weights {:.16}\n", record.steps, seconds, record.weightHash);
  if (outcome == train::Outcome::Stopped) {
    fmt::print("interrupted: the weights so far are in {}; go on from them with --weights "
               "{}/state.safetensors\n",
               settings.out, settings.out);
    return Interrupted;
  }
  fmt::print("written to {}; next: aprun eval {}, aprun predict {}\n", settings.out, settings.out,
             settings.out);
  return Success;
}

} // namespace apr::aprun
