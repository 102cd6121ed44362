// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "passes/pass.h"

namespace apr {

/// O0 runs what is required and nothing else; both give the same bits.
enum class OptimizationLevel : uint8_t { O0, Default };

/// The passes from what the frontend or the builder made to what codegen takes, in order.
std::vector<std::string> makePipeline(OptimizationLevel level);

/// The options that belong to the level: O0 leaves every op a kernel of its own.
PassOptions makePassOptions(OptimizationLevel level);

/// "default" or "O0", as --pipeline= spells them.
std::optional<OptimizationLevel> findOptimizationLevel(std::string_view name);

} // namespace apr
