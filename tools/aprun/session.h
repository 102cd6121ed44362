// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/record.h"
#include "runtime/train/run_settings.h"
#include "runtime/train/trainer.h"
#include "tools/aprun/command_line.h"
#include "tools/aprun/model_loader.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace apr::aprun {

/// What a command works on: the settings of a run file, of flags or of a recorded run, and the
/// model.
struct Session {
  train::RunSettings settings;
  std::optional<train::RunRecord> record; ///< where a run's folder was named
  std::string folder;                     ///< of the run
  std::unique_ptr<LoadedModel> model;
};

/// Reads the settings that the command line names: its first argument is a run file, a model, an
/// object or a run's folder; flags win. No model is loaded yet.
Session readSession(const CommandLine &line);

/// How the command line asks for the session's model to be compiled; a level that does not exist is
/// an `Error` of kind Usage.
ModelRequest requestOf(const Session &session, const CommandLine &line);

/// Compiles or links the session's model.
void linkModel(Session &session, const CommandLine &line);

/// The same; a recorded run's model must still have the recorded
/// source hash; else an `Error` of kind Data.
void openModel(Session &session, const CommandLine &line);

/// A trainer with the session's options.
std::unique_ptr<train::Trainer> makeTrainer(Session &session);

/// Which file of a run a command starts from: the weights alone, or with them the optimizer's
/// state, counters and seed.
enum class RunFile { Weights, State };

/// Tensors from --weights, else from the recorded run, else initial ones.
void loadTensors(Session &session, const CommandLine &line, train::Instance &instance,
                 RunFile file);

} // namespace apr::aprun
