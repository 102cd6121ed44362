// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-fuzz/campaign.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>

namespace {

enum ExitCode : int { kOk = 0, kUsage = 2, kVerdict = 4, kInternal = 70 };

/// "SEED:INDEX".
bool parseReplay(const std::string &text, uint64_t &seed, uint64_t &index) {
  const char *end = text.data() + text.size();
  auto [colon, problem] = std::from_chars(text.data(), end, seed);
  if (problem != std::errc() || colon == end || *colon != ':')
    return false;
  auto [last, other] = std::from_chars(colon + 1, end, index);
  return other == std::errc() && last == end;
}

} // namespace

int main(int argc, char **argv) {
  apr::fuzz::CampaignOptions options;
  std::string again;
  CLI::App app("Compares interpreter and native code on random graphs, bit for bit.");
  app.option_defaults()->always_capture_default();
  app.footer(
      "exit codes: 0 nothing found; 2 a wrong flag; 4 a difference, a crash or a hang; 70 an "
      "internal error");
  app.add_option("--seed", options.seed, "of the run; the same seed gives the same graphs");
  app.add_option("--first", options.first, "index of the first graph, to go on with a run");
  app.add_option("--graphs", options.graphs, "how many graphs");
  app.add_option("--seconds", options.seconds, "stop after this time; 0: no limit");
  app.add_option("--jobs", options.jobs, "worker processes")->check(CLI::Range(1, 256));
  app.add_option("--seconds-per-graph", options.secondsPerGraph, "more is a hang");
  app.add_option("--out", options.out, "folder for reduced findings; printed without it");
  app.add_option("--reductions", options.reductions, "how many findings are reduced");
  app.add_option("--log", options.log, "file for the record of the run, JSON");
  app.add_option("--commit", options.commit, "what the record says was tested");
  app.add_option("--replay", again, "SEED:INDEX of one graph: print it, try it and reduce it");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  try {
    if (again.empty())
      return apr::fuzz::runCampaign(options) == 0 ? kOk : kVerdict;
    uint64_t seed = 0, index = 0;
    if (!parseReplay(again, seed, index)) {
      fmt::print(stderr, "--replay={}: expected SEED:INDEX, two numbers\n", again);
      return kUsage;
    }
    return apr::fuzz::replay(seed, index, options.out) ? kOk : kVerdict;
  } catch (const std::exception &error) {
    fmt::print(stderr, "internal error: {}\n", error.what());
    return kInternal;
  }
}
