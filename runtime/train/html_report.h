// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/json_text.h"
#include "runtime/train/record.h"
#include "runtime/train/safetensors.h"

#include <string>
#include <vector>

namespace apr::train {

/// What a run's folder says about it.
struct ReportedRun {
  std::string folder;
  RunRecord record;
  std::string text;                  ///< of run.json
  ParsedJson json;                   ///< the same
  std::vector<StoredTensor> weights; ///< empty where the file is gone
};

/// Reads run.json and the header of weights.safetensors; errors are of kind Data.
ReportedRun readReportedRun(const std::string &folder);

/// One page of HTML without references to anything outside: for one run its curves, confusion
/// matrices, model, data, settings, environment and record, for several their curves in one chart
/// each, their figures and what differs in their settings. Well-formed XML too. A function of what
/// the folders hold.
std::string reportHtml(const std::vector<ReportedRun> &runs);

/// A table of the last figures of runs, and of settings that are not the same everywhere.
std::string comparisonText(const std::vector<ReportedRun> &runs);

} // namespace apr::train
