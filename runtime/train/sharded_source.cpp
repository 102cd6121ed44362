// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sharded_source.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::train {

std::size_t ShardedSource::read(const std::vector<const ColumnUse *> &uses,
                                std::vector<ReadColumn> &columns) {
  std::size_t rows = 0;
  for (const auto &shard : shards_) {
    rows += shard->read(uses, columns);
    ends_.push_back(rows);
  }
  return rows;
}

std::size_t ShardedSource::shardOf(std::size_t row) const {
  return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), row) -
                                  ends_.begin());
}

void ShardedSource::fail(std::size_t row, const ColumnUse &use, const std::string &message) const {
  const std::size_t shard = shardOf(row);
  const RowSource &source = *shards_[shard];
  source.fail(shard == 0 ? row : row - ends_[shard - 1], use, message);
  // Compilers do not see that a virtual function never returns.
  throw Error(ErrorKind::Internal, message);
}

ColumnSet commonColumns(const std::vector<ColumnSet> &tables) {
  const ColumnSet &first = tables.front();
  for (const ColumnSet &table : tables) {
    if (table.count != first.count)
      throw Error(ErrorKind::Data, {table.file},
                  fmt::format("the table has {} columns, but {} has {}", table.count, first.file,
                              first.count));
    if (table.names.empty() != first.names.empty())
      throw Error(ErrorKind::Data, {table.file},
                  fmt::format("the table has {} header, but {} has {}; --header says whether "
                              "there are any",
                              table.names.empty() ? "no" : "a", first.file,
                              first.names.empty() ? "none" : "one"));
    const auto differing =
        std::mismatch(first.names.begin(), first.names.end(), table.names.begin());
    if (differing.first != first.names.end())
      throw Error(ErrorKind::Data, {table.file},
                  fmt::format("column {} is called {}, but in {} it is {}",
                              differing.first - first.names.begin() + 1,
                              inQuotes(*differing.second), first.file, inQuotes(*differing.first)));
    const bool hasSameGroups =
        std::equal(first.groups.begin(), first.groups.end(), table.groups.begin(),
                   table.groups.end(), [](const ColumnGroup &a, const ColumnGroup &b) {
                     return a.name == b.name && a.first == b.first && a.count == b.count;
                   });
    if (!hasSameGroups)
      throw Error(ErrorKind::Data, {table.file},
                  fmt::format("the arrays are not those of {}", first.file));
  }
  return first;
}

} // namespace apr::train
