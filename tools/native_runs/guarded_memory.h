// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace apr::run {

/// Memory aligned to 64 bytes between two guard zones. Its bytes start as 0xff, so that what is
/// read before it is written shows up as NaN or -1.
class GuardedMemory {
public:
  explicit GuardedMemory(size_t bytes);
  GuardedMemory(GuardedMemory &&) = default; // the bytes stay where they are
  GuardedMemory &operator=(GuardedMemory &&) = default;

  std::byte *data() { return start_; }
  const std::byte *data() const { return start_; }
  size_t size() const { return bytes_; }
  /// False after a write before or behind the memory.
  bool isGuardIntact() const;

private:
  static constexpr size_t kGuard = 256;
  static constexpr std::byte kGuardByte{0xa5};
  std::vector<std::byte> storage_;
  std::byte *start_;
  size_t bytes_;
};

} // namespace apr::run
