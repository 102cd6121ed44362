// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/step_record.h"
#include "tools/aprun/commands.h"
#include "tools/aprun/lockstep.h"
#include "tools/aprun/verify_files.h"
#include "tools/aprun/verify_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <limits>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using Findings = std::vector<std::string>;

void append(Findings &to, Findings from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

int reportAltered(const Findings &findings) {
  for (const std::string &line : findings)
    fmt::print("altered: {}\n", line);
  fmt::print("the record or a file it names is not what it was; nothing was run\n");
  return RecordAltered;
}

/// A step record that is not what run.json says is a finding, as any other altered file.
Findings checkStepRecord(const Session &session) {
  if (!session.record->stepRecord)
    return {};
  try {
    train::StepRecord::read(session.folder, *session.record->stepRecord);
    return {};
  } catch (const Error &error) {
    return {error.what()};
  }
}

Session readVerified(const CommandLine &line, Findings &findings) {
  if (line.arguments.size() != 1)
    throw Error(ErrorKind::Usage, "aprun verify takes one argument, the folder of a run");
  std::string folder = line.arguments.front();
  if (folder.ends_with("/run.json"))
    folder.resize(folder.size() - std::string_view("/run.json").size());
  findings = checkDigests(folder);
  if (!findings.empty())
    return {};
  CommandLine onFolder = line;
  onFolder.arguments = {folder};
  Session session = readSession(onFolder);
  if (!session.record)
    throw Error(ErrorKind::Usage, {folder}, "expected the folder of a run");
  if (const auto weights = line.option("weights"))
    session.record->startWeights = *weights;
  if (const auto digest = line.option("digest"); digest && *digest != session.record->recordDigest)
    findings.push_back(fmt::format("{}/run.json: the record's digest is {}, not the one given",
                                   folder, session.record->recordDigest));
  return session;
}

/// How many steps to train again: where the record has no hash of each step, as far as the last
/// entry that --steps allows, since nothing after it would be compared.
std::uint64_t comparedSteps(const Session &session) {
  const train::RunRecord &record = *session.record;
  const std::uint64_t wanted =
      std::min(session.settings.steps.value_or(record.steps), record.steps);
  if (record.stepRecord || wanted == record.steps || wanted == 0)
    return wanted;
  std::uint64_t last = 0;
  std::uint64_t next = record.steps;
  for (const train::RecordedEpoch &entry : record.history) {
    if (entry.step <= wanted)
      last = entry.step;
    else
      next = std::min(next, entry.step);
  }
  if (last == 0)
    throw Error(ErrorKind::Usage, {"--steps"},
                fmt::format("{} has no hashes of the state before step {}: verify at least {} "
                            "steps",
                            session.folder, next, next));
  return last;
}

int report(const Session &session, const RerunReport &rerun, std::uint64_t steps) {
  const train::RunRecord &record = *session.record;
  const std::string identical = record.epochs > 0
                                    ? fmt::format("identical through epoch {}", rerun.epochs)
                                    : fmt::format("identical through step {}", rerun.steps);
  if (!rerun.differences.empty()) {
    for (const std::string &line : rerun.differences)
      fmt::print("different: {}\n", line);
    fmt::print("{}{}\n", identical,
               record.stepRecord ? fmt::format(", step {}", rerun.steps)
                                 : "; a run made with --record step also names step and tensors");
    return OtherBits;
  }
  if (rerun.isInterrupted) {
    fmt::print("{}; interrupted\n", identical);
    return Interrupted;
  }
  const bool isWhole = steps >= record.steps;
  fmt::print("{}: {} of {} steps{}\n", identical, std::min(steps, record.steps), record.steps,
             isWhole ? fmt::format("; state {:.16}, training {:.16}", record.stateHash,
                                   record.trainingDigest)
                     : "");
  return Success;
}

} // namespace

int verifyCommand(const CommandLine &line) {
  Findings findings;
  Session session = readVerified(line, findings);
  if (!findings.empty())
    return reportAltered(findings);
  append(findings, checkConsistency(*session.record));
  append(findings, checkStepRecord(session));
  append(findings, checkOutputs(session));
  append(findings, checkData(session));
  append(findings, checkSources(session));
  if (!findings.empty())
    return reportAltered(findings);
  linkModel(session, line);
  append(findings, checkModel(session));
  append(findings, checkSavedState(session));
  if (!findings.empty())
    return reportAltered(findings);
  Rerun rerun = prepareRerun(session, findings);
  if (!findings.empty())
    return reportAltered(findings);
  const auto against = line.option("against");
  const std::uint64_t steps =
      against ? session.settings.steps.value_or(std::numeric_limits<std::uint64_t>::max())
              : comparedSteps(session);
  fmt::print("{}: record, data, weights and model are what they were\n", session.folder);
  std::fflush(stdout);
  if (against)
    return compareInLockstep(session, line, rerun, *against, steps);
  return report(session, repeatTraining(session, rerun, steps), steps);
}

} // namespace apr::aprun
