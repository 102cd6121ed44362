// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/canonical.h"

#include "runtime/train/table_loader.h"

#include <aprt.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace apr::train {
namespace {

template <class Bits>
void canonicalise(std::byte *bytes, std::size_t count, Bits quiet, Bits infinity) {
  for (std::size_t i = 0; i < count; ++i) {
    Bits value;
    std::memcpy(&value, bytes + i * sizeof value, sizeof value);
    const Bits magnitude = static_cast<Bits>(value & (static_cast<Bits>(~Bits{0}) >> 1));
    if (magnitude > infinity)
      std::memcpy(bytes + i * sizeof value, &quiet, sizeof value);
  }
}

} // namespace

void forCanonicalBytes(const std::byte *values, std::int32_t dtype, std::uint64_t count,
                       const std::function<void(const std::byte *, std::size_t)> &sink) {
  constexpr std::size_t pieceElements = 8192;
  std::array<std::byte, pieceElements * 8> piece;
  const std::size_t size = elementBytes(dtype);
  while (count > 0) {
    const std::size_t part =
        static_cast<std::size_t>(std::min<std::uint64_t>(count, pieceElements));
    std::memcpy(piece.data(), values, part * size);
    if (dtype == APRT_F32)
      canonicalise<std::uint32_t>(piece.data(), part, 0x7fc00000u, 0x7f800000u);
    if (dtype == APRT_F64)
      canonicalise<std::uint64_t>(piece.data(), part, 0x7ff8000000000000u, 0x7ff0000000000000u);
    if (dtype == APRT_BF16)
      canonicalise<std::uint16_t>(piece.data(), part, 0x7fc0, 0x7f80);
    if (dtype == APRT_BOOL)
      for (std::size_t i = 0; i < part; ++i)
        piece[i] = piece[i] == std::byte{0} ? std::byte{0} : std::byte{1};
    sink(piece.data(), part * size);
    values += part * size;
    count -= part;
  }
}

} // namespace apr::train
