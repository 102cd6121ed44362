// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/byte_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

namespace apr::train {
namespace {

constexpr std::size_t largestWindow = std::size_t{1} << 20;

constexpr std::size_t cifarSide = 32;
constexpr std::size_t cifarChannels = 3;
constexpr std::size_t cifarPixels = cifarSide * cifarSide * cifarChannels;

[[noreturn]] void fail(const std::string &file, const std::string &message) {
  throw Error(ErrorKind::Data, {file}, message);
}

std::uint32_t bigEndian(std::string_view bytes, std::size_t offset) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<std::uint8_t>(bytes[offset + i]);
  return value;
}

/// The contents of an IDX file of unsigned bytes.
struct IdxArray {
  std::size_t items = 0;
  std::size_t itemBytes = 1;
  std::string_view values;
};

IdxArray parseIdx(std::string_view content, const std::string &file) {
  if (content.size() < 4 || content[0] != 0 || content[1] != 0)
    fail(file, "this is no IDX file: it must begin with two zero bytes, a type and a rank");
  if (content[2] != 8)
    fail(file, fmt::format("the IDX file holds values of type 0x{:02x}, expected 0x08, unsigned "
                           "bytes",
                           static_cast<unsigned>(static_cast<std::uint8_t>(content[2]))));
  const auto rank = static_cast<std::uint8_t>(content[3]);
  const std::size_t header = 4 + std::size_t{4} * rank;
  if (rank == 0 || content.size() < header)
    fail(file, fmt::format("the IDX file declares {} dimensions but ends after {} bytes", rank,
                           content.size()));
  IdxArray array;
  array.values = content.substr(header);
  array.items = bigEndian(content, 4);
  for (std::size_t axis = 1; axis < rank; ++axis) {
    const std::size_t size = bigEndian(content, 4 + 4 * axis);
    if (size == 0 || array.itemBytes > array.values.size() / size)
      fail(file, fmt::format("the IDX file declares a dimension of {} that its {} bytes of values "
                             "cannot fill",
                             size, array.values.size()));
    array.itemBytes *= size;
  }
  if (array.items == 0 || array.values.size() / array.itemBytes != array.items ||
      array.values.size() % array.itemBytes != 0)
    fail(file, fmt::format("the IDX file declares {} items of {} bytes but holds {} bytes of "
                           "values",
                           array.items, array.itemBytes, array.values.size()));
  return array;
}

std::vector<std::string> numbered(std::string_view name, std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= count; ++i)
    names.push_back(fmt::format("{}_{}", name, i));
  return names;
}

/// Which symbol each byte is.
std::array<std::optional<std::uint8_t>, 256> symbolsOf(const std::vector<std::uint64_t> &vocabulary,
                                                       const std::string &file) {
  std::array<std::optional<std::uint8_t>, 256> symbols;
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    if (vocabulary[i] > 255 || i > 255)
      throw Error(ErrorKind::Usage, {file}, "a vocabulary lists at most 256 bytes, from 0 to 255");
    if (symbols[vocabulary[i]])
      throw Error(ErrorKind::Usage, {file},
                  fmt::format("the vocabulary lists byte {} twice", vocabulary[i]));
    symbols[vocabulary[i]] = static_cast<std::uint8_t>(i);
  }
  return symbols;
}

std::vector<std::uint64_t> distinctBytes(std::string_view content) {
  std::array<bool, 256> seen{};
  for (char c : content)
    seen[static_cast<std::uint8_t>(c)] = true;
  std::vector<std::uint64_t> bytes;
  for (std::size_t byte = 0; byte < seen.size(); ++byte)
    if (seen[byte])
      bytes.push_back(byte);
  return bytes;
}

DataFormat foundFormat(const std::string &path, std::string_view content,
                       const ByteFormat &format) {
  if (format.format != DataFormat::Auto)
    return format.format;
  if (format.window > 0)
    return DataFormat::Text;
  if (path.ends_with(".bin") || path.ends_with(".bin.gz"))
    return DataFormat::Cifar10;
  using namespace std::string_view_literals;
  constexpr std::string_view arrays[] = {"\x93NUM"sv, "PK\x03\x04"sv, "PK\x05\x06"sv};
  const bool isArrays =
      path.ends_with(".npy") || path.ends_with(".npz") ||
      std::any_of(std::begin(arrays), std::end(arrays),
                  [&](std::string_view first) { return content.starts_with(first); });
  if (isArrays)
    return DataFormat::Npy;
  return content.starts_with("\0\0\x08"sv) ? DataFormat::Idx : DataFormat::Csv;
}

} // namespace

DataFormat detectFormat(const std::string &path, std::string_view content,
                        const ByteFormat &format) {
  const DataFormat found = foundFormat(path, content, format);
  if (!format.labels.empty() && found != DataFormat::Idx)
    throw Error(ErrorKind::Usage, {path}, "only IDX files take their labels from another file");
  return found;
}

ByteTable ByteTable::parse(const std::string &path, std::string_view content,
                           std::string_view labels, const ByteFormat &format) {
  const DataFormat found = detectFormat(path, content, format);
  ByteTable table;
  table.file_ = path;
  if (found == DataFormat::Idx)
    table.readIdx(content, labels, format.labels);
  else if (found == DataFormat::Text)
    table.readText(content, format);
  else
    table.readCifar(content, found);
  return table;
}

std::size_t ByteTable::shardOf(std::size_t row) const {
  return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), row) -
                                  ends_.begin());
}

ByteTable ByteTable::joined(std::vector<ByteTable> tables) {
  ByteTable result = std::move(tables.front());
  if (tables.size() == 1)
    return result;
  std::size_t offset = 0;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    ByteTable &table = i == 0 ? result : tables[i];
    if (table.names_ != result.names_)
      fail(table.file_,
           fmt::format("the file has {} columns, {} to {}, but {} has {}, {} to {}",
                       table.names_.size(), table.names_.front(), table.names_.back(), result.file_,
                       result.names_.size(), result.names_.front(), result.names_.back()));
    for (std::size_t row = 0; row < table.rows_; ++row)
      result.starts_.push_back(offset + row * table.rowStep_);
    offset += table.values_.size();
    result.ends_.push_back(result.starts_.size());
    if (i > 0)
      result.values_.insert(result.values_.end(), table.values_.begin(), table.values_.end());
    if (i > 0)
      table = {};
  }
  result.rows_ = result.starts_.size();
  return result;
}

std::vector<std::uint64_t> vocabularyOf(const std::vector<std::string> &texts) {
  std::array<bool, 256> seen{};
  for (const std::string &text : texts)
    for (std::uint64_t byte : distinctBytes(text))
      seen[byte] = true;
  std::vector<std::uint64_t> bytes;
  for (std::size_t byte = 0; byte < seen.size(); ++byte)
    if (seen[byte])
      bytes.push_back(byte);
  return bytes;
}

void ByteTable::readIdx(std::string_view images, std::string_view labels,
                        const std::string &labelFile) {
  const IdxArray pixels = parseIdx(images, file_);
  rows_ = pixels.items;
  names_ = numbered("pixel", pixels.itemBytes);
  rowStep_ = pixels.itemBytes;
  if (labelFile.empty()) {
    values_.assign(pixels.values.begin(), pixels.values.end());
    return;
  }
  const IdxArray classes = parseIdx(labels, labelFile);
  if (classes.items != rows_ || classes.itemBytes != 1)
    fail(labelFile, fmt::format("found {} labels of {} byte{}, expected one byte for each of the "
                                "{} items of {}",
                                classes.items, classes.itemBytes, classes.itemBytes == 1 ? "" : "s",
                                rows_, file_));
  names_.emplace_back("label");
  rowStep_ += 1;
  values_.reserve(rows_ * rowStep_);
  for (std::size_t row = 0; row < rows_; ++row) {
    const auto item = pixels.values.substr(row * pixels.itemBytes, pixels.itemBytes);
    values_.insert(values_.end(), item.begin(), item.end());
    values_.push_back(static_cast<std::uint8_t>(classes.values[row]));
  }
}

void ByteTable::readCifar(std::string_view content, DataFormat format) {
  const std::size_t classes = format == DataFormat::Cifar100 ? 2 : 1;
  const std::size_t record = classes + cifarPixels;
  if (content.empty() || content.size() % record != 0)
    fail(file_, fmt::format("the file holds {} bytes, which is no whole number of records of {} "
                            "class byte{} and {} pixel bytes",
                            content.size(), classes, classes == 1 ? "" : "s", cifarPixels));
  rows_ = content.size() / record;
  rowStep_ = record;
  names_ = numbered("pixel", cifarPixels);
  if (classes == 2)
    names_.emplace_back("coarse_label");
  names_.emplace_back("label");
  values_.reserve(content.size());
  constexpr std::size_t plane = cifarSide * cifarSide;
  for (std::size_t row = 0; row < rows_; ++row) {
    const std::string_view item = content.substr(row * record, record);
    for (std::size_t pixel = 0; pixel < plane; ++pixel)
      for (std::size_t channel = 0; channel < cifarChannels; ++channel)
        values_.push_back(static_cast<std::uint8_t>(item[classes + channel * plane + pixel]));
    values_.insert(values_.end(), item.begin(), item.begin() + static_cast<ptrdiff_t>(classes));
  }
}

void ByteTable::readText(std::string_view content, const ByteFormat &format) {
  if (format.window == 0 || format.window > largestWindow)
    throw Error(ErrorKind::Usage, {file_},
                fmt::format("text needs the window that an input takes, data.window, from 1 to {}",
                            largestWindow));
  if (content.size() <= format.window)
    fail(file_, fmt::format("the text has {} bytes, a window of {} needs at least {}",
                            content.size(), format.window, format.window + 1));
  vocabulary_ = format.vocabulary.empty() ? distinctBytes(content) : format.vocabulary;
  const auto symbols = symbolsOf(vocabulary_, file_);
  values_.reserve(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(content[i]);
    if (!symbols[byte])
      fail(file_, fmt::format("byte {} at offset {} is not in the vocabulary of {} symbols", byte,
                              i, vocabulary_.size()));
    values_.push_back(*symbols[byte]);
  }
  rowStep_ = format.stride == 0 ? format.window : format.stride;
  rows_ = (content.size() - format.window - 1) / rowStep_ + 1;
  names_ = numbered("symbol", format.window + 1);
}

} // namespace apr::train
