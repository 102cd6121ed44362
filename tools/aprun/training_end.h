// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/record.h"
#include "runtime/train/run_settings.h"

#include <string>

namespace apr::aprun {

/// A line with the course of the first figure, of the validation rows where there are some; empty
/// where it has fewer than three values.
std::string courseText(const train::RunRecord &record);

/// The last line of JSON: what the run came to.
std::string endLine(const train::RunSettings &settings, const train::RunRecord &record);

} // namespace apr::aprun
