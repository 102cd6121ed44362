// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "passes/workspace_arena.h"

#include "ir/graph.h"
#include "passes/state_layout.h"

#include <algorithm>

namespace apr {

Dim roundUpToAlignment(const Dim &bytes) {
  const Dim alignment(static_cast<int64_t>(kBlockAlignment));
  if (bytes.dividedExactlyBy(alignment))
    return bytes;
  return Dim::floorDivide(bytes + alignment - 1, alignment) * alignment;
}

// A block's size is a multiple of 64, so it holds the rounded size where it holds the plain one,
// and the plain one has no floor quotient that would hide the comparison.
bool WorkspaceArena::fits(const Block &block, const Dim &bytes) {
  return (block.size - bytes).isProvablyNonNegative() ||
         (block.atLeast - bytes).isProvablyNonNegative();
}

std::optional<size_t> WorkspaceArena::findFree(const Dim &bytes) const {
  std::optional<size_t> best;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i].busy || !fits(blocks_[i], bytes))
      continue;
    if (!best || (blocks_[*best].size != blocks_[i].size && fits(blocks_[*best], blocks_[i].size)))
      best = i;
  }
  return best;
}

void WorkspaceArena::split(size_t index, const Dim &size) {
  const Dim rest = blocks_[index].size - size;
  if (rest == Dim(0) || !rest.isProvablyNonNegative())
    return;
  blocks_.insert(blocks_.begin() + index + 1,
                 Block{blocks_[index].offset + size, rest, rest, false});
  blocks_[index].size = size;
  blocks_[index].atLeast = size;
}

Dim WorkspaceArena::allocate(const Dim &bytes) {
  const Dim size = roundUpToAlignment(bytes);
  if (auto found = findFree(bytes)) {
    split(*found, size);
    blocks_[*found].busy = true;
    return blocks_[*found].offset;
  }
  // The last block may be too small only because nothing larger was needed before it.
  if (!blocks_.empty() && !blocks_.back().busy &&
      (size - blocks_.back().size).isProvablyNonNegative()) {
    Block &last = blocks_.back();
    last = Block{last.offset, size, bytes, true};
    total_ = last.offset + size;
    return last.offset;
  }
  blocks_.push_back(Block{total_, size, bytes, true});
  total_ += size;
  return blocks_.back().offset;
}

void WorkspaceArena::mergeWithNext(size_t index) {
  Block &block = blocks_[index];
  const Block &next = blocks_[index + 1];
  block.size += next.size;
  block.atLeast += next.atLeast;
  blocks_.erase(blocks_.begin() + index + 1);
}

void WorkspaceArena::release(const Dim &offset) {
  auto found = std::find_if(blocks_.begin(), blocks_.end(), [&](const Block &block) {
    return block.busy && block.offset == offset;
  });
  if (found == blocks_.end())
    throw InternalError("the workspace arena takes back a range that it did not give out");
  size_t index = static_cast<size_t>(found - blocks_.begin());
  blocks_[index].busy = false;
  if (index + 1 < blocks_.size() && !blocks_[index + 1].busy)
    mergeWithNext(index);
  if (index > 0 && !blocks_[index - 1].busy)
    mergeWithNext(index - 1);
}

} // namespace apr
