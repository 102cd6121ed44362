// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/record.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/json_text.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/table_loader.h"

#include <aprt.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

namespace apr::train {
namespace {

constexpr int recordVersion = 1;

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

std::string resolvedPath(const std::string &path, const std::string &folder) {
  if (path.empty() || path == "-" || path.front() == '/')
    return path;
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

Json metricsJson(const Metrics &metrics) {
  Json object = Json::object();
  for (const Metric &metric : metrics)
    object[metric.name] = jsonNumber(metric.value);
  return object;
}

Json transformsJson(const Pipeline &pipeline) {
  Json list = Json::array();
  for (const Transform &transform : pipeline) {
    Json entry = {{"kind", name(transform.kind)}};
    if (takesLabels(transform.kind))
      entry["labels"] = transform.labels;
    else
      entry["constants"] = transform.constants;
    list.push_back(std::move(entry));
  }
  return list;
}

Json inputsJson(const std::vector<RecordedInput> &inputs) {
  Json list = Json::array();
  for (const RecordedInput &input : inputs) {
    Json columns = Json::array();
    for (const ColumnUse &use : input.columns.columns)
      columns.push_back({{"column", use.column + 1},
                         {"label", use.label},
                         {"transforms", transformsJson(use.pipeline)}});
    list.push_back({{"name", input.need.name},
                    {"dtype", dtypeName(input.need.dtype)},
                    {"row_elements", input.need.rowElements},
                    {"index_limit", input.need.indexLimit},
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

/// Typed access to untrusted JSON, every failure naming the key.
class Reader {
public:
  Reader(const ParsedJson &json, std::string file, std::string path)
      : json_(&json), file_(std::move(file)), path_(std::move(path)) {}

  Reader at(const std::string &key) const {
    const std::string path = path_.empty() ? key : path_ + "." + key;
    if (!json_->is_object() || !json_->contains(key))
      fail(path, "is missing");
    return {(*json_)[key], file_, path};
  }
  std::vector<Reader> list() const {
    if (!json_->is_array())
      fail(path_, "is not a list");
    std::vector<Reader> result;
    for (std::size_t i = 0; i < json_->size(); ++i)
      result.emplace_back((*json_)[i], file_, fmt::format("{}[{}]", path_, i));
    return result;
  }
  std::map<std::string, Reader> entries() const {
    if (!json_->is_object())
      fail(path_, "is not an object");
    std::map<std::string, Reader> result;
    for (const auto &[key, value] : json_->items())
      result.emplace(key, Reader(value, file_, path_ + "." + key));
    return result;
  }
  std::string text() const {
    if (!json_->is_string())
      fail(path_, "is not text");
    return json_->get<std::string>();
  }
  std::uint64_t count() const {
    if (!json_->is_number_unsigned())
      fail(path_, "is not a whole number of at least 0");
    return json_->get<std::uint64_t>();
  }
  double number() const {
    if (json_->is_string()) {
      const auto word = json_->get<std::string>();
      if (word == "NaN")
        return std::numeric_limits<double>::quiet_NaN();
      if (word == "Infinity" || word == "-Infinity")
        return (word[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
    }
    if (!json_->is_number())
      fail(path_, "is not a number");
    return json_->get<double>();
  }
  bool truth() const {
    if (!json_->is_boolean())
      fail(path_, "is not true or false");
    return json_->get<bool>();
  }
  template <class T> T oneOf(const std::vector<std::pair<const char *, T>> &choices) const {
    const std::string word = text();
    for (const auto &[choice, value] : choices)
      if (word == choice)
        return value;
    fail(path_, fmt::format("has the unknown value {}", inQuotes(word)));
  }
  [[noreturn]] void fail(const std::string &path, const std::string &message) const {
    throw Error(ErrorKind::Data, {file_}, fmt::format("the record's {} {}", path, message));
  }
  [[noreturn]] void fail(const std::string &message) const { fail(path_, message); }

private:
  const ParsedJson *json_;
  std::string file_;
  std::string path_;
};

Transform readTransform(const Reader &reader) {
  Transform transform;
  std::vector<std::pair<const char *, TransformKind>> kinds;
  for (int kind = 0; kind <= static_cast<int>(TransformKind::Categories); ++kind)
    kinds.emplace_back(name(static_cast<TransformKind>(kind)), static_cast<TransformKind>(kind));
  transform.kind = reader.at("kind").oneOf(kinds);
  if (takesLabels(transform.kind)) {
    for (const Reader &label : reader.at("labels").list())
      transform.labels.push_back(label.text());
    return transform;
  }
  for (const Reader &constant : reader.at("constants").list())
    transform.constants.push_back(constant.number());
  const bool isPair = transform.kind == TransformKind::Standardise ||
                      transform.kind == TransformKind::MinMax ||
                      transform.kind == TransformKind::Clip;
  const std::size_t wanted = isPair ? 2 : transform.kind == TransformKind::Log ? 0 : 1;
  if (transform.constants.size() != wanted)
    reader.at("constants")
        .fail(fmt::format("has {} numbers, expected {}", transform.constants.size(), wanted));
  return transform;
}

RecordedInput readInput(const Reader &reader) {
  RecordedInput input;
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
    ColumnUse use;
    const std::uint64_t position = column.at("column").count();
    if (position == 0)
      column.at("column").fail("counts from 1");
    use.column = static_cast<std::size_t>(position - 1);
    use.label = column.at("label").text();
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

Metrics readMetrics(const Reader &reader) {
  Metrics metrics;
  for (const auto &[name, value] : reader.entries())
    metrics.push_back({name, value.number()});
  return metrics;
}

void readData(RunRecord &record, const Reader &data, const std::string &folder) {
  record.settings.data = resolvedPath(data.at("file").text(), folder);
  record.dataHash = data.at("sha256").text();
  ByteFormat &bytes = record.settings.bytes;
  bytes.format = data.at("format").oneOf<DataFormat>(dataFormats());
  bytes.labels = resolvedPath(data.at("labels").text(), folder);
  bytes.window = static_cast<std::size_t>(data.at("window").count());
  bytes.stride = static_cast<std::size_t>(data.at("stride").count());
  for (const Reader &byte : data.at("vocabulary").list())
    bytes.vocabulary.push_back(byte.count());
  record.settings.format.header = data.at("header").oneOf<Header>(
      {{"auto", Header::Detect}, {"yes", Header::Present}, {"no", Header::Absent}});
  const std::string delimiter = data.at("delimiter").text();
  if (delimiter.size() != 1)
    data.at("delimiter").fail("is not one character");
  record.settings.format.delimiter = delimiter[0];
  record.settings.format.skippedLines = static_cast<std::size_t>(data.at("skip").count());
  record.settings.validation = data.at("validation").number();
  if (!(record.settings.validation >= 0 && record.settings.validation < 1))
    data.at("validation").fail("is not a share from 0 to 1");
  record.columnCount = static_cast<std::size_t>(data.at("column_count").count());
  for (const Reader &column : data.at("columns").list())
    record.columnNames.push_back(column.text());
  record.trainingRows = data.at("training_rows").count();
  record.validationRows = data.at("validation_rows").count();
}

void readTraining(RunRecord &record, const Reader &root) {
  TrainerOptions &trainer = record.settings.trainer;
  trainer.block = root.at("block").text();
  trainer.seed = root.at("seed").count();
  for (const auto &[name, value] : root.at("hyper").entries())
    record.hyper[name] = trainer.hyper[name] = value.number();
  for (const auto &[name, value] : root.at("dims").entries())
    trainer.fixed.dims[name] = static_cast<std::int64_t>(value.count());
  for (const auto &[name, value] : root.at("values").entries())
    trainer.fixed.values[name] = value.number();
  const Reader train = root.at("train");
  trainer.batchRows = static_cast<std::size_t>(train.at("batch").count());
  trainer.order = train.at("shuffle").truth() ? RowOrder::Shuffled : RowOrder::AsInFile;
  trainer.lastBatch = train.at("drop_last").truth() ? LastBatch::Drop : LastBatch::Keep;
  trainer.measure =
      train.at("measure").oneOf<Measure>({{"during", Measure::During}, {"after", Measure::After}});
  record.epochs = train.at("epochs").count();
  record.steps = train.at("steps").count();
}

ColumnUse recordedColumn(const RunRecord &record, const ColumnUse &trained, const ColumnSet &table,
                         const std::vector<std::size_t> &needed) {
  ColumnUse use = trained;
  if (!table.names.empty() && !record.columnNames.empty()) {
    const auto found = std::find(table.names.begin(), table.names.end(), trained.label);
    if (found == table.names.end())
      throw Error(ErrorKind::Data, {table.file},
                  fmt::format("the table lacks the column {} that the model was trained on{}",
                              inQuotes(trained.label), suggestion(trained.label, table.names)));
    use.column = static_cast<std::size_t>(found - table.names.begin());
    return use;
  }
  if (table.count == record.columnCount)
    return use;
  if (table.count == needed.size()) {
    use.column = static_cast<std::size_t>(std::find(needed.begin(), needed.end(), trained.column) -
                                          needed.begin());
    return use;
  }
  throw Error(ErrorKind::Data, {table.file},
              fmt::format("the table has {} columns, expected {} as in training, or just the {} "
                          "that the inputs take",
                          table.count, record.columnCount, needed.size()));
}

const RecordedInput &recordedFor(const RunRecord &record, const InputNeed &need) {
  const RecordedInput *alike = nullptr;
  std::size_t alikeCount = 0;
  for (const RecordedInput &input : record.inputs) {
    if (input.need.name == need.name)
      return input;
    if (input.need.dtype == need.dtype && input.need.rowElements == need.rowElements) {
      alike = &input;
      ++alikeCount;
    }
  }
  if (alikeCount == 1)
    return *alike;
  std::vector<std::string> names;
  for (const RecordedInput &input : record.inputs)
    names.push_back(input.need.name);
  throw Error(ErrorKind::Usage,
              fmt::format("the run was not trained with an input {}; it knows {}",
                          inQuotes(need.name), names.empty() ? "none" : listed(names)));
}

} // namespace

void writeRecord(const RunRecord &record, const std::string &folder) {
  const RunSettings &settings = record.settings;
  const TrainerOptions &trainer = settings.trainer;
  Json document = {{"record_version", recordVersion},
                   {"model",
                    {{"path", relativePath(record.model, folder)},
                     {"name", record.modelName},
                     {"source_hash", record.sourceHash},
                     {"compiler", record.compiler},
                     {"semantics_version", record.semanticsVersion},
                     {"set", settings.set}}},
                   {"block", trainer.block},
                   {"seed", trainer.seed},
                   {"hyper", record.hyper},
                   {"dims", trainer.fixed.dims},
                   {"values", trainer.fixed.values},
                   {"data",
                    {{"file", relativePath(settings.data, folder)},
                     {"sha256", record.dataHash},
                     {"format", formatWord(settings.bytes.format)},
                     {"labels", relativePath(settings.bytes.labels, folder)},
                     {"window", settings.bytes.window},
                     {"stride", settings.bytes.stride},
                     {"vocabulary", settings.bytes.vocabulary},
                     {"header", headerWord(settings.format.header)},
                     {"delimiter", std::string(1, settings.format.delimiter)},
                     {"skip", settings.format.skippedLines},
                     {"column_count", record.columnCount},
                     {"columns", record.columnNames},
                     {"validation", settings.validation},
                     {"training_rows", record.trainingRows},
                     {"validation_rows", record.validationRows}}},
                   {"inputs", inputsJson(record.inputs)},
                   {"train",
                    {{"epochs", record.epochs},
                     {"steps", record.steps},
                     {"batch", trainer.batchRows},
                     {"shuffle", trainer.order == RowOrder::Shuffled},
                     {"drop_last", trainer.lastBatch == LastBatch::Drop},
                     {"measure", trainer.measure == Measure::After ? "after" : "during"}}},
                   {"result",
                    {{"end", record.end},
                     {"training", metricsJson(record.training)},
                     {"validation", metricsJson(record.validation)},
                     {"state_hash", record.stateHash},
                     {"weight_hash", record.weightHash}}}};
  writeFile(folder + "/run.json",
            document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

RunRecord readRecord(const std::string &folder) {
  const std::string file = folder + "/run.json";
  const ParsedJson json = parseJson(readFile(file), file);
  const Reader root(json, file, "");
  if (root.at("record_version").count() != recordVersion)
    root.at("record_version")
        .fail(fmt::format("is not {}, the one this program reads", recordVersion));
  RunRecord record;
  const Reader model = root.at("model");
  record.model = resolvedPath(model.at("path").text(), folder);
  record.settings.model = record.model;
  record.modelName = model.at("name").text();
  record.sourceHash = model.at("source_hash").text();
  record.compiler = model.at("compiler").text();
  record.semanticsVersion = static_cast<std::uint32_t>(model.at("semantics_version").count());
  for (const auto &[name, value] : model.at("set").entries())
    record.settings.set[name] = value.text();
  readTraining(record, root);
  readData(record, root.at("data"), folder);
  for (const Reader &input : root.at("inputs").list())
    record.inputs.push_back(readInput(input));
  for (const RecordedInput &input : record.inputs)
    for (const ColumnUse &use : input.columns.columns)
      if (use.column >= record.columnCount)
        root.at("inputs").fail(fmt::format("takes column {} of a table of {} for {}",
                                           use.column + 1, record.columnCount,
                                           inQuotes(input.need.name)));
  const Reader result = root.at("result");
  record.end = result.at("end").text();
  record.training = readMetrics(result.at("training"));
  record.validation = readMetrics(result.at("validation"));
  record.stateHash = result.at("state_hash").text();
  record.weightHash = result.at("weight_hash").text();
  return record;
}

std::vector<InputColumns> bindRecorded(const RunRecord &record,
                                       const std::vector<InputNeed> &wanted,
                                       const ColumnSet &table) {
  std::set<std::size_t> columns;
  for (const InputNeed &need : wanted)
    for (const ColumnUse &use : recordedFor(record, need).columns.columns)
      columns.insert(use.column);
  const std::vector<std::size_t> needed(columns.begin(), columns.end());
  std::vector<InputColumns> bindings;
  for (const InputNeed &need : wanted) {
    InputColumns binding{need.name, {}};
    for (const ColumnUse &trained : recordedFor(record, need).columns.columns)
      binding.columns.push_back(recordedColumn(record, trained, table, needed));
    bindings.push_back(std::move(binding));
  }
  return bindings;
}

} // namespace apr::train
