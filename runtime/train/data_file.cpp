// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/data_file.h"

#include "runtime/train/sha256.h"

#include <fmt/format.h>

#include <algorithm>

namespace apr::train {
namespace {

constexpr std::size_t blockDigits = 8;

/// A power of two, so that files that grow keep the boundaries of their blocks for a while.
std::uint64_t blockSizeFor(std::uint64_t count) {
  std::uint64_t size = 1;
  while (count > size * mostBlocks)
    size *= 2;
  return size;
}

std::string blockText(const RecordedFile &file, std::uint64_t block) {
  const std::uint64_t total = file.unit == BlockUnit::Rows ? file.rows : file.bytes;
  const std::uint64_t first = block * file.blockSize;
  const std::uint64_t last = std::min(first + file.blockSize, total) - 1;
  if (file.unit == BlockUnit::Bytes)
    return first == last ? fmt::format("byte {}", first)
                         : fmt::format("bytes {} to {}", first, last);
  return first == last ? fmt::format("row {}", first + 1)
                       : fmt::format("rows {} to {}", first + 1, last + 1);
}

std::string sizeText(const RecordedFile &recorded, const RecordedFile &found) {
  if (recorded.unit == BlockUnit::Rows && found.rows != recorded.rows)
    return fmt::format("it has {} rows, the recorded one {}; ", found.rows, recorded.rows);
  if (found.bytes != recorded.bytes)
    return fmt::format("it has {} bytes, the recorded one {}; ", found.bytes, recorded.bytes);
  return "";
}

} // namespace

RecordedFile describeRows(std::string_view content, const std::vector<std::size_t> &offsets) {
  RecordedFile file;
  file.sha256 = sha256Of(content);
  file.bytes = content.size();
  file.unit = BlockUnit::Rows;
  file.rows = offsets.size();
  file.blockSize = blockSizeFor(file.rows);
  for (std::size_t row = 0; row < offsets.size(); row += file.blockSize) {
    const std::size_t next = row + file.blockSize;
    const std::size_t end = next < offsets.size() ? offsets[next] : content.size();
    file.blocks +=
        sha256Of(content.substr(offsets[row], end - offsets[row])).substr(0, blockDigits);
  }
  return file;
}

RecordedFile describeBytes(std::string_view content) {
  RecordedFile file;
  file.sha256 = sha256Of(content);
  file.bytes = content.size();
  file.blockSize = blockSizeFor(content.size());
  for (std::size_t begin = 0; begin < content.size(); begin += file.blockSize)
    file.blocks += sha256Of(content.substr(begin, file.blockSize)).substr(0, blockDigits);
  return file;
}

std::string describeDifference(const RecordedFile &recorded, const RecordedFile &found) {
  constexpr std::size_t shown = 3;
  const std::string size = sizeText(recorded, found);
  if (recorded.unit != found.unit || recorded.blockSize != found.blockSize)
    return size + "the recorded blocks do not fit it";
  const std::size_t count = std::max(recorded.blocks.size(), found.blocks.size()) / blockDigits;
  std::vector<std::string> places;
  std::size_t differing = 0;
  for (std::size_t block = 0; block < count; ++block) {
    const auto of = [&](const RecordedFile &file) {
      const std::size_t begin = std::min(block * blockDigits, file.blocks.size());
      return std::string_view(file.blocks).substr(begin, blockDigits);
    };
    if (of(recorded) == of(found))
      continue;
    if (++differing <= shown)
      places.push_back(blockText(of(found).empty() ? recorded : found, block));
  }
  if (differing == 0)
    return size + (recorded.unit == BlockUnit::Rows
                       ? "all rows are the same, what comes before them is not"
                       : "all blocks are the same");
  const std::string more = differing > shown ? fmt::format(" and {} more", differing - shown) : "";
  return fmt::format("{}it differs in {}{}", size, fmt::join(places, ", "), more);
}

} // namespace apr::train
