// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/grad_check.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/load_data.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::aprun {

int gradCheckCommand(const CommandLine &line) {
  if (line.arguments.size() != 1)
    throw train::Error(train::ErrorKind::Usage,
                       "aprun grad-check takes one argument, a run file, a model or a run");
  train::GradCheckOptions options;
  if (const auto samples = line.option("samples"))
    options.samples = static_cast<std::size_t>(train::countFromText(*samples, {"--samples"}));
  if (const auto tolerance = line.option("tolerance"))
    options.tolerance = train::numberFromText(*tolerance, {"--tolerance"});
  options.loss = line.option("loss").value_or("");
  Session session = readSession(line);
  // Finite differences need the precision; an object cannot be compiled again.
  if (!session.settings.model.ends_with(".o"))
    session.settings.set.emplace("real", "f64");
  openModel(session, line);
  const auto trainer = makeTrainer(session);
  loadTensors(session, line, trainer->instance(), RunFile::Weights);
  const LoadedData loaded = loadData(session, trainer->inputNeeds());
  auto rows = chosenRows(line, loaded, "training");
  rows.resize(std::min(rows.size(), session.settings.trainer.batchRows));
  const train::GradCheckReport report = train::checkGradients(*trainer, loaded.data, rows, options);
  fmt::print("{}", train::table(report, options.tolerance));
  return report.passes() ? Success : VerdictFailed;
}

} // namespace apr::aprun
