// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace apr::train {

/// SHA-256 (FIPS 180-4), fed piece by piece.
class Sha256 {
public:
  void update(std::span<const std::byte> bytes);
  void update(const void *data, std::size_t size) {
    update({static_cast<const std::byte *>(data), size});
  }

  /// The digest in lower-case hexadecimal; the object is spent afterwards.
  std::string finish();

private:
  void block(const std::byte *bytes);

  std::array<std::uint32_t, 8> state_{0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
  std::array<std::byte, 64> pending_{};
  std::uint64_t size_ = 0;
};

} // namespace apr::train
