// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/apr-fuzz/tally.h"

namespace apr::fuzz {

struct CampaignOptions {
  uint64_t seed = 1;
  uint64_t first = 0;
  uint64_t graphs = 1000;
  double seconds = 0; ///< stop after; 0: no limit
  unsigned jobs = 1;
  double secondsPerGraph = 60; ///< more is a hang
  std::string out;             ///< folder for reduced findings; empty: they are printed
  unsigned reductions = 20;    ///< findings that are reduced
  std::string log;             ///< file for the record; empty: none
  std::string commit = "unknown";
};

/// Runs graphs in worker processes, so that a crash or a hang of one is a finding like any other;
/// prints progress and a summary. Returns the number of findings.
uint64_t runCampaign(const CampaignOptions &options);

/// Makes one trial of a run again, prints it and what comes of it; true where nothing is found.
bool replay(uint64_t seed, uint64_t index, const std::string &out);

} // namespace apr::fuzz
