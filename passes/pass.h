// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/graph.h"

namespace apr {

enum class PassClass : uint8_t {
  Required,      ///< defines meaning: always runs
  Lowering,      ///< says the same in other words: always runs, changes no bit of any result
  BitPreserving, ///< optional: changes no bit of any result
};

/// What passes may be told; the same for every pass of a run.
struct PassOptions {
  DimBindings dims; ///< --dim B=64: substituted after fix-reduction-orders
  bool fuse = true; ///< -O0 leaves every op its own kernel
  std::vector<std::string> *remarks = nullptr; ///< what was fused, what not and why
};

struct PassInfo {
  std::string_view name; ///< "fix-reduction-orders"
  PassClass passClass;
  std::string_view summary;
  void (*run)(Module &module, const PassOptions &options, Diagnostics &diagnostics);
};

/// All passes, from passes.def.
std::span<const PassInfo> allPasses();
const PassInfo *findPass(std::string_view name);
/// True for passes that change no bit of any result.
bool keepsBits(const PassInfo &pass);
/// "required", "lowering" or "bit-preserving".
std::string_view str(PassClass passClass);

} // namespace apr
