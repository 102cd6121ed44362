// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/table_loader.h"

#include "runtime/train/elements.h"
#include "runtime/train/overloaded.h"
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace apr::train {
namespace {

template <class T> void put(std::byte *to, T value) { std::memcpy(to, &value, sizeof value); }

/// The categories that training rows have.
std::vector<LabelCount> countsOf(const LabelColumn &column,
                                 const std::vector<std::size_t> &trainingRows) {
  std::vector<std::size_t> rows(column.labels.size(), 0);
  for (std::size_t row : trainingRows)
    ++rows[column.codes[row]];
  std::vector<LabelCount> counts;
  for (std::size_t code = 0; code < rows.size(); ++code)
    if (rows[code] > 0)
      counts.push_back({column.labels[code], rows[code]});
  return counts;
}

} // namespace

TableLoader::TableLoader(std::unique_ptr<RowSource> source, std::vector<InputNeed> needs,
                         std::vector<InputColumns> bindings, std::vector<ColumnUse> keys)
    : source_(std::move(source)), needs_(std::move(needs)), bindings_(std::move(bindings)),
      keys_(std::move(keys)) {
  std::vector<const ColumnUse *> uses;
  for (std::size_t i = 0; i < bindings_.size(); ++i)
    for (const ColumnUse &use : bindings_[i].columns) {
      uses.push_back(&use);
      columns_.push_back({emptyColumn(use, needs_[i].dtype), {}});
    }
  for (const ColumnUse &key : keys_) {
    uses.push_back(&key);
    columns_.push_back({LabelColumn{}, {}});
  }
  rows_ = source_->read(uses, columns_);
  dropRows(uses);
}

RowKeys TableLoader::key(std::size_t number) const {
  const auto &column =
      std::get<LabelColumn>(columns_[columns_.size() - keys_.size() + number].values);
  return {column.codes, column.labels};
}

std::size_t TableLoader::sourceRow(std::size_t row) const {
  return keptRows_.empty() ? row : keptRows_[row];
}

void TableLoader::dropRows(const std::vector<const ColumnUse *> &uses) {
  std::vector<bool> isDropped(rows_, false);
  for (std::size_t k = 0; k < uses.size(); ++k)
    if (uses[k]->missing.policy == MissingPolicy::DropRow)
      for (std::size_t row : columns_[k].missing)
        isDropped[row] = true;
  std::vector<std::size_t> numbers(rows_, 0); // of kept rows, from 0
  for (std::size_t row = 0; row < rows_; ++row) {
    numbers[row] = keptRows_.size();
    if (!isDropped[row])
      keptRows_.push_back(row);
  }
  droppedRows_ = rows_ - keptRows_.size();
  if (droppedRows_ == 0) {
    keptRows_.clear();
    return;
  }
  if (keptRows_.empty())
    throw Error(
        ErrorKind::Data, {source_->file()},
        fmt::format("all {} rows lack a value in a column that leaves such rows out", rows_));
  rows_ = keptRows_.size();
  for (ReadColumn &column : columns_) {
    std::erase_if(column.missing, [&](std::size_t row) { return isDropped[row]; });
    for (std::size_t &row : column.missing)
      row = numbers[row];
    keepRows(column.values, keptRows_);
  }
}

void TableLoader::fill(ColumnUse &use, ReadColumn &column,
                       const std::vector<std::size_t> &trainingRows) const {
  if (!use.missing.isFitted())
    return;
  auto &numbers = std::get<std::vector<double>>(column.values);
  if (!fillMissing(use.missing, column.missing, trainingRows, numbers))
    throw Error(ErrorKind::Data, {source_->file()},
                fmt::format("no training row has a value in column {}, so it has no {}", use.label,
                            name(use.missing.policy)));
}

void TableLoader::prepare(ColumnUse &use, ColumnValues &values,
                          const std::vector<std::size_t> &trainingRows) {
  if (use.pipeline.empty())
    return;
  if (auto *numbers = std::get_if<std::vector<double>>(&values)) {
    fitAndApply(use.pipeline, trainingRows, *numbers);
    return;
  }
  auto &column = std::get<LabelColumn>(values);
  Transform &transform = use.pipeline.front();
  fitLabels(transform, countsOf(column, trainingRows));
  std::vector<std::uint32_t> indexOf(column.labels.size(), 0);
  for (std::size_t code = 0; code < column.labels.size(); ++code) {
    const auto &labels = transform.labels;
    const auto found = std::find(labels.begin(), labels.end(), column.labels[code]);
    indexOf[code] = static_cast<std::uint32_t>(found - labels.begin());
    if (found != labels.end())
      continue;
    const auto row = static_cast<std::size_t>(
        std::find(column.codes.begin(), column.codes.end(), code) - column.codes.begin());
    source_->fail(
        sourceRow(row), use,
        fmt::format("the category {} of column {} is not one of the {} known from the training "
                    "rows; list all of them: {}(…)",
                    inQuotes(column.labels[code]), use.label, labels.size(), name(transform.kind)));
  }
  for (std::uint32_t &code : column.codes)
    code = indexOf[code];
}

InputArray TableLoader::assembleInput(std::size_t input, std::size_t firstColumn) {
  const InputNeed &need = needs_[input];
  const InputColumns &binding = bindings_[input];
  std::size_t elements = 0;
  for (const ColumnUse &use : binding.columns)
    elements += width(use);
  checkRowElements(need, binding.columns.size(), elements, source_->file());
  const std::size_t size = elementBytes(need.dtype);
  InputArray array{need.name, need.dtype, elements, elements * size, {}};
  array.values.resize(rows() * array.rowBytes);
  // Rows in blocks: the part of the array that all columns of a block write stays in cache.
  constexpr std::size_t blockRows = 512;
  for (std::size_t begin = 0; begin < rows(); begin += blockRows) {
    const std::size_t end = std::min(begin + blockRows, rows());
    std::size_t position = 0;
    for (std::size_t k = 0; k < binding.columns.size(); ++k) {
      writeColumn(array, position, binding.columns[k], columns_[firstColumn + k].values, begin,
                  end);
      position += width(binding.columns[k]);
    }
  }
  for (std::size_t k = 0; k < binding.columns.size(); ++k)
    columns_[firstColumn + k] = {};
  return array;
}

void TableLoader::writeColumn(InputArray &array, std::size_t position, const ColumnUse &use,
                              const ColumnValues &values, std::size_t begin,
                              std::size_t end) const {
  const std::size_t size = elementBytes(array.dtype);
  std::byte *column = array.values.data() + position * size;
  const auto converted = [&](std::size_t row, double x) {
    if (const char *fault = conversionFault(x, array.dtype))
      source_->fail(sourceRow(row), use,
                    fmt::format("the transformed value {} of column {} {}", x, use.label, fault));
    storeNumber(column + row * array.rowBytes, array.dtype, x);
  };
  std::visit(Overloaded{[&](const LabelColumn &labels) {
                          const Transform &transform = use.pipeline.front();
                          const bool isOneHot = transform.kind == TransformKind::OneHot;
                          const bool isWeight = transform.kind == TransformKind::ClassWeights;
                          for (std::size_t row = begin; row < end; ++row) {
                            std::byte *to = column + row * array.rowBytes;
                            if (isOneHot)
                              storeNumber(to + labels.codes[row] * size, array.dtype, 1.0);
                            else
                              converted(row, isWeight ? transform.constants[labels.codes[row]]
                                                      : labels.codes[row]);
                          }
                        },
                        [&](const BoolColumn &bools) {
                          for (std::size_t row = begin; row < end; ++row)
                            put(column + row * array.rowBytes, bools.values[row]);
                        },
                        [&](const std::vector<double> &numbers) {
                          for (std::size_t row = begin; row < end; ++row)
                            converted(row, numbers[row]);
                        },
                        [&](const auto &exact) {
                          for (std::size_t row = begin; row < end; ++row)
                            put(column + row * array.rowBytes, exact[row]);
                        }},
             values);
}

void TableLoader::checkIndices(const InputNeed &need, const InputColumns &binding,
                               const InputArray &array) const {
  const std::size_t count = rows() * array.rowElements;
  const std::size_t element = firstBadIndex(need, array, count);
  if (element == count)
    return;
  const std::size_t column =
      binding.columns.size() == array.rowElements ? element % array.rowElements : std::size_t{0};
  source_->fail(sourceRow(element / array.rowElements), binding.columns[column],
                badIndexText(need, array, element));
}

Dataset TableLoader::assemble(const std::vector<std::size_t> &trainingRows) {
  Dataset dataset;
  dataset.rows = rows();
  std::size_t first = 0;
  for (std::size_t input = 0; input < bindings_.size(); ++input) {
    auto &uses = bindings_[input].columns;
    for (std::size_t k = 0; k < uses.size(); ++k) {
      fill(uses[k], columns_[first + k], trainingRows);
      prepare(uses[k], columns_[first + k].values, trainingRows);
    }
    dataset.inputs.push_back(assembleInput(input, first));
    checkIndices(needs_[input], bindings_[input], dataset.inputs.back());
    first += uses.size();
  }
  return dataset;
}

} // namespace apr::train
