// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/commands.h"
#include "tools/aprun/verify_against.h"
#include "tools/aprun/verify_files.h"
#include "tools/aprun/verify_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <optional>
#include <set>

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

/// The folder that the command line names, or in which it names the record.
std::string folderOf(const CommandLine &line) {
  if (line.arguments.size() != 1)
    throw Error(ErrorKind::Usage, "aprun verify takes one argument, the folder of a run");
  std::filesystem::path path = line.arguments.front();
  if (path.filename() == "run.json")
    path = path.has_parent_path() ? path.parent_path() : ".";
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error))
    throw Error(ErrorKind::Usage, {line.arguments.front()},
                "expected the folder that a training wrote, with its run.json, found a file");
  return path.string();
}

void checkDigestFlag(const CommandLine &line) {
  const auto digest = line.option("digest");
  if (digest &&
      (digest->size() != 64 || digest->find_first_not_of("0123456789abcdef") != std::string::npos))
    throw Error(ErrorKind::Usage, {"--digest"},
                fmt::format("expected the record's digest, 64 hexadecimal digits as aprun hash "
                            "prints them, found {}",
                            train::inQuotes(*digest)));
}

/// The record's digest, where --digest gives what it was.
Findings checkGivenDigest(const CommandLine &line, const Session &session) {
  const train::RunRecord &record = *session.record;
  const auto digest = line.option("digest");
  if (!digest || *digest == record.recordDigest)
    return {};
  return {fmt::format("{}/run.json: the record's digest is {}, not the one given{}", session.folder,
                      record.recordDigest,
                      *digest == record.trainingDigest ? ", which is that of the training" : "")};
}

Session readRun(const CommandLine &line, const std::string &folder) {
  CommandLine onFolder = line;
  onFolder.arguments = {folder};
  Session session = readSession(onFolder);
  if (const auto weights = line.option("weights"))
    session.record->startWeights = *weights;
  return session;
}

/// Files are compared as far as what the record says of them is what it was.
Findings checkFiles(const Session &session, const std::set<std::string> &altered) {
  const auto isIntact = [&](std::initializer_list<const char *> members) {
    return std::none_of(members.begin(), members.end(),
                        [&](const char *member) { return altered.contains(member); });
  };
  Findings findings;
  if (isIntact({"steps"}))
    append(findings, checkStepRecord(session));
  if (isIntact({"files", "result"}))
    append(findings, checkOutputs(session));
  if (isIntact({"start", "information"}))
    append(findings, checkStart(session));
  if (isIntact({"data", "inputs", "information"}))
    append(findings, checkData(session));
  if (isIntact({"model", "information"}))
    append(findings, checkSources(session));
  return findings;
}

/// run.json and the files it names. Findings are all there are, also where the record itself was
/// altered; without any, it is whole.
Session readChecked(const CommandLine &line, Findings &findings) {
  const std::string folder = folderOf(line);
  std::set<std::string> altered;
  findings = checkDigests(folder, altered);
  Session session;
  try {
    session = readRun(line, folder);
  } catch (const Error &error) {
    // An altered record need not be one any more.
    if (findings.empty() || error.kind() != ErrorKind::Data)
      throw;
    return session;
  }
  if (findings.empty()) {
    append(findings, checkGivenDigest(line, session));
    append(findings, checkConsistency(*session.record));
  }
  append(findings, checkFiles(session, altered));
  return session;
}

/// Flags and sources are right by then: what cannot be used is the record's.
template <class Action> auto asFinding(const Session &session, Findings &findings, Action action) {
  using Result = decltype(action());
  try {
    return action();
  } catch (const Error &error) {
    if (error.kind() != ErrorKind::Usage && error.kind() != ErrorKind::Diagnostics)
      throw;
    findings.push_back(fmt::format("{}/run.json: the recorded settings do not fit model or data: "
                                   "{}",
                                   session.folder, error.message()));
    return Result{};
  }
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
  checkDigestFlag(line);
  Findings findings;
  Session session = readChecked(line, findings);
  if (!findings.empty())
    return reportAltered(findings);
  targetOptions(requestOf(session, line)); // a wrong flag shows before a wrong record
  std::optional<Against> against;
  if (const auto word = line.option("against"))
    against = parseAgainst(session, line, *word);
  session.model = asFinding(session, findings, [&] { return loadModel(requestOf(session, line)); });
  if (!findings.empty())
    return reportAltered(findings);
  append(findings, checkModel(session));
  append(findings, checkSavedState(session));
  if (!findings.empty())
    return reportAltered(findings);
  Rerun rerun = asFinding(session, findings, [&] { return prepareRerun(session, findings); });
  if (!findings.empty())
    return reportAltered(findings);
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
