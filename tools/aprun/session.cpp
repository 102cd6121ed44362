// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/session.h"

#include "runtime/train/weights.h"

#include <fmt/format.h>

#include <filesystem>

namespace apr::aprun {
namespace {

using train::Error;
using train::ErrorKind;
using train::inQuotes;

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

ModelRequest requestOf(const Session &session, const CommandLine &line) {
  const std::string level = line.option("optimize").value_or("");
  if (!level.empty() && (level.size() != 1 || level[0] < '0' || level[0] > '3'))
    throw Error(ErrorKind::Usage, {"--optimize"},
                fmt::format("expected a level from 0 to 3, found {}", inQuotes(level)));
  return {session.settings.model, session.settings.set, line.option("cpu").value_or("native"),
          level};
}

void linkModel(Session &session, const CommandLine &line) {
  session.model = loadModel(requestOf(session, line));
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

} // namespace apr::aprun
