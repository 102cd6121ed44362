// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/checkpoint_folder.h"
#include "runtime/train/record.h"
#include "tools/aprun/session.h"

#include <cstdint>
#include <optional>
#include <string>

namespace apr::aprun {

/// The folder of a run's checkpoints.
std::string checkpointPath(const std::string &run);

/// The hash of the rows and the split that a checkpoint of this training has; empty without rows.
std::string dataHashOf(const train::RunRecord &record);

/// Whether a checkpoint is one of the training that a record describes. One whose own record cannot
/// be read is an `Error` of kind Data.
bool isOfTraining(const train::CheckpointFile &file, const train::RunRecord &training,
                  const std::string &run);

/// A training that is to go on: its newest whole checkpoint, and the record in it.
struct InterruptedRun {
  train::CheckpointFolder::Found found;
  train::RunRecord record;
  std::uint64_t historyBytes = 0;

  const train::Cursor &cursor() const { return found.checkpoint.contents().cursor; }
};

/// Finds it; says on standard error which newer checkpoints are not whole. Nothing where the run
/// has no checkpoint; an `Error` of kind Data where none of them is whole.
std::optional<InterruptedRun> findInterrupted(const std::string &run);

/// The session of a run that goes on from its folder alone: settings as recorded, flags win.
Session readInterrupted(const CommandLine &line, const std::string &run,
                        const InterruptedRun &interrupted);

/// Compares the values that this command gives the hyperparameters with those that the training had
/// at the checkpoint. Those that --allow-changed names become changes of the training from here on;
/// others are an `Error` of kind Usage. Requires the session's model.
void settleHypers(Session &session, const CommandLine &line, const InterruptedRun &interrupted);

/// Throws an `Error` of kind Usage that lists where the training that this command describes is not
/// the interrupted one.
void requireSameTraining(const InterruptedRun &interrupted, const train::RunRecord &now,
                         const std::string &run);

/// Goes on: the trainer's state and place, and the record so far.
void goOn(const InterruptedRun &interrupted, train::Trainer &trainer, train::RunRecord &record);

} // namespace apr::aprun
