// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/load_data.h"
#include "tools/aprun/session.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace apr::aprun {

/// A training that is ready to be repeated: its model is loaded, its data prepared, its state the
/// first one.
struct Rerun {
  std::unique_ptr<train::Trainer> trainer;
  LoadedData loaded;
};

/// Prepares the repetition of a recorded run. `findings` receives what is not as recorded before
/// the first step: inputs as the model gets them, and the split.
Rerun prepareRerun(Session &session, std::vector<std::string> &findings);

/// What repeating a training found.
struct RerunReport {
  std::uint64_t epochs = 0; ///< identical ones
  std::uint64_t steps = 0;  ///< identical ones
  /// Of the first difference, a line each; empty where there is none.
  std::vector<std::string> differences;
  bool isInterrupted = false;
};

/// Trains again, at most `steps` steps, and compares with the record: state and figures after each
/// epoch, and each step's hashes where the record has them; at the end the whole state and all
/// figures. `beside` watches the same steps and may stop them.
RerunReport repeatTraining(const Session &session, Rerun &rerun, std::uint64_t steps,
                           train::Observer *beside = nullptr);

} // namespace apr::aprun
