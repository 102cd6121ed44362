// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-fuzz/tally.h"

#include "tools/graph_generator/coverage.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace apr::fuzz {

void Tally::add(const Tally &other) {
  graphs += other.graphs;
  for (size_t i = 0; i < graphsByMode.size(); ++i)
    graphsByMode[i] += other.graphsByMode[i];
  calls += other.calls;
  refusedCalls += other.refusedCalls;
  refusedGraphs += other.refusedGraphs;
  differences += other.differences;
  failures += other.failures;
  crashes += other.crashes;
  hangs += other.hangs;
  for (size_t i = 0; i < kOpCount; ++i) {
    computed[i] += other.computed[i];
    differentiated[i] += other.differentiated[i];
  }
}

namespace {

std::string differentiatedText(const Tally &tally, OpKind kind) {
  if (!canHaveDerivative(kind))
    return "-";
  return fmt::format("{}", tally.differentiated[static_cast<size_t>(kind)]);
}

} // namespace

std::string summary(const Tally &tally, const RunFacts &facts) {
  std::string text = fmt::format("{:<20}{:>10}{:>12}\n", "op", "computed", "gradient");
  for (OpKind kind : allOps())
    text += fmt::format("{:<20}{:>10}{:>12}\n", opInfo(kind).mnemonic,
                        tally.computed[static_cast<size_t>(kind)], differentiatedText(tally, kind));
  text +=
      fmt::format("\nseed {}, graphs {} to {}, commit {}, {:.0f} s\n", facts.seed, facts.firstIndex,
                  facts.firstIndex + tally.graphs, facts.commit, facts.seconds);
  text +=
      fmt::format("{} graphs ({} forward, {} gradient, {} train), {} calls compared, {} refused "
                  "by both sides, {} graphs refused by a pass\n",
                  tally.graphs, tally.graphsByMode[0], tally.graphsByMode[1], tally.graphsByMode[2],
                  tally.calls, tally.refusedCalls, tally.refusedGraphs);
  text += fmt::format("{} differences, {} internal errors, {} crashes, {} hangs\n",
                      tally.differences, tally.failures, tally.crashes, tally.hangs);
  for (uint64_t index : facts.findings)
    text += fmt::format("  apr-fuzz --replay={}:{}\n", facts.seed, index);
  return text;
}

std::string json(const Tally &tally, const RunFacts &facts) {
  std::string ops;
  for (OpKind kind : allOps())
    ops += fmt::format(
        "{}\n    \"{}\": {{\"computed\": {}, \"gradient\": {}}}", ops.empty() ? "" : ",",
        opInfo(kind).mnemonic, tally.computed[static_cast<size_t>(kind)],
        canHaveDerivative(kind) ? fmt::format("{}", tally.differentiated[static_cast<size_t>(kind)])
                                : "null");
  return fmt::format(
      "{{\n  \"seed\": {},\n  \"first\": {},\n  \"graphs\": {},\n  \"commit\": \"{}\",\n"
      "  \"seconds\": {:.0f},\n  \"cpus\": [\"{}\"],\n"
      "  \"forward\": {},\n  \"gradient\": {},\n  \"train\": {},\n"
      "  \"calls\": {},\n  \"refused_calls\": {},\n  \"refused_graphs\": {},\n"
      "  \"differences\": {},\n  \"failures\": {},\n  \"crashes\": {},\n  \"hangs\": {},\n"
      "  \"findings\": [{}],\n  \"ops\": {{{}\n  }}\n}}\n",
      facts.seed, facts.firstIndex, tally.graphs, facts.commit, facts.seconds,
      fmt::join(facts.cpus, "\", \""), tally.graphsByMode[0], tally.graphsByMode[1],
      tally.graphsByMode[2], tally.calls, tally.refusedCalls, tally.refusedGraphs,
      tally.differences, tally.failures, tally.crashes, tally.hangs,
      fmt::join(facts.findings, ", "), ops);
}

} // namespace apr::fuzz
