// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/record.h"
#include "tools/aprun/load_data.h"
#include "tools/aprun/session.h"

#include <cstdint>
#include <string>
#include <vector>

namespace apr::aprun {

/// Explains why a figure was no number at a step: repeats the training from its newest checkpoint
/// with finite parameters, or from the beginning, to the first step after which a tensor of the
/// state or a result holds NaN or an infinity, computes that step with the interpreter, and names
/// the op that made it of finite operands, its place in the source and the element. Lines for a
/// person; the trainer is left somewhere within the training. The record says where it started.
std::vector<std::string> explainNonFinite(const Session &session, train::Trainer &trainer,
                                          const LoadedData &loaded, const train::RunRecord &record,
                                          std::uint64_t step);

} // namespace apr::aprun
