// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// What the blocks of a data file count.
enum class BlockUnit { Rows, Bytes };

/// A file that fed a training, as a record keeps it: enough to tell whether a file is the same, and
/// where it is not. Contents are those behind gzip.
struct RecordedFile {
  std::string role; ///< "table" or "labels"
  std::string sha256;
  std::uint64_t bytes = 0;
  BlockUnit unit = BlockUnit::Bytes;
  std::uint64_t rows = 0;      ///< where blocks count rows
  std::uint64_t blockSize = 1; ///< rows or bytes
  /// The first 8 digits of the SHA-256 of each block, one after the other.
  std::string blocks;
};

/// The most blocks that a file is divided into: small tables have one per row.
constexpr std::uint64_t mostBlocks = 4096;

/// Describes a text whose rows begin at these offsets; the last one reaches to the end.
RecordedFile describeRows(std::string_view content, const std::vector<std::size_t> &offsets);
/// Describes contents that have no rows of their own.
RecordedFile describeBytes(std::string_view content);

/// Where a file differs from the recorded one: "row 12", "rows 9 to 16", "bytes 4096 to 8191"; the
/// first few places and how many there are. Rows count from 1 without the header.
std::string describeDifference(const RecordedFile &recorded, const RecordedFile &found);

} // namespace apr::train
