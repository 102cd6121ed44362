// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/atomic_file.h"
#include "runtime/train/predict.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::aprun {

int predictCommand(const CommandLine &line) {
  if (line.arguments.size() != 1)
    throw train::Error(train::ErrorKind::Usage, "aprun predict takes one argument, a run");
  const std::string format = line.option("format").value_or("csv");
  if (format != "csv" && format != "json")
    throw train::Error(train::ErrorKind::Usage, {"--format"},
                       fmt::format("expected csv or json, found {}", train::inQuotes(format)));
  Session session = readSession(line);
  openModel(session, line);
  train::Instance instance(session.model->table(), session.settings.trainer.workers);
  loadTensors(session, line, instance, RunFile::Weights);
  const aprt_entry &entry = instance.model().entry(line.option("entry").value_or(""));
  train::FixedInputs fixed = session.settings.trainer.fixed;
  fixed.seed = session.settings.trainer.seed;
  const auto gives = [&](std::string_view flag) {
    return std::any_of(line.settings.begin(), line.settings.end(),
                       [&](const auto &setting) { return setting.first->flag == flag; });
  };
  if (!gives("data")) {
    session.settings.data = "-";
    session.settings.bytes = {};
    // Lines left out before the training table say nothing about rows typed in.
    if (!gives("skip"))
      session.settings.format.skippedLines = 0;
  }
  const LoadedData loaded = loadData(session, train::inputNeeds(entry, fixed), DataUse::EveryRow);
  const std::string text = train::predict(
      instance, entry, fixed, loaded.data,
      std::max<std::size_t>(session.settings.trainer.batchRows, 256),
      format == "csv" ? train::PredictionFormat::Csv : train::PredictionFormat::Json);
  const std::string output = line.option("output").value_or("-");
  if (output == "-")
    std::fwrite(text.data(), 1, text.size(), stdout);
  else
    train::writeFile(output, text);
  return Success;
}

} // namespace apr::aprun
