// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/dim.h"

#include <cstddef>
#include <optional>
#include <vector>

namespace apr {

/// A first-order heap over symbolic sizes: gives out ranges of one block, takes them back, and
/// gives a free range out again where it is provably large enough. All offsets are multiples of 64.
class WorkspaceArena {
public:
  /// The offset of a range of at least `bytes`, which are not the constant 0, that overlaps no
  /// range given out and not released.
  Dim allocate(const Dim &bytes);
  /// Takes back the range that starts at this offset.
  void release(const Dim &offset);
  /// Bytes that hold every range ever given out.
  const Dim &totalBytes() const { return total_; }

private:
  /// Blocks lie one after another without gaps, in the order of blocks_.
  struct Block {
    Dim offset;
    Dim size;    ///< a multiple of 64
    Dim atLeast; ///< a lower bound of size that is easier to compare with
    bool busy = false;
  };
  static bool fits(const Block &block, const Dim &bytes);
  std::optional<size_t> findFree(const Dim &bytes) const;
  void split(size_t index, const Dim &size);
  void mergeWithNext(size_t index);

  std::vector<Block> blocks_;
  Dim total_;
};

/// `bytes` rounded up to a multiple of 64.
Dim roundUpToAlignment(const Dim &bytes);

} // namespace apr
