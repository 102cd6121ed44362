// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/verify_files.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/json_text.h"
#include "runtime/train/record_digest.h"
#include "runtime/train/safetensors.h"
#include "runtime/train/sha256.h"
#include "runtime/train/step_record.h"
#include "runtime/train/weights.h"
#include "tools/aprun/data_description.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using train::RecordedFile;
using Findings = std::vector<std::string>;

/// An error's text without the word that starts it: it becomes part of a finding.
std::string reason(const Error &error) {
  std::string text = error.what();
  if (const auto at = text.find("error: "); at != std::string::npos)
    text.erase(at, 7);
  return text;
}

bool exists(const std::string &path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

/// A pipe might never end, and could be read once only.
void checkRegular(const std::string &path) {
  std::error_code error;
  if (exists(path) && !std::filesystem::is_regular_file(path, error))
    throw Error(ErrorKind::Data, {path}, "this is no regular file");
}

std::string hashOfFile(const std::string &path) {
  checkRegular(path);
  return train::sha256Of(train::readFile(path));
}

void compareDataFile(const std::string &path, std::size_t index, const RecordedFile &recorded,
                     const RecordedFile &found, Findings &findings) {
  if (found.sha256 != recorded.sha256)
    findings.push_back(fmt::format("{}: the {} is not the recorded one: {}", path,
                                   recorded.role.ends_with("labels") ? "file of labels" : "table",
                                   describeDifference(recorded, found)));
  else if (found.bytes != recorded.bytes || found.rows != recorded.rows ||
           found.unit != recorded.unit || found.blockSize != recorded.blockSize ||
           found.blocks != recorded.blocks)
    findings.push_back(fmt::format("data.files[{}]: bytes, rows or block hashes are not those of "
                                   "{}, whose SHA-256 is the recorded one",
                                   index, path));
}

/// A file that cannot be read as what it was is a finding as any other that was altered.
template <class Check> void orFinding(Findings &findings, Check check) {
  try {
    check();
  } catch (const Error &error) {
    findings.push_back(fmt::format("{}; the file is not the recorded one", reason(error)));
  }
}

void compareTensors(const train::RunRecord &record, const std::string &path, Findings &findings) {
  const auto file = train::SafetensorsFile::open(path);
  bool isSame = true;
  for (const train::StoredTensor &tensor : file.tensors()) {
    const auto recorded = record.tensorHashes.find(tensor.name);
    if (recorded != record.tensorHashes.end() &&
        recorded->second == train::tensorHash(file, tensor))
      continue;
    isSame = false;
    findings.push_back(fmt::format("{}: tensor {} is not the recorded one", path, tensor.name));
  }
  if (isSame)
    findings.push_back(fmt::format(
        "{}: the tensors are the recorded ones, but their order, description or number is not",
        path));
}

void checkOutput(const Session &session, const std::string &name, const std::string &recorded,
                 Findings &findings) {
  const std::string path = fmt::format("{}/{}", session.folder, name);
  if (name.find('/') != std::string::npos) {
    findings.push_back(fmt::format("files: {} is no file of the run's folder", name));
  } else if (!exists(path)) {
    findings.push_back(fmt::format("{}: the file is missing", path));
  } else if (hashOfFile(path) != recorded) {
    if (!name.ends_with(".safetensors"))
      findings.push_back(fmt::format("{}: the file is not the recorded one", path));
    else
      compareTensors(*session.record, path, findings);
  }
}

bool isSameFigure(const train::Metric &a, const train::Metric &b) {
  return a.name == b.name && train::figureBits(a.value) == train::figureBits(b.value);
}

/// The figures without the elements of tensors, which epochs do not keep.
void compareFigures(const char *key, const train::Metrics &result, const train::Metrics &last,
                    Findings &findings) {
  for (const train::Metric &figure : last) {
    const train::Metric *found = train::find(result, figure.name);
    if (!found || !isSameFigure(*found, figure))
      findings.push_back(
          fmt::format("result.{}.{} is not that of the last epoch", key, figure.name));
  }
}

/// A training that stops early ends with the state of its best epoch.
void checkBest(const train::RunRecord &record, Findings &findings) {
  if (!record.settings.stopsEarly)
    return findings.push_back("result.best: the training was not to stop early");
  const auto entry =
      std::find_if(record.history.begin(), record.history.end(), [&](const auto &epoch) {
        return epoch.epoch == record.best.epoch && epoch.step == record.best.step;
      });
  if (entry == record.history.end())
    return findings.push_back("result.best is none of the epochs");
  if (!record.isCutShort() && entry->stateHash != record.stateHash)
    findings.push_back("result.state_hash is not that of the best epoch");
  const train::Metric *figure = train::find(
      record.validationRows > 0 ? entry->validation : entry->training, record.best.metric);
  if (!figure || train::figureBits(figure->value) != train::figureBits(record.best.value))
    findings.push_back("result.best is not the figure of its epoch");
}

/// What training again would stop at, or would not notice.
void checkTrainSettings(const train::RunRecord &record, Findings &findings) {
  const train::RunSettings &settings = record.settings;
  for (std::size_t i = 0; i < settings.trainer.changes.size(); ++i)
    if (settings.trainer.changes[i].step > record.steps)
      findings.push_back(fmt::format("changes[{}].step is {}, the training has {} steps", i,
                                     settings.trainer.changes[i].step, record.steps));
  const std::string &metric = settings.trainer.best.metric;
  for (const train::RecordedEpoch &entry : record.history) {
    const train::Metrics &figures = record.validationRows > 0 ? entry.validation : entry.training;
    if (!settings.stopsEarly || metric.empty() || figures.empty())
      continue;
    if (!train::find(figures, metric))
      findings.push_back(
          fmt::format("train.early_stop.metric: the epochs have no figure {}", metric));
    return;
  }
}

/// One entry after each epoch, or in a training without rows after some steps.
void checkOrder(const train::RunRecord &record, Findings &findings) {
  for (std::size_t i = 1; i < record.history.size(); ++i) {
    const train::RecordedEpoch &entry = record.history[i];
    const train::RecordedEpoch &before = record.history[i - 1];
    const std::uint64_t epoch = record.epochs > 0 ? before.epoch + 1 : 0;
    if (entry.epoch != epoch || entry.step <= before.step)
      findings.push_back(fmt::format("epochs[{}] is that of epoch {}, step {}; expected epoch {} "
                                     "and a step after {}",
                                     i, entry.epoch, entry.step, epoch, before.step));
  }
}

} // namespace

Findings checkDigests(const std::string &folder, std::set<std::string> &altered) {
  const std::string path = folder + "/run.json";
  checkRegular(path);
  const auto json = train::parseJson(train::readFile(path), path);
  // What has no digests is of another version, or lacks a key: reading it says so.
  if (!json.is_object() || !json.contains("digests"))
    train::readRecord(folder);
  altered = train::alteredMembers(json);
  Findings findings;
  for (const std::string &line : train::findAlterations(json))
    findings.push_back(fmt::format("{}: {}", path, line));
  return findings;
}

Findings checkStepRecord(const Session &session) {
  const auto &recorded = session.record->stepRecord;
  Findings findings;
  if (recorded)
    orFinding(findings, [&] {
      checkRegular(fmt::format("{}/{}", session.folder, recorded->file));
      train::StepRecord::read(session.folder, *recorded);
    });
  return findings;
}

Findings checkSources(const Session &session) {
  const auto folder = std::filesystem::path(session.settings.model).parent_path();
  const auto &sources = session.record->sources;
  Findings findings;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    // The first one is the model itself, which --model may name differently.
    const std::string path =
        i == 0 ? session.settings.model : (folder / sources[i].name).lexically_normal().string();
    if (!exists(path))
      findings.push_back(fmt::format("{}: the source file is missing{}", path,
                                     i == 0 ? "; --model says where it is now" : ""));
    else
      orFinding(findings, [&] {
        if (hashOfFile(path) != sources[i].sha256)
          findings.push_back(fmt::format("{}: the source file is not the recorded one", path));
      });
  }
  return findings;
}

Findings checkModel(const Session &session) {
  const train::RunRecord &record = *session.record;
  const aprt_model &table = session.model->table();
  if (table.semantics_version != record.semanticsVersion)
    throw Error(ErrorKind::Data, {session.folder + "/run.json"},
                fmt::format("the record is of semantics version {}, this program has {}: the same "
                            "model may have other bits; verify it with an aprun of that version",
                            record.semanticsVersion, table.semantics_version));
  Findings findings;
  if (record.modelName != table.name)
    findings.push_back(fmt::format("model.name: the model is called {}", table.name));
  if (record.sourceHash != table.source_hash)
    findings.push_back(fmt::format("model.source_hash: {} has the hash {:.16}…, recorded is "
                                   "{:.16}…",
                                   session.settings.model, table.source_hash, record.sourceHash));
  const bool areBothKnown = !record.sources.empty() && !session.model->sources().empty();
  if (areBothKnown && session.model->sources() != record.sources)
    findings.push_back(
        fmt::format("model.sources: {} is made of other files", session.settings.model));
  std::map<std::string, double> unknown = record.hyper;
  for (std::uint32_t i = 0; i < table.hyper_count; ++i)
    if (unknown.erase(table.hypers[i].name) == 0)
      findings.push_back(fmt::format("hyper.{}: the record lacks it", table.hypers[i].name));
  for (const auto &[name, value] : unknown)
    findings.push_back(fmt::format("hyper.{}: the model has no such hyperparameter", name));
  if (record.stepRecord && record.stepRecord->columns != train::stepColumns(train::Model(table)))
    findings.push_back("steps.columns: not the tensors of the model's state and reports");
  return findings;
}

Findings checkData(const Session &session) {
  const train::RunSettings &settings = session.settings;
  const auto &recorded = session.record->dataFiles;
  Findings findings;
  const std::vector<NamedFile> named = namedFiles(settings);
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    if (i >= named.size() || named[i].role != recorded[i].role)
      return {fmt::format("data.files[{}]: the settings name no such file of role {}", i,
                          recorded[i].role)};
    const std::string &path = named[i].path;
    if (path == "-")
      throw Error(ErrorKind::Usage, {session.folder},
                  "the training read its table from standard input: name the same one by --data");
    if (path.empty() || !exists(path))
      findings.push_back(fmt::format("{}: the data file is missing; --{} says where it is now",
                                     path.empty() ? recorded[i].role : path, named[i].flag));
  }
  if (!findings.empty())
    return findings;
  // Data that feed no input are not read, and not recorded.
  const bool isFed = !session.record->inputs.empty();
  if (recorded.empty() && isFed)
    return {"data.files: the record lacks the table that feeds its inputs"};
  if (recorded.empty())
    return {};
  std::vector<RecordedFile> found;
  orFinding(findings, [&] {
    for (std::size_t i = 0; i < recorded.size(); ++i)
      checkRegular(named[i].path);
    found = describeData(settings);
  });
  if (!findings.empty())
    return findings;
  for (std::size_t i = 0; i < recorded.size(); ++i)
    compareDataFile(named[i].path, i, recorded[i], found[i], findings);
  for (std::size_t i = recorded.size(); i < found.size(); ++i)
    findings.push_back(fmt::format("data.files: the record lacks the file of role {}: {}",
                                   found[i].role, named[i].path));
  return findings;
}

Findings checkOutputs(const Session &session) {
  const train::RunRecord &record = *session.record;
  Findings findings;
  for (const auto &[name, hash] : record.outputs)
    orFinding(findings, [&] { checkOutput(session, name, hash, findings); });
  for (const char *name : {"weights.safetensors", "state.safetensors"})
    if (!record.outputs.contains(name))
      findings.push_back(fmt::format("files: the record lacks {}", name));
  return findings;
}

Findings checkStart(const Session &session) {
  const train::RunRecord &record = *session.record;
  if (record.startHash.empty())
    return {};
  if (!exists(record.startWeights))
    return {fmt::format("{}: the weights that the training started from are missing; --weights "
                        "says where they are now",
                        record.startWeights)};
  Findings findings;
  orFinding(findings, [&] {
    if (hashOfFile(record.startWeights) != record.startHash)
      findings.push_back(fmt::format("{}: the weights that the training started from are not the "
                                     "recorded ones",
                                     record.startWeights));
  });
  return findings;
}

Findings checkSavedState(const Session &session) {
  const train::RunRecord &record = *session.record;
  const std::string path = session.folder + "/state.safetensors";
  train::Instance instance(session.model->table(), 1);
  try {
    train::loadWeights(instance, path);
  } catch (const Error &error) {
    return {
        fmt::format("{}; the recorded settings (model.set) do not make this model", reason(error))};
  }
  Findings findings;
  if (train::stateHash(instance) != record.stateHash)
    findings.push_back(fmt::format("result.state_hash is not that of {}", path));
  if (train::weightHash(instance) != record.weightHash)
    findings.push_back(fmt::format("result.weight_hash is not that of {}", path));
  for (const aprt_tensor &tensor : instance.model().tensors()) {
    const auto hash = record.tensorHashes.find(tensor.name);
    if (hash == record.tensorHashes.end() || hash->second != train::tensorHash(instance, tensor))
      findings.push_back(fmt::format("result.tensors.{} is not that of {}", tensor.name, path));
  }
  if (record.tensorHashes.size() > instance.model().tensors().size())
    findings.push_back("result.tensors has a tensor that the model lacks");
  return findings;
}

Findings checkConsistency(const train::RunRecord &record) {
  Findings findings;
  if (record.history.empty() || record.history.front().step != 0)
    findings.push_back("epochs: the entry before the first step is missing");
  if (record.history.empty())
    return findings;
  checkOrder(record, findings);
  checkTrainSettings(record, findings);
  const train::RecordedEpoch &last = record.history.back();
  if (record.best.epoch > 0)
    checkBest(record, findings);
  else if (last.step == record.steps && last.stateHash != record.stateHash)
    findings.push_back("result.state_hash is not that of the last epoch");
  if (last.epoch != record.epochs)
    findings.push_back("result.epochs is not the number of the last epoch");
  if (!record.isCutShort() && last.epoch > 0 && last.step != record.steps)
    findings.push_back("result.steps is not that of the last epoch");
  if (record.stepRecord && record.stepRecord->steps != record.steps)
    findings.push_back("steps.steps is not result.steps");
  if (last.epoch > 0) {
    compareFigures("training", record.training, last.training, findings);
    compareFigures("validation", record.validation, last.validation, findings);
  }
  return findings;
}

} // namespace apr::aprun
