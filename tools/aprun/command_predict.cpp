// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/npz_writer.h"
#include "runtime/train/predict.h"
#include "tools/aprun/altered_record.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/final_hypers.h"
#include "tools/aprun/load_data.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::aprun {
namespace {

enum class OutputFormat { Csv, Json, Npy };

OutputFormat outputFormat(const CommandLine &line) {
  const std::string output = line.option("output").value_or("-");
  const char *fromName = output.ends_with(".json")                              ? "json"
                         : output.ends_with(".npy") || output.ends_with(".npz") ? "npy"
                                                                                : "csv";
  const std::string format = line.option("format").value_or(fromName);
  if (format == "csv")
    return OutputFormat::Csv;
  if (format == "json")
    return OutputFormat::Json;
  if (format == "npy")
    return OutputFormat::Npy;
  throw train::Error(train::ErrorKind::Usage, {"--format"},
                     fmt::format("expected csv, json or npy, found {}", train::inQuotes(format)));
}

void writeOutput(const std::string &path, const std::string &bytes) {
  if (path == "-")
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  else
    train::writeFile(path, bytes);
}

void writeArrays(const std::string &path, const std::vector<train::PredictedArray> &arrays) {
  std::vector<train::TensorSource> tensors;
  for (const train::PredictedArray &array : arrays)
    tensors.push_back({array.name, array.dtype, array.shape, array.values.data()});
  if (path.ends_with(".npz"))
    return train::writeNpz(path, tensors);
  if (tensors.size() != 1)
    throw train::Error(train::ErrorKind::Usage, {"--output"},
                       fmt::format("the entry has {} results, and an NPY file holds one array; "
                                   "write an archive of them with -o FILE.npz",
                                   tensors.size()));
  writeOutput(path, train::npyBytes(tensors.front()));
}

} // namespace

int predictCommand(const CommandLine &line) {
  if (line.arguments.size() != 1)
    throw train::Error(train::ErrorKind::Usage, "aprun predict takes one argument, a run");
  const OutputFormat format = outputFormat(line);
  Session session = readSession(line);
  if (session.record)
    warnOfAlterations(session.folder);
  openModel(session, line);
  train::Instance instance(session.model->table(), session.settings.trainer.workers);
  loadTensors(session, line, instance, RunFile::Weights);
  setFinalHypers(session, line, instance);
  const aprt_entry &entry = instance.model().entry(line.option("entry").value_or(""));
  train::FixedInputs fixed = session.settings.trainer.fixed;
  fixed.seed = session.settings.trainer.seed;
  const auto gives = [&](std::string_view flag) {
    return std::any_of(line.settings.begin(), line.settings.end(),
                       [&](const auto &setting) { return setting.first->flag == flag; });
  };
  forgetSplit(session.settings);
  if (!gives("labels"))
    session.settings.labels.clear();
  if (!gives("data")) {
    session.settings.data = {"-"};
    session.settings.bytes = {};
    // Lines left out before the training table say nothing about rows typed in.
    if (!gives("skip"))
      session.settings.format.skippedLines = 0;
  }
  const LoadedData loaded = loadData(session, train::inputNeeds(entry, fixed), DataUse::EveryRow);
  const std::size_t batchRows = std::max<std::size_t>(session.settings.trainer.batchRows, 256);
  const std::string output = line.option("output").value_or("-");
  if (format == OutputFormat::Npy)
    writeArrays(output, train::predictArrays(instance, entry, fixed, loaded.data, batchRows));
  else
    writeOutput(output,
                train::predict(instance, entry, fixed, loaded.data, batchRows,
                               format == OutputFormat::Csv ? train::PredictionFormat::Csv
                                                           : train::PredictionFormat::Json));
  return Success;
}

} // namespace apr::aprun
