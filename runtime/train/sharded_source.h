// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/row_source.h"

#include <memory>
#include <vector>

namespace apr::train {

/// Several tables with the same columns as one: the rows of the first, then those of the next.
class ShardedSource : public RowSource {
public:
  explicit ShardedSource(std::vector<std::unique_ptr<RowSource>> shards)
      : shards_(std::move(shards)) {}

  const std::string &file() const override { return shards_.front()->file(); }
  std::size_t read(const std::vector<const ColumnUse *> &uses,
                   std::vector<ReadColumn> &columns) override;
  [[noreturn]] void fail(std::size_t row, const ColumnUse &use,
                         const std::string &message) const override;
  std::size_t shardOf(std::size_t row) const override;

private:
  std::vector<std::unique_ptr<RowSource>> shards_;
  std::vector<std::size_t> ends_; ///< the number of rows up to the end of each shard
};

/// The columns of several tables, which must be as many and, where they have names, of the same
/// names in the same order; groups too. Errors are of kind Data.
ColumnSet commonColumns(const std::vector<ColumnSet> &tables);

} // namespace apr::train
