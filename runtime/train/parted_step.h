// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/instance.h"
#include "runtime/train/row_feed.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace apr::train {

/// How many parts a train block divides its batch into (`shards`); 1 where it declares none.
std::uint64_t partsOf(const Model &model, std::uint32_t block);

/// Makes a step of a train block with shards from its parts, one after another: the state and the
/// results get the bits of the step entry, but no more than one part is computed at a time.
class PartedStep {
public:
  /// An `Error` of kind Usage where the block declares no shards.
  PartedStep(Instance &instance, std::uint32_t block);

  /// The step on these rows, which the feed of the step entry takes; its results become those of
  /// the feed's call. Their number must be a multiple of the parts, else an `Error` of kind Data.
  void run(RowFeed &feed, std::span<const std::size_t> rows);

private:
  /// What one part gives, or the sum of several.
  struct Share {
    AlignedBlock gradients;
    std::vector<std::vector<std::byte>> results;
  };
  Share computeTree(RowFeed &feed, std::uint64_t first, std::uint64_t count);
  Share computePart(RowFeed &feed, std::uint64_t part);
  void add(Share &to, const Share &from) const;
  void apply(RowFeed &feed, Share &whole);

  const aprt_train_block *block_;
  std::uint64_t parts_;
  EntryCall grad_;
  EntryCall apply_;
  std::size_t partRows_ = 0;
};

} // namespace apr::train
