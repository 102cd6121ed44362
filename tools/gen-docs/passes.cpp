// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/gen-docs/passes.h"

#include "passes/pipeline.h"

#include <fmt/format.h>
#include <set>

namespace apr {
namespace {

std::string_view describe(PassClass passClass) {
  switch (passClass) {
  case PassClass::Required:
    return "defines meaning, always runs";
  case PassClass::Lowering:
    return "preserves bits, always runs";
  case PassClass::BitPreserving:
    return "preserves bits, can be left out";
  }
  return {};
}

/// Each pass once, where it runs first.
std::string passTable() {
  std::string rows;
  std::set<std::string> seen;
  for (const std::string &name : makePipeline(OptimizationLevel::Default))
    if (seen.insert(name).second) {
      const PassInfo &pass = *findPass(name);
      rows +=
          fmt::format("| `{}` | {} | {} |\n", pass.name, pass.summary, describe(pass.passClass));
    }
  return "| pass | what it does | |\n|---|---|---|\n" + rows;
}

} // namespace

std::string withPassTable(const std::string &page) {
  constexpr std::string_view kBegin = "<!-- passes -->\n", kEnd = "<!-- end of passes -->\n";
  const size_t begin = page.find(kBegin), end = page.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin)
    return page;
  return page.substr(0, begin + kBegin.size()) + passTable() + page.substr(end);
}

} // namespace apr
