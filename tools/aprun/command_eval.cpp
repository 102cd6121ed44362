// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/altered_record.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/final_hypers.h"
#include "tools/aprun/load_data.h"
#include "tools/aprun/session.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::aprun {
namespace {

bool gives(const CommandLine &line, std::string_view flag) {
  return std::any_of(line.settings.begin(), line.settings.end(),
                     [flag](const auto &setting) { return setting.first->flag == flag; });
}

/// The inputs of the block, and those of other entries that decide which rows of the training's
/// table are left out: the parts are made of the rows that stay.
std::vector<train::InputNeed> needsOf(const train::Trainer &trainer,
                                      const std::vector<train::RecordedInput> &recorded) {
  auto needs = trainer.inputNeeds();
  for (const train::RecordedInput &input : recorded) {
    const bool isKnown = std::any_of(
        needs.begin(), needs.end(), [&](const auto &need) { return need.name == input.need.name; });
    const auto &columns = input.columns.columns;
    const bool leavesOut = std::any_of(columns.begin(), columns.end(), [](const auto &use) {
      return use.missing.policy == train::MissingPolicy::DropRow;
    });
    if (!isKnown && leavesOut)
      needs.push_back(input.need);
  }
  return needs;
}

} // namespace

int evalCommand(const CommandLine &line) {
  if (line.arguments.size() != 1)
    throw train::Error(train::ErrorKind::Usage, "aprun eval takes one argument, a run");
  Session session = readSession(line);
  if (session.record)
    warnOfAlterations(session.folder);
  const bool hasOtherData = gives(line, "data");
  if (hasOtherData)
    forgetSplit(session.settings);
  if (hasOtherData && !gives(line, "labels"))
    session.settings.labels.clear();
  openModel(session, line);
  const auto trainer = makeTrainer(session);
  loadTensors(session, line, trainer->instance(), RunFile::Weights);
  setFinalHypers(session, line, trainer->instance());
  const LoadedData loaded =
      loadData(session, session.record && !hasOtherData ? needsOf(*trainer, session.record->inputs)
                                                        : trainer->inputNeeds());
  // The table of the training is divided as in training, a new one belongs to no part.
  const bool isNew = hasOtherData || loaded.split.validation.empty();
  const auto rows = chosenRows(line, loaded, isNew ? "all" : "validation");
  if (!loaded.data.inputs.empty())
    fmt::print("{}: {} of {} rows\n", fmt::join(session.settings.data, ", "), rows.size(),
               loaded.data.rows);
  for (const train::Metric &metric : trainer->evaluate(loaded.data, rows))
    fmt::print("{} {}\n", metric.name, metric.value);
  return Success;
}

} // namespace apr::aprun
