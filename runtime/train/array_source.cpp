// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/array_source.h"

#include "runtime/train/atomic_file.h"
#include "runtime/train/overloaded.h"
#include "runtime/train/sha256.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace apr::train {
namespace {

/// Enough for every data set that fits a machine's memory, and an end to hostile archives.
constexpr std::uint64_t largestContents = std::uint64_t{1} << 36;
constexpr std::uint64_t mostColumns = std::uint64_t{1} << 20;

std::string elementText(const NpyArray &array, std::uint64_t element) {
  return isFloat(array.type) ? fmt::format("{}", array.number(element))
                             : fmt::format("{}", array.integer(element));
}

/// Why an element does not fit values of type T, or null.
template <class T> const char *faultOf(const NpyArray &array, std::uint64_t element) {
  const double x = array.number(element);
  if (!std::isfinite(x))
    return "is no finite number";
  if constexpr (std::is_floating_point_v<T>)
    return std::isfinite(static_cast<T>(x)) ? nullptr : "is out of range of the input's type";
  if (std::trunc(x) != x)
    return "is not a whole number, as the input's type needs";
  // The bounds are powers of two or one less than one: exact, or compared from the safe side.
  const double end = std::is_same_v<T, bool> ? 2 : std::ldexp(1.0, std::numeric_limits<T>::digits);
  const double low = std::is_signed_v<T> ? -end : 0;
  return x >= low && x < end ? nullptr : "is out of range of the input's type";
}

template <class T> T valueOf(const NpyArray &array, std::uint64_t element) {
  if (isFloat(array.type) || array.type == NpyType::U64)
    return static_cast<T>(array.number(element));
  return static_cast<T>(array.integer(element));
}

} // namespace

ArraySource ArraySource::open(const std::string &path) {
  ArraySource source;
  source.file_ = path;
  const std::string content = readFile(path);
  Sha256 hash;
  hash.update(content.data(), content.size());
  source.hash_ = hash.finish();
  if (content.starts_with("PK"))
    for (NamedArray &named : readNpz(path, largestContents))
      source.append(std::move(named));
  else
    source.append({"", parseNpy(content, path)});
  return source;
}

void ArraySource::append(NamedArray named) {
  const std::uint64_t columns = named.array.itemElements();
  if (columns > mostColumns)
    throw Error(ErrorKind::Data, {file_},
                fmt::format("an item of array {} has {} elements, expected at most {}",
                            inQuotes(named.name), columns, mostColumns));
  const std::size_t first = parts_.empty() ? 0 : parts_.back().firstColumn + parts_.back().columns;
  parts_.push_back({std::move(named), first, static_cast<std::size_t>(columns)});
}

ColumnSet ArraySource::columns() const {
  ColumnSet set;
  set.file = file_;
  set.count = parts_.back().firstColumn + parts_.back().columns;
  if (parts_.size() == 1 && parts_.front().named.name.empty())
    return set;
  for (const Part &part : parts_) {
    const std::string &name = part.named.name;
    if (part.columns == 1) {
      set.names.push_back(name);
      continue;
    }
    set.groups.push_back({name, part.firstColumn, part.columns});
    for (std::size_t k = 1; k <= part.columns; ++k)
      set.names.push_back(fmt::format("{}_{}", name, k));
  }
  return set;
}

const ArraySource::Part &ArraySource::partOf(std::size_t column) const {
  const auto after = std::upper_bound(
      parts_.begin(), parts_.end(), column,
      [](std::size_t value, const Part &part) { return value < part.firstColumn; });
  return *std::prev(after);
}

std::size_t ArraySource::read(const std::vector<const ColumnUse *> &uses,
                              std::vector<ColumnValues> &values) {
  const Part *first = nullptr;
  for (std::size_t k = 0; k < uses.size(); ++k) {
    const Part &part = partOf(uses[k]->column);
    if (!first)
      first = &part;
    if (part.named.array.items() != first->named.array.items())
      throw Error(ErrorKind::Data, {file_},
                  fmt::format("array {} has {} rows, but {} has {}", inQuotes(part.named.name),
                              part.named.array.items(), inQuotes(first->named.name),
                              first->named.array.items()));
    readColumn(part, *uses[k], values[k]);
  }
  if (!first || first->named.array.items() == 0)
    throw Error(ErrorKind::Data, {file_}, "the arrays that the inputs take have no rows");
  return static_cast<std::size_t>(first->named.array.items());
}

void ArraySource::readColumn(const Part &part, const ColumnUse &use, ColumnValues &values) const {
  const NpyArray &array = part.named.array;
  const std::uint64_t rows = array.items();
  const auto element = [&](std::uint64_t row) {
    return row * part.columns + (use.column - part.firstColumn);
  };
  const auto checked = [&]<class T>(T, std::uint64_t row) {
    if (const char *fault = faultOf<T>(array, element(row)))
      fail(row, use, fmt::format("the value {} {}", elementText(array, element(row)), fault));
    return valueOf<T>(array, element(row));
  };
  std::visit(Overloaded{[&](LabelColumn &labels) {
                          for (std::uint64_t row = 0; row < rows; ++row)
                            labels.append(elementText(array, element(row)));
                        },
                        [&](BoolColumn &bools) {
                          for (std::uint64_t row = 0; row < rows; ++row)
                            bools.values.push_back(checked(bool{}, row) ? 1 : 0);
                        },
                        [&](auto &numbers) {
                          using T = typename std::remove_reference_t<decltype(numbers)>::value_type;
                          numbers.reserve(rows);
                          for (std::uint64_t row = 0; row < rows; ++row)
                            numbers.push_back(checked(T{}, row));
                        }},
             values);
}

void ArraySource::fail(std::size_t row, const ColumnUse &use, const std::string &message) const {
  throw Error(ErrorKind::Data, {file_},
              fmt::format("row {}, column {}: {}", row + 1, use.label, message));
}

} // namespace apr::train
