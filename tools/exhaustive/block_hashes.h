// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace apr::exhaustive {

inline constexpr uint64_t kBlockInputs = uint64_t(1) << 20;

/// A hash of the results for 2^20 consecutive bit patterns; NaNs count as canonical. Eight
/// independent lanes, so that hashing costs less than evaluating.
class BlockHash {
public:
  /// A multiple of 8 results.
  void add(std::span<const float> results) {
    for (size_t i = 0; i < results.size(); i += kLanes)
      for (size_t lane = 0; lane < kLanes; ++lane)
        lanes_[lane] = mixed(lanes_[lane], patternOf(results[i + lane]));
  }

  uint64_t value() const {
    uint64_t hash = 0;
    for (uint64_t lane : lanes_)
      hash = mixed(hash, lane);
    return hash;
  }

private:
  static constexpr size_t kLanes = 8;

  static uint64_t patternOf(float y) { return y != y ? 0x7fc00000 : std::bit_cast<uint32_t>(y); }
  static uint64_t mixed(uint64_t state, uint64_t word) {
    state = (state ^ word) * 0x9e3779b97f4a7c15;
    return state ^ (state >> 32);
  }

  std::array<uint64_t, kLanes> lanes_{};
};

/// One word for all blocks of a function.
uint64_t digestOf(std::span<const uint64_t> hashes);

/// Little-endian 64-bit words. A missing file reads as empty.
std::vector<uint64_t> readHashes(const std::string &path);
void writeHashes(const std::string &path, std::span<const uint64_t> hashes);

} // namespace apr::exhaustive
