// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/session.h"

#include "runtime/train/array_source.h"
#include "runtime/train/byte_loader.h"
#include "runtime/train/csv_source.h"
#include "runtime/train/gzip.h"
#include "runtime/train/suggestion.h"
#include "runtime/train/weights.h"

#include <fmt/format.h>

#include <filesystem>
#include <numeric>

namespace apr::aprun {
namespace {

using train::ByteTable;
using train::CsvTable;
using train::Error;
using train::ErrorKind;
using train::inQuotes;
using train::TableLoader;

bool isFolder(const std::string &path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

void readTarget(Session &session, const std::string &target) {
  if (isFolder(target)) {
    session.folder = target;
    session.record = train::readRecord(target);
    session.settings = session.record->settings;
  } else if (target.ends_with(".toml")) {
    train::applyRunFile(session.settings, target);
  } else if (target.ends_with(".apr") || target.ends_with(".apir") || target.ends_with(".o")) {
    session.settings.model = target;
  } else {
    throw Error(
        ErrorKind::Usage,
        fmt::format("cannot tell what {} is: expected a run file (.toml), a model (.apr), an "
                    "object (.o) or the folder of a run",
                    inQuotes(target)));
  }
}

void checkUnchanged(const Session &session) {
  const std::string now = session.model->table().source_hash;
  if (session.record && now != session.record->sourceHash)
    throw Error(ErrorKind::Data, {session.settings.model},
                fmt::format("the model has changed since the run in {}: its hash is {:.12}…, the "
                            "run's is {:.12}…; train again",
                            session.folder, now, session.record->sourceHash));
}

std::vector<train::InputColumns> bindings(const Session &session, const train::ColumnSet &table,
                                          const std::vector<train::InputNeed> &needs, DataUse use) {
  const train::RunSettings &settings = session.settings;
  // A run without data has no columns to remember: its tables are read as they come.
  auto bindings = session.record && !session.record->inputs.empty()
                      ? train::bindRecorded(*session.record, needs, table)
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

std::string nameOfFile(const std::string &path) { return path == "-" ? "<stdin>" : path; }

/// Divides the rows of a table and makes the inputs of them.
template <class Loader>
void assemble(const Session &session, const std::vector<train::InputNeed> &needs,
              const train::ColumnSet &columns, Loader loader, LoadedData &loaded) {
  const train::RunSettings &settings = session.settings;
  loaded.columnNames = columns.names;
  loaded.columnCount = columns.count;
  loaded.droppedRows = loader.droppedRows();
  loaded.split =
      train::limited(train::splitRows(settings.trainer.seed, loader.rows(), settings.validation),
                     settings.loop, settings.trainer.seed);
  if (!session.record && loaded.split.training.empty())
    throw Error(ErrorKind::Data, {settings.data},
                fmt::format("a validation share of {} leaves none of the {} rows for training",
                            settings.validation, loader.rows()));
  // Recorded transforms are fitted: nothing of a new table may flow into them.
  loaded.data =
      loader.assemble(session.record ? std::vector<std::size_t>{} : loaded.split.training);
  for (std::size_t i = 0; i < needs.size(); ++i)
    loaded.inputs.push_back({needs[i], loader.bindings()[i]});
}

} // namespace

Session readSession(const CommandLine &line) {
  Session session;
  const bool namesModel = !line.arguments.empty();
  if (namesModel)
    readTarget(session, line.arguments.front());
  for (const auto &[info, text] : line.settings)
    train::applyFlag(session.settings, *info, text);
  if (session.settings.model.empty())
    throw Error(ErrorKind::Usage,
                namesModel ? fmt::format("{} names no model", inQuotes(line.arguments.front()))
                           : "no model is given; aprun help shows how");
  return session;
}

void linkModel(Session &session, const CommandLine &line) {
  const std::string level = line.option("optimize").value_or("");
  if (!level.empty() && (level.size() != 1 || level[0] < '0' || level[0] > '3'))
    throw Error(ErrorKind::Usage, {"--optimize"},
                fmt::format("expected a level from 0 to 3, found {}", inQuotes(level)));
  session.model = loadModel(
      {session.settings.model, session.settings.set, line.option("cpu").value_or("native"), level});
}

void openModel(Session &session, const CommandLine &line) {
  linkModel(session, line);
  checkUnchanged(session);
}

std::unique_ptr<train::Trainer> makeTrainer(Session &session) {
  return std::make_unique<train::Trainer>(session.model->table(), session.settings.trainer);
}

void loadTensors(Session &session, const CommandLine &line, train::Instance &instance,
                 RunFile file) {
  instance.initialise(session.settings.trainer.seed);
  if (const auto weights = line.option("weights"))
    train::loadWeights(instance, *weights);
  else if (session.record)
    train::loadWeights(
        instance,
        session.folder + (file == RunFile::State ? "/state.safetensors" : "/weights.safetensors"));
}

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
  const train::RunSettings &settings = session.settings;
  if (settings.data.empty())
    throw Error(ErrorKind::Usage, fmt::format("the model needs data for {}: give a table with "
                                              "--data or [data] file in the run file",
                                              listedInputs(needs)));
  const auto describe = [&](const char *role, auto description) {
    if (use == DataUse::RowsAndDescription)
      loaded.files.emplace_back(description()).role = role;
  };
  std::string content = train::readMaybeCompressed(settings.data);
  const train::DataFormat format = train::detectFormat(settings.data, content, settings.bytes);
  if (format == train::DataFormat::Csv) {
    CsvTable table =
        CsvTable::parse(nameOfFile(settings.data), std::move(content), settings.format);
    const train::ColumnSet columns{table.file(), table.columnCount(), table.names()};
    auto source = std::make_unique<train::CsvSource>(std::move(table), settings.missingWords);
    const train::CsvSource &rows = *source;
    TableLoader loader(std::move(source), needs, bindings(session, columns, needs, use));
    describe("table", [&] { return rows.describe(); });
    assemble(session, needs, columns, std::move(loader), loaded);
    return loaded;
  }
  describe("table", [&] { return train::describeBytes(content); });
  if (format == train::DataFormat::Npy) {
    auto source =
        std::make_unique<train::ArraySource>(nameOfFile(settings.data), std::move(content));
    const train::ColumnSet columns = source->columns();
    assemble(session, needs, columns,
             TableLoader(std::move(source), needs, bindings(session, columns, needs, use)), loaded);
    return loaded;
  }
  std::string labels;
  if (!settings.bytes.labels.empty()) {
    labels = train::readMaybeCompressed(settings.bytes.labels);
    describe("labels", [&] { return train::describeBytes(labels); });
  }
  ByteTable table = ByteTable::parse(nameOfFile(settings.data), content, labels, settings.bytes);
  loaded.vocabulary = table.vocabulary();
  const train::ColumnSet columns{table.file(), table.columnCount(), table.names()};
  assemble(session, needs, columns,
           train::ByteLoader(std::move(table), needs, bindings(session, columns, needs, use)),
           loaded);
  return loaded;
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
  throw Error(ErrorKind::Usage, {"--rows"},
              fmt::format("expected all, training or validation, found {}", inQuotes(choice)));
}

} // namespace apr::aprun
