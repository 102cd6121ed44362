// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/load_data.h"

#include "runtime/train/array_source.h"
#include "runtime/train/byte_loader.h"
#include "runtime/train/csv_source.h"
#include "runtime/train/gzip.h"
#include "runtime/train/sharded_source.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/table_loader.h"
#include "tools/aprun/data_description.h"

#include <fmt/format.h>

#include <numeric>

namespace apr::aprun {
namespace {

using train::ByteTable;
using train::CsvTable;
using train::DataFile;
using train::DataFormat;
using train::Error;
using train::ErrorKind;
using train::FilePart;
using train::RunSettings;
using train::SplitKind;
using train::TableLoader;

std::vector<train::InputColumns> bindings(const Session &session, const train::ColumnSet &table,
                                          const std::vector<train::InputNeed> &needs, DataUse use) {
  const RunSettings &settings = session.settings;
  // A run without data has no columns to remember: its tables are read as they come.
  auto bindings = session.record && !session.record->inputs.empty()
                      ? train::bindRecorded(*session.record, needs, table, settings.inputs)
                      : train::bindColumns(needs, table, settings.inputs, settings.transforms,
                                           settings.missing);
  for (train::InputColumns &binding : bindings)
    for (train::ColumnUse &column : binding.columns)
      if (use == DataUse::EveryRow && column.missing.policy == train::MissingPolicy::DropRow)
        column.missing = {};
  return bindings;
}

std::string listedInputs(const std::vector<train::InputNeed> &needs) {
  std::vector<std::string> names;
  for (const train::InputNeed &need : needs)
    names.push_back(need.name);
  return train::listed(names);
}

/// A policy for missing values would do nothing in a table of bytes: each of them is a value.
void checkNothingIsMissing(const RunSettings &settings, const std::string &file) {
  for (const train::Declared &declared : settings.missing)
    if (train::parseMissing(declared.text).policy != train::MissingPolicy::Error)
      throw Error(
          ErrorKind::Usage, declared.place,
          fmt::format("{} = {} is for tables that can lack values; {} is made of bytes, and "
                      "each byte is a value; leave it out",
                      declared.key, train::inQuotes(declared.text), file));
}

std::string nameOfFile(const std::string &path) { return path == "-" ? "<stdin>" : path; }

/// The columns that decide where rows go: that of the split, then that of the balance.
std::vector<train::ColumnUse> keyColumns(const RunSettings &settings,
                                         const train::ColumnSet &table) {
  std::vector<train::ColumnUse> keys;
  const auto add = [&](const std::string &column, const char *flag) {
    const auto found = train::selectColumns(column, table, {flag});
    if (found.size() != 1)
      throw Error(
          ErrorKind::Usage, {flag},
          fmt::format("expected one column, {} are {}", train::inQuotes(column), found.size()));
    keys.push_back({found[0], train::columnLabel(table, found[0]), {}});
  };
  if (settings.split.kind != SplitKind::Random)
    add(settings.split.column, "--split");
  if (!settings.balance.empty())
    add(settings.balance, "--balance");
  return keys;
}

/// The rows of each part: those of the files of a part, and a division of the others.
template <class Loader>
train::Split divided(const RunSettings &settings, const std::vector<DataFile> &files,
                     const Loader &loader) {
  std::vector<std::size_t> rows[3];
  for (std::size_t row = 0; row < loader.rows(); ++row)
    rows[static_cast<std::size_t>(files[loader.shardOf(row)].part)].push_back(row);
  const bool hasColumn = settings.split.kind != SplitKind::Random;
  train::Split split = train::splitRows(settings.trainer.seed, settings.split, settings.shares,
                                        rows[0], hasColumn ? loader.key(0) : train::RowKeys{});
  // Rows of later files have greater numbers, so the parts stay ascending.
  split.validation.insert(split.validation.end(), rows[1].begin(), rows[1].end());
  split.test.insert(split.test.end(), rows[2].begin(), rows[2].end());
  if (!settings.balance.empty())
    split.balanced = loader.key(hasColumn ? 1 : 0).codes;
  return split;
}

/// Divides the rows of a table and makes the inputs of them.
template <class Loader>
void assemble(const Session &session, const std::vector<train::InputNeed> &needs,
              const train::ColumnSet &columns, Loader loader, LoadedData &loaded) {
  const RunSettings &settings = session.settings;
  loaded.columnNames = columns.names;
  loaded.columnCount = columns.count;
  loaded.droppedRows = loader.droppedRows();
  loaded.split = train::limited(divided(settings, dataFiles(settings), loader), settings.loop,
                                settings.trainer.seed);
  if (!session.record && loaded.split.training.empty())
    throw Error(ErrorKind::Data, {columns.file},
                fmt::format("the split leaves none of the {} rows for training: {} are for "
                            "validation, {} for the test",
                            loader.rows(), loaded.split.validation.size(),
                            loaded.split.test.size()));
  // Recorded transforms are fitted: nothing of a new table may flow into them.
  loaded.data =
      loader.assemble(session.record ? std::vector<std::size_t>{} : loaded.split.training);
  for (std::size_t i = 0; i < needs.size(); ++i)
    loaded.inputs.push_back({needs[i], loader.bindings()[i]});
}

/// The files of one format, read.
class Loading {
public:
  Loading(const Session &session, const std::vector<train::InputNeed> &needs, DataUse use,
          LoadedData &loaded)
      : session_(session), needs_(needs), use_(use), loaded_(loaded),
        files_(train::dataFiles(session.settings)) {}

  void run() {
    for (const DataFile &file : files_)
      contents_.push_back(train::readMaybeCompressed(file.path));
    std::vector<DataFormat> formats;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      formats.push_back(train::detectFormat(files_[i].path, contents_[i], byteFormat(files_[i])));
      if (formats.back() != formats.front())
        throw Error(ErrorKind::Data, {files_[i].path},
                    fmt::format("the file is of another format than {}; --data-format says which "
                                "they are",
                                files_.front().path));
    }
    if (formats.front() == DataFormat::Csv)
      loadText();
    else if (formats.front() == DataFormat::Npy)
      loadArrays();
    else
      loadBytes(formats.front());
  }

private:
  const RunSettings &settings() const { return session_.settings; }
  bool isDescribed() const { return use_ == DataUse::RowsAndDescription; }

  train::ByteFormat byteFormat(const DataFile &file) const {
    train::ByteFormat format = settings().bytes;
    format.labels = file.labels;
    return format;
  }

  void describe(train::RecordedFile description, std::string role) {
    loaded_.files.push_back(std::move(description));
    loaded_.files.back().role = std::move(role);
  }

  void loadTable(const std::vector<train::ColumnSet> &tables,
                 std::vector<std::unique_ptr<train::RowSource>> shards,
                 const std::vector<const train::CsvSource *> &described) {
    const train::ColumnSet columns = train::commonColumns(tables);
    auto source = shards.size() == 1 ? std::move(shards.front())
                                     : std::make_unique<train::ShardedSource>(std::move(shards));
    TableLoader loader(std::move(source), needs_, bindings(session_, columns, needs_, use_),
                       keyColumns(settings(), columns));
    for (std::size_t i = 0; i < described.size() && isDescribed(); ++i)
      describe(described[i]->describe(), roleOf(files_[i].part, FileKind::Table));
    assemble(session_, needs_, columns, std::move(loader), loaded_);
  }

  void loadText() {
    std::vector<train::ColumnSet> tables;
    std::vector<std::unique_ptr<train::RowSource>> shards;
    std::vector<const train::CsvSource *> described;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      CsvTable table =
          CsvTable::parse(nameOfFile(files_[i].path), std::move(contents_[i]), settings().format);
      tables.push_back({table.file(), table.columnCount(), table.names()});
      auto source = std::make_unique<train::CsvSource>(std::move(table), settings().missingWords);
      described.push_back(source.get());
      shards.push_back(std::move(source));
    }
    loadTable(tables, std::move(shards), described);
  }

  void loadArrays() {
    std::vector<train::ColumnSet> tables;
    std::vector<std::unique_ptr<train::RowSource>> shards;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (isDescribed())
        describe(train::describeBytes(contents_[i]), roleOf(files_[i].part, FileKind::Table));
      auto source =
          std::make_unique<train::ArraySource>(nameOfFile(files_[i].path), std::move(contents_[i]));
      tables.push_back(source->columns());
      shards.push_back(std::move(source));
    }
    loadTable(tables, std::move(shards), {});
  }

  void loadBytes(DataFormat format) {
    // The columns of a run may come from another table, whose policies do no harm here.
    if (!session_.record)
      checkNothingIsMissing(settings(), nameOfFile(files_.front().path));
    std::vector<std::uint64_t> vocabulary = settings().bytes.vocabulary;
    if (format == DataFormat::Text && vocabulary.empty())
      vocabulary = train::vocabularyOf(contents_);
    std::vector<ByteTable> tables;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const std::string content = std::exchange(contents_[i], {});
      std::string labels;
      if (!files_[i].labels.empty())
        labels = train::readMaybeCompressed(files_[i].labels);
      if (isDescribed())
        describe(train::describeBytes(content), roleOf(files_[i].part, FileKind::Table));
      if (isDescribed() && !files_[i].labels.empty())
        describe(train::describeBytes(labels), roleOf(files_[i].part, FileKind::Labels));
      train::ByteFormat own = byteFormat(files_[i]);
      own.format = format;
      own.vocabulary = vocabulary;
      tables.push_back(ByteTable::parse(nameOfFile(files_[i].path), content, labels, own));
    }
    ByteTable table = ByteTable::joined(std::move(tables));
    loaded_.vocabulary = table.vocabulary();
    const train::ColumnSet columns{table.file(), table.columnCount(), table.names()};
    assemble(session_, needs_, columns,
             train::ByteLoader(std::move(table), needs_, bindings(session_, columns, needs_, use_),
                               keyColumns(settings(), columns)),
             loaded_);
  }

  const Session &session_;
  const std::vector<train::InputNeed> &needs_;
  DataUse use_;
  LoadedData &loaded_;
  std::vector<DataFile> files_;
  std::vector<std::string> contents_;
};

} // namespace

std::vector<std::size_t> LoadedData::allRows() const {
  std::vector<std::size_t> rows(data.rows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

LoadedData loadData(const Session &session, const std::vector<train::InputNeed> &needs,
                    DataUse use) {
  LoadedData loaded;
  if (needs.empty())
    return loaded;
  if (session.settings.data.empty())
    throw Error(ErrorKind::Usage, fmt::format("the model needs data for {}: give a table with "
                                              "--data or [data] file in the run file",
                                              listedInputs(needs)));
  train::checkSplit(session.settings);
  Loading(session, needs, use, loaded).run();
  return loaded;
}

void forgetSplit(RunSettings &settings) {
  settings.split = {};
  settings.shares = {};
  settings.balance.clear();
  settings.loop.limit = settings.loop.overfit = 0;
  settings.validationData.clear();
  settings.testData.clear();
}

std::vector<std::size_t> chosenRows(const CommandLine &line, const LoadedData &data,
                                    const std::string &otherwise) {
  const std::string choice = line.option("rows").value_or(otherwise);
  if (choice == "all")
    return data.allRows();
  if (choice == "training")
    return data.split.training;
  if (choice == "validation")
    return data.split.validation;
  if (choice == "test")
    return data.split.test;
  throw Error(
      ErrorKind::Usage, {"--rows"},
      fmt::format("expected all, training, validation or test, found {}", train::inQuotes(choice)));
}

} // namespace apr::aprun
