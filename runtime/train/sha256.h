// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace apr::train {

/// SHA-256 (FIPS 180-4), fed piece by piece; by the processor's own instructions where it has them.
class Sha256 {
public:
  enum class Form { Fastest, Portable };
  explicit Sha256(Form form = Form::Fastest);

  void update(std::span<const std::byte> bytes);
  void update(const void *data, std::size_t size) {
    update({static_cast<const std::byte *>(data), size});
  }

  /// The eight bytes of a number, the lowest first.
  void updateNumber(std::uint64_t number);

  /// The digest in lower-case hexadecimal; the object is spent afterwards.
  std::string finish();

private:
  void compress(const std::byte *bytes, std::size_t blocks);
  void compressPortably(const std::byte *bytes);

  bool usesInstructions_;
  std::array<std::uint32_t, 8> state_{0x6a09e667u, 0xbb67ae85u, 0x3c6ef372u, 0xa54ff53au,
                                      0x510e527fu, 0x9b05688cu, 0x1f83d9abu, 0x5be0cd19u};
  std::array<std::byte, 64> pending_{};
  std::uint64_t size_ = 0;
};

/// The digest of all bytes at once.
std::string sha256Of(std::string_view bytes);

} // namespace apr::train
