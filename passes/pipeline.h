// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apr {

/// O0 runs what is required and nothing else; both give the same bits.
enum class OptimizationLevel : uint8_t { O0, Default };

/// The passes from what the frontend or the builder made to what codegen takes, in order.
std::vector<std::string> makePipeline(OptimizationLevel level);

/// "default" or "O0", as --pipeline= spells them.
std::optional<OptimizationLevel> findOptimizationLevel(std::string_view name);

} // namespace apr
