// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <cstdint>
#include <string>
#include <vector>

namespace apr {

/// Alignment of every tensor in the state block, the gradient block and the workspace.
inline constexpr uint64_t kBlockAlignment = 64;
/// Blocks larger than this are refused: it leaves room for sums of sizes in 64 bits.
inline constexpr uint64_t kMaximumBlockBytes = uint64_t(1) << 46;

/// Byte offsets of tensors that lie one after another, each aligned to 64 bytes. A block too large
/// for kMaximumBlockBytes has `bytes` above it and no meaningful offsets.
struct BlockLayout {
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0; ///< a multiple of 64

  bool isTooLarge() const { return bytes > kMaximumBlockBytes; }
};

/// Module::state in declaration order. A function of the state's names and types alone, so the same
/// for every target, level and release of one semantics version.
BlockLayout layoutState(const Module &module);

/// A tensor of the gradient block of a train block.
struct GradientTensor {
  std::string name;
  Type type;
};
/// What `<block>.grad` hands to `<block>.apply`, in the order of grad's results; of apply's
/// arguments where the module has no grad.
std::vector<GradientTensor> gradientTensors(const Module &module, std::string_view block);
BlockLayout layoutGradients(const std::vector<GradientTensor> &tensors);

/// The hyperparameter struct: uint32 size, uint32 reserved, the values in declaration order at
/// their natural alignment, two reserved uint64.
struct HyperLayout {
  std::vector<uint32_t> offsets;
  uint32_t reservedOffset = 0;
  uint32_t bytes = 0;
};
HyperLayout layoutHypers(const Module &module);

} // namespace apr
