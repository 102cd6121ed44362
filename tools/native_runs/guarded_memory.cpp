// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/native_runs/guarded_memory.h"

#include <algorithm>

namespace apr::run {

GuardedMemory::GuardedMemory(size_t bytes)
    : storage_(bytes + 2 * kGuard + 64, kGuardByte), bytes_(bytes) {
  auto address = reinterpret_cast<uintptr_t>(storage_.data() + kGuard);
  start_ = storage_.data() + kGuard + (64 - address % 64) % 64;
  std::fill_n(start_, bytes_, std::byte{0xff});
}

bool GuardedMemory::isGuardIntact() const {
  auto isGuard = [](std::byte b) { return b == kGuardByte; };
  const std::byte *begin = storage_.data(), *end = begin + storage_.size();
  const std::byte *first = start_;
  return std::all_of(begin, first, isGuard) && std::all_of(first + bytes_, end, isGuard);
}

} // namespace apr::run
