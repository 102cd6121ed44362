// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/byte_loader.h"

#include "runtime/train/elements.h"

#include <aprt.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <optional>

namespace apr::train {
namespace {

/// What a column makes of each byte value: `width` elements in the input's type, or a fault.
struct ByteImage {
  std::size_t bytes = 0; ///< of the elements together
  std::vector<std::byte> elements;
  std::array<const char *, 256> faults{};
  std::array<double, 256> numbers{};
};

std::string labelOf(std::size_t byte) { return std::to_string(byte); }

std::array<double, 256> transformed(const Pipeline &pipeline) {
  std::vector<double> values(256);
  std::iota(values.begin(), values.end(), 0.0);
  apply(pipeline, values);
  std::array<double, 256> result{};
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}

ByteImage imageOfLabels(const ColumnUse &use, std::int32_t dtype) {
  const Transform &transform = use.pipeline.front();
  const bool isOneHot = transform.kind == TransformKind::OneHot;
  const std::size_t size = elementBytes(dtype);
  ByteImage image{width(use) * size, {}, {}, {}};
  image.elements.resize(256 * image.bytes);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const auto found = std::find(transform.labels.begin(), transform.labels.end(), labelOf(byte));
    const auto index = static_cast<std::size_t>(found - transform.labels.begin());
    image.numbers[byte] = static_cast<double>(byte);
    if (found == transform.labels.end()) {
      image.faults[byte] = "is not one of the categories known from the training rows";
      continue;
    }
    std::byte *to = image.elements.data() + byte * image.bytes;
    if (isOneHot) {
      storeNumber(to + index * size, dtype, 1.0);
      continue;
    }
    const double value = transform.kind == TransformKind::ClassWeights ? transform.constants[index]
                                                                       : static_cast<double>(index);
    image.faults[byte] = conversionFault(value, dtype);
    if (!image.faults[byte])
      storeNumber(to, dtype, value);
  }
  return image;
}

ByteImage imageOf(const ColumnUse &use, std::int32_t dtype) {
  if (takesLabels(use.pipeline))
    return imageOfLabels(use, dtype);
  ByteImage image{elementBytes(dtype), {}, {}, transformed(use.pipeline)};
  image.elements.resize(256 * image.bytes);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    image.faults[byte] = conversionFault(image.numbers[byte], dtype);
    if (!image.faults[byte])
      storeNumber(image.elements.data() + byte * image.bytes, dtype, image.numbers[byte]);
  }
  return image;
}

} // namespace

void ByteLoader::fail(std::size_t row, const ColumnUse &use, const std::string &message) const {
  throw Error(ErrorKind::Data, {table_.file()},
              fmt::format("row {}, column {}: {}", row + 1, use.label, message));
}

void ByteLoader::fit(ColumnUse &use, const std::vector<std::size_t> &trainingRows) const {
  if (use.pipeline.empty())
    return;
  if (takesLabels(use.pipeline)) {
    std::array<std::size_t, 256> counts{};
    for (std::size_t row : trainingRows)
      ++counts[table_.at(row, use.column)];
    std::vector<LabelCount> found;
    for (std::size_t byte = 0; byte < 256; ++byte)
      if (counts[byte] > 0)
        found.push_back({labelOf(byte), counts[byte]});
    fitLabels(use.pipeline.front(), found);
    return;
  }
  std::vector<double> values(rows());
  for (std::size_t row = 0; row < rows(); ++row)
    values[row] = table_.at(row, use.column);
  fitAndApply(use.pipeline, trainingRows, values);
}

InputArray ByteLoader::assembleInput(std::size_t input,
                                     const std::vector<std::size_t> &trainingRows) {
  const InputNeed &need = needs_[input];
  std::vector<ColumnUse> &uses = bindings_[input].columns;
  // Most columns share a pipeline, that of their channel perhaps, so they share its image too.
  constexpr std::size_t mostChannels = 8;
  std::vector<ByteImage> images;
  std::vector<std::size_t> imageOfColumn;
  std::size_t elements = 0;
  for (std::size_t k = 0; k < uses.size(); ++k) {
    fit(uses[k], trainingRows);
    std::size_t like = k;
    for (std::size_t back = 1; back <= std::min(k, mostChannels) && like == k; ++back)
      if (uses[k - back].pipeline == uses[k].pipeline)
        like = k - back;
    if (like == k)
      images.push_back(imageOf(uses[k], need.dtype));
    imageOfColumn.push_back(like == k ? images.size() - 1 : imageOfColumn[like]);
    elements += width(uses[k]);
  }
  checkRowElements(need, uses.size(), elements, table_.file());
  InputArray array{need.name, need.dtype, elements, elements * elementBytes(need.dtype), {}};
  array.values.resize(rows() * array.rowBytes);
  std::byte *to = array.values.data();
  for (std::size_t row = 0; row < rows(); ++row)
    for (std::size_t k = 0; k < uses.size(); ++k) {
      const ByteImage &image = images[imageOfColumn[k]];
      const std::size_t byte = table_.at(row, uses[k].column);
      if (image.faults[byte])
        fail(row, uses[k], fmt::format("the value {} {}", image.numbers[byte], image.faults[byte]));
      std::memcpy(to, image.elements.data() + byte * image.bytes, image.bytes);
      to += image.bytes;
    }
  const std::size_t count = rows() * elements;
  if (const std::size_t element = firstBadIndex(need, array, count); element != count)
    fail(element / elements, uses[std::min(element % elements, uses.size() - 1)],
         badIndexText(need, array, element));
  return array;
}

RowKeys ByteLoader::key(std::size_t number) const {
  // Numbered by first appearance, as in a table of text.
  RowKeys keys;
  std::array<std::optional<std::uint32_t>, 256> codes;
  for (std::size_t row = 0; row < rows(); ++row) {
    const std::uint8_t byte = table_.at(row, keys_[number].column);
    if (!codes[byte]) {
      codes[byte] = static_cast<std::uint32_t>(keys.words.size());
      keys.words.push_back(labelOf(byte));
    }
    keys.codes.push_back(*codes[byte]);
  }
  return keys;
}

Dataset ByteLoader::assemble(const std::vector<std::size_t> &trainingRows) {
  Dataset dataset;
  dataset.rows = rows();
  for (std::size_t input = 0; input < bindings_.size(); ++input)
    dataset.inputs.push_back(assembleInput(input, trainingRows));
  return dataset;
}

} // namespace apr::train
