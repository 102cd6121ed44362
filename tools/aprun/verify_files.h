// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/session.h"

#include <set>
#include <string>
#include <vector>

namespace apr::aprun {

// Each check returns what is not as recorded, a line each that starts with the file or the key;
// nothing where all is.

/// run.json against its own digests. Throws `Error` of kind Data where the file is no record of
/// this version. `altered` gets the members that say something else than they did.
std::vector<std::string> checkDigests(const std::string &folder, std::set<std::string> &altered);

/// The file with a hash per step.
std::vector<std::string> checkStepRecord(const Session &session);

/// The model's source files, read from beside the session's model.
std::vector<std::string> checkSources(const Session &session);

/// The loaded model's interface: source hash, hyperparameters, state.
std::vector<std::string> checkModel(const Session &session);

/// The saved state: whether it fits the model, and has the recorded hashes.
std::vector<std::string> checkSavedState(const Session &session);

/// The data files, as far as the rows that differ.
std::vector<std::string> checkData(const Session &session);

/// The files that the run wrote; of tensors, which ones differ.
std::vector<std::string> checkOutputs(const Session &session);

/// The file of weights that the run started from, if any.
std::vector<std::string> checkStart(const Session &session);

/// What the record says twice.
std::vector<std::string> checkConsistency(const train::RunRecord &record);

} // namespace apr::aprun
