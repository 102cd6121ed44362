// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/record.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/elements.h"
#include "runtime/train/json_text.h"
#include "runtime/train/record_digest.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <string_view>

namespace apr::train {
namespace {

std::string absolutePath(const std::string &path) {
  std::error_code error;
  const auto result = std::filesystem::absolute(path, error);
  return error ? path : result.lexically_normal().string();
}

std::string relativePath(const std::string &path, const std::string &folder) {
  if (path.empty() || path == "-")
    return path;
  return std::filesystem::path(absolutePath(path))
      .lexically_proximate(absolutePath(folder))
      .string();
}

Json relativePaths(const std::vector<std::string> &paths, const std::string &folder) {
  Json list = Json::array();
  for (const std::string &path : paths)
    list.push_back(relativePath(path, folder));
  return list;
}

Json figuresJson(const Metrics &metrics) {
  Json object = Json::object();
  for (const Metric &metric : metrics)
    object[metric.name] = jsonNumber(metric.value);
  return object;
}

/// Figures with their bits. Elements of tensors are left to the result: there may be many.
Json exactFiguresJson(const Metrics &metrics) {
  Json object = Json::object();
  for (const Metric &metric : metrics)
    if (!metric.isElement)
      object[metric.name] = {{"value", jsonNumber(metric.value)},
                             {"bits", figureBits(metric.value)}};
  return object;
}

Json transformsJson(const Pipeline &pipeline) {
  Json list = Json::array();
  for (const Transform &transform : pipeline) {
    Json entry = {{"kind", name(transform.kind)}};
    const bool hasConstants =
        !takesLabels(transform.kind) || transform.kind == TransformKind::ClassWeights;
    if (takesLabels(transform.kind))
      entry["labels"] = transform.labels;
    if (hasConstants)
      entry["constants"] = Json::array();
    if (hasConstants)
      for (double constant : transform.constants)
        entry["constants"].push_back(jsonNumber(constant));
    list.push_back(std::move(entry));
  }
  return list;
}

Json missingJson(const Missing &missing) {
  Json value = nullptr;
  if (missing.policy == MissingPolicy::Constant)
    value = missing.constant;
  else if (!missing.fitted.empty())
    value = jsonNumber(missing.fitted.front());
  return {{"policy", name(missing.policy)}, {"value", std::move(value)}};
}

Json inputsJson(const std::vector<RecordedInput> &inputs) {
  Json list = Json::array();
  for (const RecordedInput &input : inputs) {
    Json columns = Json::array();
    for (const ColumnUse &use : input.columns.columns)
      columns.push_back({{"column", use.column + 1},
                         {"label", use.label},
                         {"missing", missingJson(use.missing)},
                         {"transforms", transformsJson(use.pipeline)}});
    list.push_back({{"name", input.need.name},
                    {"dtype", dtypeName(input.need.dtype)},
                    {"row_elements", input.need.rowElements},
                    {"index_limit", input.need.indexLimit},
                    {"sha256", input.sha256},
                    {"columns", std::move(columns)}});
  }
  return list;
}

const char *headerWord(Header header) {
  return header == Header::Detect ? "auto" : header == Header::Present ? "yes" : "no";
}

const char *formatWord(DataFormat format) {
  for (const auto &[word, value] : dataFormats())
    if (value == format)
      return word;
  return "auto";
}

Json hyperJson(const std::map<std::string, double> &values) {
  Json object = Json::object();
  for (const auto &[name, value] : values)
    object[name] = jsonNumber(value);
  return object;
}

Json augmentJson(const std::map<std::string, Augmentation> &augmentations) {
  Json object = Json::object();
  for (const auto &[input, augmentation] : augmentations)
    object[input] = text(augmentation);
  return object;
}

Json sourcesJson(const std::vector<RecordedSource> &sources) {
  Json list = Json::array();
  for (const RecordedSource &source : sources)
    list.push_back({{"name", source.name}, {"sha256", source.sha256}, {"bytes", source.bytes}});
  return list;
}

Json dataFilesJson(const std::vector<RecordedFile> &files) {
  Json list = Json::array();
  for (const RecordedFile &file : files)
    list.push_back({{"role", file.role},
                    {"sha256", file.sha256},
                    {"bytes", file.bytes},
                    {"rows", file.rows},
                    {"block_unit", file.unit == BlockUnit::Rows ? "rows" : "bytes"},
                    {"block_size", file.blockSize},
                    {"blocks", file.blocks}});
  return list;
}

Json epochsJson(const std::vector<RecordedEpoch> &history) {
  Json list = Json::array();
  for (const RecordedEpoch &entry : history)
    list.push_back({{"epoch", entry.epoch},
                    {"step", entry.step},
                    {"training", exactFiguresJson(entry.training)},
                    {"validation", exactFiguresJson(entry.validation)},
                    {"state_hash", entry.stateHash}});
  return list;
}

Json dataJson(const RunRecord &record) {
  const RunSettings &settings = record.settings;
  return {{"files", dataFilesJson(record.dataFiles)},
          {"format", formatWord(settings.bytes.format)},
          {"window", settings.bytes.window},
          {"stride", settings.bytes.stride},
          {"vocabulary", settings.bytes.vocabulary},
          {"header", headerWord(settings.format.header)},
          {"delimiter", std::string(1, settings.format.delimiter)},
          {"skip", settings.format.skippedLines},
          {"missing_words", settings.missingWords},
          {"column_count", record.columnCount},
          {"columns", record.columnNames},
          {"split", text(settings.split)},
          {"validation", settings.shares.validation},
          {"test", settings.shares.test},
          {"folds", settings.shares.folds},
          {"fold", settings.shares.fold},
          {"limit", settings.loop.limit},
          {"overfit", settings.loop.overfit},
          {"dropped_rows", record.droppedRows},
          {"training_rows", record.trainingRows},
          {"validation_rows", record.validationRows},
          {"test_rows", record.testRows},
          {"split_hash", record.splitHash}};
}

Json earlyStopJson(const RunSettings &settings) {
  if (!settings.stopsEarly)
    return nullptr;
  const BestOptions &best = settings.trainer.best;
  const char *better = best.better == Better::ByName    ? "auto"
                       : best.better == Better::Smaller ? "smaller"
                                                        : "greater";
  return {{"metric", best.metric},
          {"better", better},
          {"min_delta", best.minDelta},
          {"patience", best.patience}};
}

Json changesJson(const std::vector<HyperChange> &changes) {
  Json list = Json::array();
  for (const HyperChange &change : changes)
    list.push_back({{"step", change.step}, {"hyper", hyperJson(change.values)}});
  return list;
}

Json bestJson(const BestSoFar &best) {
  if (best.epoch == 0)
    return nullptr;
  return {{"metric", best.metric},
          {"value", jsonNumber(best.value)},
          {"bits", figureBits(best.value)},
          {"epoch", best.epoch},
          {"step", best.step}};
}

Json resultJson(const RunRecord &record) {
  return {{"end", record.end},
          {"epochs", record.epochs},
          {"steps", record.steps},
          {"training", figuresJson(record.training)},
          {"validation", figuresJson(record.validation)},
          {"best", bestJson(record.best)},
          {"state_hash", record.stateHash},
          {"weight_hash", record.weightHash},
          {"tensors", record.tensorHashes}};
}

Json stepsJson(const std::optional<RecordedSteps> &steps) {
  if (!steps)
    return nullptr;
  return {{"file", steps->file},
          {"columns", steps->columns},
          {"steps", steps->steps},
          {"digest", steps->digest}};
}

Json informationJson(const RunRecord &record, const std::string &folder) {
  const RunInformation &information = record.information;
  return {{"model", relativePath(record.model, folder)},
          {"data", relativePaths(record.settings.data, folder)},
          {"validation_data", relativePaths(record.settings.validationData, folder)},
          {"test_data", relativePaths(record.settings.testData, folder)},
          {"labels", relativePaths(record.settings.labels, folder)},
          {"weights", relativePath(record.startWeights, folder)},
          {"compiler", information.compiler},
          {"target", information.target},
          {"optimize", information.optimize},
          {"threads", information.threads},
          {"processors", information.processors},
          {"processor", information.processor},
          {"system", information.system},
          {"host", information.host},
          {"started", information.started},
          {"seconds", information.seconds}};
}

Json recordJson(const RunRecord &record, const std::string &folder) {
  const TrainerOptions &trainer = record.settings.trainer;
  return {{"record_version", recordVersion},
          {"model",
           {{"name", record.modelName},
            {"source_hash", record.sourceHash},
            {"semantics_version", record.semanticsVersion},
            {"set", record.settings.set},
            {"sources", sourcesJson(record.sources)}}},
          {"block", trainer.block},
          {"seed", trainer.seed},
          {"hyper", hyperJson(record.hyper)},
          {"dims", trainer.fixed.dims},
          {"values", hyperJson(trainer.fixed.values)},
          {"start", {{"sha256", record.startHash}}},
          {"data", dataJson(record)},
          {"inputs", inputsJson(record.inputs)},
          {"train",
           {{"batch", trainer.batchRows},
            {"augment", augmentJson(trainer.fixed.augmentations)},
            {"balance", record.settings.balance},
            {"shuffle", trainer.order == RowOrder::Shuffled},
            {"drop_last", trainer.lastBatch == LastBatch::Drop},
            {"measure", trainer.measure == Measure::After ? "after" : "during"},
            {"validate_every", trainer.validateEvery},
            {"early_stop", earlyStopJson(record.settings)}}},
          {"changes", changesJson(trainer.changes)},
          {"epochs", epochsJson(record.history)},
          {"result", resultJson(record)},
          {"files", record.outputs},
          {"steps", stepsJson(record.stepRecord)},
          {"information", informationJson(record, folder)}};
}

std::string dumped(const Json &value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

constexpr std::size_t widestLine = 100;

/// JSON with a line for each value that fits on one, so that long trainings and wide tables stay
/// readable.
void layOut(const Json &value, std::size_t indent, std::size_t used, std::string &text) {
  const std::string line = dumped(value, -1);
  if (!value.is_structured() || value.empty() || used + line.size() <= widestLine) {
    text += line;
    return;
  }
  const std::string margin(indent + 2, ' ');
  text += value.is_object() ? '{' : '[';
  const char *separator = "\n";
  for (const auto &[key, member] : value.items()) {
    const std::string name = value.is_object() ? dumped(Json(key), -1) + ": " : "";
    text += separator + margin + name;
    separator = ",\n";
    layOut(member, indent + 2, margin.size() + name.size() + 1, text);
  }
  text += "\n" + std::string(indent, ' ') + (value.is_object() ? '}' : ']');
}

/// What is not part of the header, or may change within a training.
bool isComparedMember(const std::string &path) {
  constexpr std::string_view others[] = {"epochs",      "result",  "files", "steps",
                                         "information", "changes", "hyper"};
  return std::find(std::begin(others), std::end(others), path) == std::end(others);
}

void compareHeaders(const std::string &path, const Json &recorded, const Json &now,
                    std::vector<std::string> &found) {
  constexpr std::size_t longest = 60;
  if (recorded == now)
    return;
  const bool areObjects = recorded.is_object() && now.is_object();
  const bool areLists = recorded.is_array() && now.is_array() && recorded.size() == now.size();
  if (areLists)
    for (std::size_t i = 0; i < now.size(); ++i)
      compareHeaders(fmt::format("{}[{}]", path, i), recorded[i], now[i], found);
  if (areObjects)
    for (const auto &[key, value] : now.items()) {
      const std::string member = path.empty() ? key : path + "." + key;
      if (isComparedMember(member))
        compareHeaders(member, recorded.contains(key) ? recorded[key] : Json(), value, found);
    }
  // Members that only the record has: those of maps, such as compile-time values.
  if (areObjects)
    for (const auto &[key, value] : recorded.items())
      if (!now.contains(key))
        compareHeaders(path.empty() ? key : path + "." + key, value, Json(), found);
  if (areObjects || areLists)
    return;
  const auto shown = [](const Json &value) {
    std::string text = dumped(value, -1);
    if (value.is_null())
      return std::string("not given");
    return text.size() <= longest ? text : text.substr(0, longest) + "…";
  };
  found.push_back(fmt::format("{}: the checkpoint has {}, this training {}", path, shown(recorded),
                              shown(now)));
}

} // namespace

std::string figureBits(double value) {
  // NaNs are one value here as everywhere.
  const auto bits = std::isnan(value) ? 0x7ff8000000000000u : std::bit_cast<std::uint64_t>(value);
  return fmt::format("{:016x}", bits);
}

std::string recordText(const RunRecord &record, const std::string &folder) {
  Json document = recordJson(record, folder);
  addDigests(document);
  return dumped(document, -1);
}

void writeRecord(RunRecord &record, const std::string &folder) {
  Json document = recordJson(record, folder);
  addDigests(document);
  record.trainingDigest = document["digests"]["training"];
  record.recordDigest = document["digests"]["record"];
  std::string text;
  layOut(document, 0, widestLine, text);
  writeFile(folder + "/run.json", text + "\n");
}

std::vector<std::string> headerDifferences(const RunRecord &recorded, const RunRecord &now) {
  std::vector<std::string> found;
  compareHeaders("", recordJson(recorded, ""), recordJson(now, ""), found);
  return found;
}

} // namespace apr::train
