// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/pass.h"

#include <algorithm>

namespace apr {

// A pass that has a row but no definition does not link.
#define APR_PASS(function, ...) void function(Module &, const PassOptions &, Diagnostics &);
#include "passes/passes.def"

namespace {

constexpr PassInfo kPasses[] = {
#define APR_PASS(function, flag, passClass, summary)                                               \
  {flag, PassClass::passClass, summary, &function},
#include "passes/passes.def"
};

} // namespace

std::span<const PassInfo> allPasses() { return kPasses; }

const PassInfo *findPass(std::string_view name) {
  const auto *found = std::ranges::find(kPasses, name, &PassInfo::name);
  return found == std::end(kPasses) ? nullptr : found;
}

bool keepsBits(const PassInfo &pass) { return pass.passClass != PassClass::Required; }

std::string_view str(PassClass passClass) {
  switch (passClass) {
  case PassClass::Required:
    return "required";
  case PassClass::Lowering:
    return "lowering";
  case PassClass::BitPreserving:
    return "bit-preserving";
  }
  return {};
}

} // namespace apr
