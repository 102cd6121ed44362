// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace apr::train {

/// Hands the bytes of values of a dtype to `sink` in pieces, NaNs replaced by the canonical one
/// (0x7fc00000, 0x7ff8000000000000) and bytes of bool by 0 or 1.
void forCanonicalBytes(const std::byte *values, std::int32_t dtype, std::uint64_t count,
                       const std::function<void(const std::byte *, std::size_t)> &sink);

} // namespace apr::train
