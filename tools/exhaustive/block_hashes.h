// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace apr::exhaustive {

inline constexpr uint64_t kBlockInputs = uint64_t(1) << 20;

/// A hash of the results for 2^20 consecutive bit patterns; NaNs count as canonical.
class BlockHash {
public:
  void add(std::span<const float> results) {
    for (float y : results) {
      uint64_t bits = y != y ? 0x7fc00000 : std::bit_cast<uint32_t>(y);
      state_ = (state_ ^ bits) * 0x9e3779b97f4a7c15;
      state_ ^= state_ >> 32;
    }
  }
  uint64_t value() const { return state_; }

private:
  uint64_t state_ = 0xcbf29ce484222325;
};

/// Little-endian 64-bit words. A missing file reads as empty.
std::vector<uint64_t> readHashes(const std::string &path);
void writeHashes(const std::string &path, std::span<const uint64_t> hashes);

} // namespace apr::exhaustive
