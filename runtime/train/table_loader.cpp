// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/table_loader.h"

#include "runtime/train/elements.h"
#include "runtime/train/number.h"
#include "runtime/train/suggestion.h"

#include <aprt.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace apr::train {
namespace {

template <class... F> struct Overloaded : F... {
  using F::operator()...;
};
template <class... F> Overloaded(F...) -> Overloaded<F...>;

ColumnValues emptyColumn(const ColumnUse &use, std::int32_t dtype) {
  if (takesLabels(use.pipeline))
    return LabelColumn{};
  if (!use.pipeline.empty())
    return std::vector<double>{};
  switch (dtype) {
  case APRT_F32:
    return std::vector<float>{};
  case APRT_I32:
    return std::vector<std::int32_t>{};
  case APRT_I64:
    return std::vector<std::int64_t>{};
  case APRT_U8:
    return std::vector<std::uint8_t>{};
  case APRT_BOOL:
    return BoolColumn{};
  default:
    return std::vector<double>{};
  }
}

const char *wanted(const ColumnValues &values) {
  return std::visit(Overloaded{[](const std::vector<float> &) { return "a number of type f32"; },
                               [](const std::vector<double> &) { return "a number"; },
                               [](const std::vector<std::int32_t> &) { return "an integer (i32)"; },
                               [](const std::vector<std::int64_t> &) { return "an integer (i64)"; },
                               [](const std::vector<std::uint8_t> &) { return "0 to 255 (u8)"; },
                               [](const BoolColumn &) { return "0, 1, true or false"; },
                               [](const LabelColumn &) { return "a category"; }},
                    values);
}

bool isBlank(std::string_view text) { return text.find_first_not_of(" \t") == text.npos; }

/// Reads up to seven plain digits, by far the commonest number and exact in every type but the
/// smallest; false for anything else.
template <class T> bool readsShortInteger(std::string_view text, T &value) {
  constexpr std::size_t exactDigits = sizeof(T) == 1 ? 2 : 7;
  if (text.empty() || text.size() > exactDigits)
    return false;
  std::int32_t number = 0;
  for (char c : text) {
    if (c < '0' || c > '9')
      return false;
    number = number * 10 + (c - '0');
  }
  value = static_cast<T>(number);
  return true;
}

/// A first record that does not fit is most often none.
constexpr const char *firstRecordHint =
    "; a header is skipped by --header yes, lines before the table by --skip";

NumberFault appendField(ColumnValues &values, const CsvField &field) {
  return std::visit(
      Overloaded{[&](LabelColumn &column) {
                   if (isBlank(field.text))
                     return NumberFault::NotANumber;
                   if (field.isEscaped)
                     column.append(value(field));
                   else
                     column.append(field.text);
                   return NumberFault::None;
                 },
                 [&](BoolColumn &column) {
                   bool parsed = false;
                   const NumberFault fault = parseNumber(field.text, parsed);
                   column.values.push_back(parsed ? 1 : 0);
                   return fault;
                 },
                 [&](auto &column) {
                   typename std::remove_reference_t<decltype(column)>::value_type parsed{};
                   const NumberFault fault = readsShortInteger(field.text, parsed)
                                                 ? NumberFault::None
                                                 : parseNumber(field.text, parsed);
                   column.push_back(parsed);
                   return fault;
                 }},
      values);
}

std::string faultText(NumberFault fault, const CsvField &field, const ColumnValues &values,
                      const std::string &column) {
  if (isBlank(field.text))
    return fmt::format("missing value in column {}, expected {}", column, wanted(values));
  const char *what = fault == NumberFault::OutOfRange ? "is out of range"
                     : fault == NumberFault::NotWhole ? "is not a whole number"
                                                      : "is not a number";
  return fmt::format("{} in column {} {}, expected {}", inQuotes(field.text), column, what,
                     wanted(values));
}

template <class T> void put(std::byte *to, T value) { std::memcpy(to, &value, sizeof value); }

} // namespace

void LabelColumn::append(std::string_view label) {
  while (label.front() == ' ')
    label.remove_prefix(1);
  while (label.back() == ' ')
    label.remove_suffix(1);
  auto found = index.find(label);
  if (found == index.end()) {
    labels.emplace_back(label);
    found = index.emplace(std::string(label), static_cast<std::uint32_t>(labels.size() - 1)).first;
  }
  codes.push_back(found->second);
}

TableLoader::TableLoader(CsvTable table, std::vector<InputNeed> needs,
                         std::vector<InputColumns> bindings)
    : table_(std::move(table)), needs_(std::move(needs)), bindings_(std::move(bindings)) {
  read();
}

void TableLoader::read() {
  std::vector<const ColumnUse *> uses;
  for (std::size_t i = 0; i < bindings_.size(); ++i)
    for (const ColumnUse &use : bindings_[i].columns) {
      uses.push_back(&use);
      columns_.push_back(emptyColumn(use, needs_[i].dtype));
    }
  while (const auto *fields = table_.next()) {
    recordOffsets_.push_back(table_.recordOffset());
    for (std::size_t k = 0; k < uses.size(); ++k) {
      const CsvField &field = (*fields)[uses[k]->column];
      const NumberFault fault = appendField(columns_[k], field);
      if (fault != NumberFault::None)
        throw Error(ErrorKind::Data, table_.place(field),
                    faultText(fault, field, columns_[k], uses[k]->label) +
                        (recordOffsets_.size() == 1 ? firstRecordHint : ""));
    }
  }
  if (recordOffsets_.empty())
    throw Error(ErrorKind::Data, {table_.file()}, "the file has a header but no records");
}

void TableLoader::failAt(std::size_t row, const ColumnUse &use, const std::string &message) const {
  throw Error(ErrorKind::Data, table_.fieldPlace(recordOffsets_[row], use.column), message);
}

void TableLoader::fitLabels(Transform &transform, const LabelColumn &column,
                            const std::vector<std::size_t> &trainingRows) {
  if (!transform.labels.empty())
    return;
  std::vector<bool> seen(column.labels.size(), false);
  for (std::size_t row : trainingRows)
    seen[column.codes[row]] = true;
  for (std::size_t code = 0; code < seen.size(); ++code)
    if (seen[code])
      transform.labels.push_back(column.labels[code]);
  sortLabels(transform.labels);
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
  fitLabels(transform, column, trainingRows);
  std::vector<std::uint32_t> indexOf(column.labels.size(), 0);
  for (std::size_t code = 0; code < column.labels.size(); ++code) {
    const auto &labels = transform.labels;
    const auto found = std::find(labels.begin(), labels.end(), column.labels[code]);
    indexOf[code] = static_cast<std::uint32_t>(found - labels.begin());
    if (found != labels.end())
      continue;
    const auto row = static_cast<std::size_t>(
        std::find(column.codes.begin(), column.codes.end(), code) - column.codes.begin());
    failAt(row, use,
           fmt::format("the category {} of column {} is not one of the {} known from the training "
                       "rows; list all of them: {}(…)",
                       inQuotes(column.labels[code]), use.label, labels.size(),
                       name(transform.kind)));
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
  checkRowElements(need, binding.columns.size(), elements, table_.file());
  const std::size_t size = elementBytes(need.dtype);
  InputArray array{need.name, need.dtype, elements, elements * size, {}};
  array.values.resize(rows() * array.rowBytes);
  // Rows in blocks: the part of the array that all columns of a block write stays in cache.
  constexpr std::size_t blockRows = 512;
  for (std::size_t begin = 0; begin < rows(); begin += blockRows) {
    const std::size_t end = std::min(begin + blockRows, rows());
    std::size_t position = 0;
    for (std::size_t k = 0; k < binding.columns.size(); ++k) {
      writeColumn(array, position, binding.columns[k], columns_[firstColumn + k], begin, end);
      position += width(binding.columns[k]);
    }
  }
  for (std::size_t k = 0; k < binding.columns.size(); ++k)
    columns_[firstColumn + k] = ColumnValues{};
  return array;
}

void TableLoader::writeColumn(InputArray &array, std::size_t position, const ColumnUse &use,
                              const ColumnValues &values, std::size_t begin,
                              std::size_t end) const {
  const std::size_t size = elementBytes(array.dtype);
  std::byte *column = array.values.data() + position * size;
  const auto converted = [&](std::size_t row, double x) {
    if (const char *fault = conversionFault(x, array.dtype))
      failAt(row, use,
             fmt::format("the transformed value {} of column {} {}", x, use.label, fault));
    storeNumber(column + row * array.rowBytes, array.dtype, x);
  };
  std::visit(Overloaded{[&](const LabelColumn &labels) {
                          const bool isOneHot = use.pipeline.front().kind == TransformKind::OneHot;
                          for (std::size_t row = begin; row < end; ++row) {
                            std::byte *to = column + row * array.rowBytes;
                            if (isOneHot)
                              storeNumber(to + labels.codes[row] * size, array.dtype, 1.0);
                            else
                              converted(row, labels.codes[row]);
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
  failAt(element / array.rowElements, binding.columns[column], badIndexText(need, array, element));
}

Dataset TableLoader::assemble(const std::vector<std::size_t> &trainingRows) {
  Dataset dataset;
  dataset.rows = rows();
  std::size_t first = 0;
  for (std::size_t input = 0; input < bindings_.size(); ++input) {
    auto &uses = bindings_[input].columns;
    for (std::size_t k = 0; k < uses.size(); ++k)
      prepare(uses[k], columns_[first + k], trainingRows);
    dataset.inputs.push_back(assembleInput(input, first));
    checkIndices(needs_[input], bindings_[input], dataset.inputs.back());
    first += uses.size();
  }
  return dataset;
}

} // namespace apr::train
