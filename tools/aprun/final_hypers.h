// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/session.h"

namespace apr::aprun {

/// Gives an instance the hyperparameters that the training ended with: those of the session, and
/// over them what changed on the way. Values that the command line gives win.
void setFinalHypers(const Session &session, const CommandLine &line, train::Instance &instance);

} // namespace apr::aprun
