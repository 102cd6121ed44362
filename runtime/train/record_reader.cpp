// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/record.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/record_value.h"
#include "runtime/train/suggestion.h"

#include <aprt.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

namespace apr::train {
namespace {

std::string resolvedPath(const std::string &path, const std::string &folder) {
  if (path.empty() || path == "-" || path.front() == '/')
    return path;
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

using Reader = RecordValue;

void readConstants(Transform &transform, const Reader &constants, std::size_t wanted) {
  for (const Reader &constant : constants.list())
    transform.constants.push_back(constant.number());
  if (transform.constants.size() != wanted)
    constants.fail(fmt::format("has {} numbers, expected {}", transform.constants.size(), wanted));
}

Transform readTransform(const Reader &reader) {
  Transform transform;
  std::vector<std::pair<const char *, TransformKind>> kinds;
  for (int kind = 0; kind <= static_cast<int>(TransformKind::Categories); ++kind)
    kinds.emplace_back(name(static_cast<TransformKind>(kind)), static_cast<TransformKind>(kind));
  transform.kind = reader.at("kind").oneOf(kinds);
  if (takesLabels(transform.kind)) {
    const bool isWeighted = transform.kind == TransformKind::ClassWeights;
    if (isWeighted)
      reader.keys({"kind", "labels", "constants"});
    else
      reader.keys({"kind", "labels"});
    for (const Reader &label : reader.at("labels").list())
      transform.labels.push_back(label.text());
    if (isWeighted)
      readConstants(transform, reader.at("constants"), transform.labels.size());
    return transform;
  }
  reader.keys({"kind", "constants"});
  const bool isPair =
      transform.kind == TransformKind::Normalise || transform.kind == TransformKind::Standardise ||
      transform.kind == TransformKind::MinMax || transform.kind == TransformKind::Clip;
  const std::size_t wanted = isPair ? 2 : transform.kind == TransformKind::Log ? 0 : 1;
  readConstants(transform, reader.at("constants"), wanted);
  return transform;
}

Missing readMissing(const Reader &reader) {
  reader.keys({"policy", "value"});
  Missing missing;
  std::vector<std::pair<const char *, MissingPolicy>> policies;
  for (int policy = 0; policy <= static_cast<int>(MissingPolicy::Constant); ++policy)
    policies.emplace_back(name(static_cast<MissingPolicy>(policy)),
                          static_cast<MissingPolicy>(policy));
  missing.policy = reader.at("policy").oneOf(policies);
  if (missing.policy == MissingPolicy::Constant)
    missing.constant = reader.at("value").text();
  else if (missing.isFitted())
    missing.fitted = {reader.at("value").number()};
  else if (!reader.at("value").isNothing())
    reader.at("value").fail("is not null, though nothing takes the place of a missing value");
  return missing;
}

RecordedInput readInput(const Reader &reader) {
  reader.keys({"name", "dtype", "row_elements", "index_limit", "sha256", "columns"});
  RecordedInput input;
  input.sha256 = reader.at("sha256").hash();
  input.need.name = reader.at("name").text();
  input.need.dtype = reader.at("dtype").oneOf<std::int32_t>({{"f32", APRT_F32},
                                                             {"f64", APRT_F64},
                                                             {"i32", APRT_I32},
                                                             {"i64", APRT_I64},
                                                             {"bool", APRT_BOOL},
                                                             {"u8", APRT_U8},
                                                             {"bf16", APRT_BF16}});
  input.need.rowElements = static_cast<std::size_t>(reader.at("row_elements").count());
  input.need.indexLimit = static_cast<std::int64_t>(reader.at("index_limit").count());
  input.columns.input = input.need.name;
  for (const Reader &column : reader.at("columns").list()) {
    column.keys({"column", "label", "missing", "transforms"});
    ColumnUse use;
    const std::uint64_t position = column.at("column").count();
    if (position == 0)
      column.at("column").fail("counts from 1");
    use.column = static_cast<std::size_t>(position - 1);
    use.label = column.at("label").text();
    use.missing = readMissing(column.at("missing"));
    for (const Reader &transform : column.at("transforms").list())
      use.pipeline.push_back(readTransform(transform));
    if (std::any_of(use.pipeline.begin(), use.pipeline.end(),
                    [](const Transform &t) { return takesLabels(t.kind); }) &&
        use.pipeline.size() > 1)
      column.at("transforms").fail("holds a category transform that does not stand alone");
    input.columns.columns.push_back(std::move(use));
  }
  return input;
}

constexpr std::uint64_t anyCount = std::numeric_limits<std::int64_t>::max();

Metrics readFigures(const Reader &reader) {
  Metrics metrics;
  for (const auto &[name, value] : reader.entries())
    metrics.push_back({name, value.number()});
  return metrics;
}

Metrics readExactFigures(const Reader &reader) {
  Metrics metrics;
  for (const auto &[name, figure] : reader.entries()) {
    figure.keys({"value", "bits"});
    const double value = figure.at("value").number();
    if (figure.at("bits").hexadecimal(16) != figureBits(value))
      figure.at("bits").fail(fmt::format("are not those of its value, {}", figureBits(value)));
    metrics.push_back({name, value});
  }
  return metrics;
}

void readModel(RunRecord &record, const Reader &model) {
  model.keys({"name", "source_hash", "semantics_version", "set", "sources"});
  record.modelName = model.at("name").text();
  record.sourceHash = model.at("source_hash").hash();
  record.semanticsVersion = static_cast<std::uint32_t>(
      model.at("semantics_version").count(0, std::numeric_limits<std::uint32_t>::max()));
  for (const auto &[name, value] : model.at("set").entries())
    record.settings.set[name] = value.text();
  for (const Reader &source : model.at("sources").list()) {
    source.keys({"name", "sha256", "bytes"});
    record.sources.push_back(
        {source.at("name").text(), source.at("sha256").hash(), source.at("bytes").count()});
  }
}

RecordedFile readDataFile(const Reader &reader) {
  reader.keys({"role", "sha256", "bytes", "rows", "block_unit", "block_size", "blocks"});
  RecordedFile file;
  file.role = reader.at("role").text();
  constexpr std::string_view roles[] = {
      "table", "labels", "validation table", "validation labels", "test table", "test labels"};
  if (std::find(std::begin(roles), std::end(roles), file.role) == std::end(roles))
    reader.at("role").fail("is no table and no labels");
  file.sha256 = reader.at("sha256").hash();
  file.bytes = reader.at("bytes").count();
  file.rows = reader.at("rows").count();
  file.unit = reader.at("block_unit")
                  .oneOf<BlockUnit>({{"rows", BlockUnit::Rows}, {"bytes", BlockUnit::Bytes}});
  file.blockSize = reader.at("block_size").count(1, anyCount);
  const std::uint64_t total = file.unit == BlockUnit::Rows ? file.rows : file.bytes;
  const std::uint64_t blocks = total / file.blockSize + (total % file.blockSize > 0 ? 1 : 0);
  if (blocks > mostBlocks)
    reader.at("block_size").fail(fmt::format("makes more than {} blocks", mostBlocks));
  file.blocks = reader.at("blocks").hexadecimal(static_cast<std::size_t>(8 * blocks));
  return file;
}

void readSplit(RunRecord &record, const Reader &data) {
  try {
    record.settings.split = parseSplitRule(data.at("split").text(), {});
  } catch (const Error &) {
    data.at("split").fail("is no way to divide rows");
  }
  SplitShares &shares = record.settings.shares;
  const auto share = [&](const char *key) {
    const double value = data.at(key).number();
    if (!(value >= 0 && value < 1))
      data.at(key).fail("is not a share from 0 to 1");
    return value;
  };
  shares.validation = share("validation");
  shares.test = share("test");
  shares.folds = static_cast<std::size_t>(data.at("folds").count(0, std::uint64_t{1} << 40));
  shares.fold = static_cast<std::size_t>(data.at("fold").count(0, shares.folds));
  if ((shares.folds > 0) != (shares.fold > 0))
    data.at("fold").fail("does not belong to the folds");
  record.testRows = data.at("test_rows").count();
}

void readData(RunRecord &record, const Reader &data) {
  data.keys(
      {"files",        "format",        "window",          "stride",       "vocabulary", "header",
       "delimiter",    "skip",          "missing_words",   "column_count", "columns",    "split",
       "validation",   "test",          "folds",           "fold",         "limit",      "overfit",
       "dropped_rows", "training_rows", "validation_rows", "test_rows",    "split_hash"});
  for (const Reader &file : data.at("files").list())
    record.dataFiles.push_back(readDataFile(file));
  ByteFormat &bytes = record.settings.bytes;
  bytes.format = data.at("format").oneOf<DataFormat>(dataFormats());
  bytes.window = static_cast<std::size_t>(data.at("window").count());
  bytes.stride = static_cast<std::size_t>(data.at("stride").count());
  for (const Reader &byte : data.at("vocabulary").list())
    bytes.vocabulary.push_back(byte.count(0, 255));
  record.settings.format.header = data.at("header").oneOf<Header>(
      {{"auto", Header::Detect}, {"yes", Header::Present}, {"no", Header::Absent}});
  const std::string delimiter = data.at("delimiter").text();
  if (delimiter.size() != 1)
    data.at("delimiter").fail("is not one character");
  record.settings.format.delimiter = delimiter[0];
  record.settings.format.skippedLines = static_cast<std::size_t>(data.at("skip").count());
  record.settings.missingWords.clear();
  for (const Reader &word : data.at("missing_words").list())
    record.settings.missingWords.push_back(word.text());
  record.columnCount = static_cast<std::size_t>(data.at("column_count").count());
  for (const Reader &column : data.at("columns").list())
    record.columnNames.push_back(column.text());
  readSplit(record, data);
  record.droppedRows = data.at("dropped_rows").count();
  record.settings.loop.limit = data.at("limit").count();
  record.settings.loop.overfit = data.at("overfit").count();
  record.trainingRows = data.at("training_rows").count();
  record.validationRows = data.at("validation_rows").count();
  record.splitHash = data.at("split_hash").hash();
}

void readInputs(RunRecord &record, const Reader &inputs) {
  for (const Reader &input : inputs.list())
    record.inputs.push_back(readInput(input));
  for (const RecordedInput &input : record.inputs)
    for (const ColumnUse &use : input.columns.columns)
      if (use.column >= record.columnCount)
        inputs.fail(fmt::format("takes column {} of a table of {} for {}", use.column + 1,
                                record.columnCount, inQuotes(input.need.name)));
}

void readEarlyStop(RunSettings &settings, const Reader &reader) {
  if (reader.isNothing())
    return;
  reader.keys({"metric", "better", "min_delta", "patience"});
  settings.stopsEarly = true;
  BestOptions &best = settings.trainer.best;
  best.isWatched = true;
  best.metric = reader.at("metric").text();
  best.better = reader.at("better").oneOf<Better>(
      {{"auto", Better::ByName}, {"smaller", Better::Smaller}, {"greater", Better::Greater}});
  best.minDelta = reader.at("min_delta").number();
  best.patience = reader.at("patience").count();
}

void readChanges(TrainerOptions &trainer, const Reader &changes) {
  for (const Reader &reader : changes.list()) {
    reader.keys({"step", "hyper"});
    HyperChange change;
    change.step = reader.at("step").count();
    if (!trainer.changes.empty() && change.step < trainer.changes.back().step)
      reader.at("step").fail("is less than that of the change before");
    for (const auto &[name, value] : reader.at("hyper").entries())
      change.values[name] = value.number();
    trainer.changes.push_back(std::move(change));
  }
}

void readBest(BestSoFar &best, const Reader &reader) {
  if (reader.isNothing())
    return;
  reader.keys({"metric", "value", "bits", "epoch", "step"});
  best.metric = reader.at("metric").text();
  best.value = reader.at("value").number();
  if (reader.at("bits").hexadecimal(16) != figureBits(best.value))
    reader.at("bits").fail(fmt::format("are not those of its value, {}", figureBits(best.value)));
  best.epoch = reader.at("epoch").count(1, anyCount);
  best.step = reader.at("step").count();
}

void readTraining(RunRecord &record, const Reader &root) {
  TrainerOptions &trainer = record.settings.trainer;
  trainer.block = root.at("block").text();
  trainer.seed = root.at("seed").count();
  for (const auto &[name, value] : root.at("hyper").entries())
    record.hyper[name] = trainer.hyper[name] = value.number();
  for (const auto &[name, value] : root.at("dims").entries())
    trainer.fixed.dims[name] = static_cast<std::int64_t>(value.count(0, anyCount));
  for (const auto &[name, value] : root.at("values").entries())
    trainer.fixed.values[name] = value.number();
  record.startHash = root.at("start").keys({"sha256"}).at("sha256").hashOrNothing();
  const Reader train = root.at("train");
  train.keys({"batch", "augment", "balance", "shuffle", "drop_last", "measure", "validate_every",
              "early_stop"});
  trainer.batchRows = static_cast<std::size_t>(train.at("batch").count(1, std::uint64_t{1} << 40));
  for (const auto &[input, steps] : train.at("augment").entries())
    trainer.fixed.augmentations[input] = parseAugmentation(steps.text(), {inQuotes(input)});
  record.settings.balance = train.at("balance").text();
  trainer.order = train.at("shuffle").truth() ? RowOrder::Shuffled : RowOrder::AsInFile;
  trainer.lastBatch = train.at("drop_last").truth() ? LastBatch::Drop : LastBatch::Keep;
  trainer.measure =
      train.at("measure").oneOf<Measure>({{"during", Measure::During}, {"after", Measure::After}});
  trainer.validateEvery = train.at("validate_every").count(1, anyCount);
  readEarlyStop(record.settings, train.at("early_stop"));
  readChanges(trainer, root.at("changes"));
}

void readEpochs(RunRecord &record, const Reader &epochs) {
  for (const Reader &entry : epochs.list()) {
    entry.keys({"epoch", "step", "training", "validation", "state_hash", "digest"});
    entry.at("digest").hash();
    RecordedEpoch epoch;
    epoch.epoch = entry.at("epoch").count();
    epoch.step = entry.at("step").count();
    if (!record.history.empty() && epoch.step < record.history.back().step)
      entry.at("step").fail("is less than that of the entry before");
    epoch.training = readExactFigures(entry.at("training"));
    epoch.validation = readExactFigures(entry.at("validation"));
    epoch.stateHash = entry.at("state_hash").hash();
    record.history.push_back(std::move(epoch));
  }
}

void readResult(RunRecord &record, const Reader &result) {
  result.keys({"end", "epochs", "steps", "training", "validation", "best", "state_hash",
               "weight_hash", "tensors"});
  record.end = result.at("end").text();
  if (std::find(std::begin(runEnds), std::end(runEnds), record.end) == std::end(runEnds))
    result.at("end").fail(
        fmt::format("is none of {}", listed({std::begin(runEnds), std::end(runEnds)})));
  readBest(record.best, result.at("best"));
  record.epochs = result.at("epochs").count();
  record.steps = result.at("steps").count(0, anyCount);
  if (!record.history.empty() && record.steps < record.history.back().step)
    result.at("steps").fail("is less than that of the last epoch");
  record.training = readFigures(result.at("training"));
  record.validation = readFigures(result.at("validation"));
  record.stateHash = result.at("state_hash").hash();
  record.weightHash = result.at("weight_hash").hash();
  for (const auto &[name, hash] : result.at("tensors").entries())
    record.tensorHashes[name] = hash.hash();
}

void readSteps(RunRecord &record, const Reader &steps) {
  if (steps.isNothing())
    return;
  steps.keys({"file", "columns", "steps", "digest"});
  RecordedSteps recorded;
  recorded.file = steps.at("file").text();
  if (recorded.file.empty() || recorded.file.find('/') != std::string::npos)
    steps.at("file").fail("is not the name of a file in the run's folder");
  for (const Reader &column : steps.at("columns").list())
    recorded.columns.push_back(column.text());
  recorded.steps = steps.at("steps").count();
  recorded.digest = steps.at("digest").hash();
  record.stepRecord = std::move(recorded);
}

void readInformation(RunRecord &record, const Reader &reader, const std::string &folder) {
  reader.keys({"model", "data", "validation_data", "test_data", "labels", "weights", "compiler",
               "target", "optimize", "threads", "processors", "processor", "system", "host",
               "started", "seconds"});
  const auto path = [&](const char *key) { return resolvedPath(reader.at(key).text(), folder); };
  record.model = record.settings.model = path("model");
  const auto paths = [&](const char *key) {
    std::vector<std::string> list;
    for (const Reader &entry : reader.at(key).list())
      list.push_back(resolvedPath(entry.text(), folder));
    return list;
  };
  record.settings.data = paths("data");
  record.settings.validationData = paths("validation_data");
  record.settings.testData = paths("test_data");
  record.settings.labels = paths("labels");
  record.startWeights = path("weights");
  RunInformation &information = record.information;
  information.compiler = reader.at("compiler").text();
  information.target = reader.at("target").text();
  information.optimize = reader.at("optimize").text();
  information.threads = static_cast<std::uint32_t>(reader.at("threads").count(0, 1024));
  information.processors = static_cast<std::uint32_t>(
      reader.at("processors").count(0, std::numeric_limits<std::uint32_t>::max()));
  information.processor = reader.at("processor").text();
  information.system = reader.at("system").text();
  information.host = reader.at("host").text();
  information.started = reader.at("started").text();
  information.seconds = reader.at("seconds").number();
}

void checkVersion(const Reader &root) {
  const std::uint64_t version = root.at("record_version").count();
  if (version < recordVersion)
    root.at("record_version")
        .fail(fmt::format("is {}: an older aprun wrote it, and this one reads version {}; train "
                          "again",
                          version, recordVersion));
  if (version > recordVersion)
    root.at("record_version")
        .fail(fmt::format("is {}: a newer aprun wrote it, and this one reads version {}", version,
                          recordVersion));
}

} // namespace

RunRecord readRecord(const std::string &folder) {
  const std::string file = folder + "/run.json";
  return parseRecord(readFile(file), file, folder);
}

RunRecord parseRecord(const std::string &text, const std::string &file, const std::string &folder) {
  const ParsedJson json = parseJson(text, file);
  const Reader root(json, file, "");
  checkVersion(root);
  root.keys({"record_version", "model", "block", "seed", "hyper", "dims", "values", "start", "data",
             "inputs", "train", "changes", "epochs", "result", "files", "steps", "information",
             "digests"});
  RunRecord record;
  readModel(record, root.at("model"));
  readTraining(record, root);
  readData(record, root.at("data"));
  readInputs(record, root.at("inputs"));
  readEpochs(record, root.at("epochs"));
  readResult(record, root.at("result"));
  for (const auto &[name, hash] : root.at("files").entries())
    record.outputs[name] = hash.hash();
  readSteps(record, root.at("steps"));
  readInformation(record, root.at("information"), folder);
  const Reader digests = root.at("digests");
  digests.keys({"header", "training", "record", "members"});
  digests.at("header").hash();
  record.trainingDigest = digests.at("training").hash();
  record.recordDigest = digests.at("record").hash();
  for (const auto &[path, digest] : digests.at("members").entries())
    digest.hexadecimal(16);
  return record;
}

} // namespace apr::train
