// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/array_source.h"

#include "runtime/train/number.h"
#include "runtime/train/overloaded.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <utility>

namespace apr::train {
namespace {

constexpr std::size_t mostColumns = std::size_t{1} << 20;

std::string numberText(const NpyNumber &number) {
  return std::visit([](auto x) { return fmt::format("{}", x); }, number);
}

/// Why a number does not fit values of type T, or null.
template <class T> const char *faultOf(const NpyNumber &number) {
  constexpr const char *outOfRange = "is out of range of the input's type";
  const auto ofFloat = [](double x) -> const char * {
    if (!std::isfinite(x))
      return "is no finite number";
    if constexpr (std::is_floating_point_v<T>)
      return std::isfinite(static_cast<T>(x)) ? nullptr : outOfRange;
    if (std::trunc(x) != x)
      return "is not a whole number, as the input's type needs";
    const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
    return x >= (std::is_signed_v<T> ? -end : 0.0) && x < end ? nullptr : outOfRange;
  };
  const auto ofInteger = [](auto x) -> const char * {
    if constexpr (std::is_same_v<T, bool>)
      return x == 0 || x == 1 ? nullptr : outOfRange;
    else if constexpr (std::is_integral_v<T>)
      return std::in_range<T>(x) ? nullptr : outOfRange;
    return nullptr;
  };
  return std::visit(Overloaded{ofFloat, ofInteger}, number);
}

/// Rounds once.
template <class T> T valueOf(const NpyNumber &number) {
  return std::visit([](auto x) { return static_cast<T>(x); }, number);
}

/// The name of a number's category: zeros have one.
std::string labelOf(NpyNumber number) {
  if (const auto *x = std::get_if<double>(&number); x && *x == 0)
    number = 0.0;
  return numberText(number);
}

} // namespace

ArraySource::ArraySource(std::string path, std::string content) : file_(std::move(path)) {
  if (!content.starts_with("PK")) {
    array_ = parseNpy(content, file_);
    append({"", 0, parseNpyHeader(content, content.size(), file_), {}});
    return;
  }
  archive_.emplace(file_, std::move(content));
  for (const NpzFile::Entry &entry : archive_->arrays())
    append(entry);
}

void ArraySource::append(NpzFile::Entry entry) {
  const std::uint64_t columns = entry.header ? entry.header->itemElements() : 1;
  const std::size_t first = parts_.empty() ? 0 : parts_.back().firstColumn + parts_.back().columns;
  // An array that cannot be read has a column of its name all the same, whose use is the error.
  if (columns > mostColumns - std::min(first, mostColumns)) {
    entry.fault =
        fmt::format("an item has {} elements; those of all arrays together are at most {}", columns,
                    mostColumns);
    entry.header.reset();
  }
  const bool isReadable = entry.header.has_value();
  parts_.push_back(
      {std::move(entry), first, isReadable ? static_cast<std::size_t>(columns) : std::size_t{1}});
}

ColumnSet ArraySource::columns() const {
  ColumnSet set;
  set.file = file_;
  set.count = parts_.back().firstColumn + parts_.back().columns;
  if (!archive_)
    return set;
  for (const Part &part : parts_) {
    const std::string &name = part.entry.name;
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

const NpyHeader &ArraySource::headerOf(const Part &part) const {
  if (!part.entry.header)
    throw Error(ErrorKind::Data, {file_},
                fmt::format("array {}: {}", inQuotes(part.entry.name), part.entry.fault));
  return *part.entry.header;
}

std::size_t ArraySource::read(const std::vector<const ColumnUse *> &uses,
                              std::vector<ReadColumn> &columns) {
  std::vector<const Part *> used;
  for (const ColumnUse *use : uses)
    used.push_back(&partOf(use->column));
  for (const Part *part : used)
    if (headerOf(*part).items() != headerOf(*used.front()).items())
      throw Error(ErrorKind::Data, {file_},
                  fmt::format("array {} has {} rows, but {} has {}", inQuotes(part->entry.name),
                              headerOf(*part).items(), inQuotes(used.front()->entry.name),
                              headerOf(*used.front()).items()));
  if (used.empty() || headerOf(*used.front()).items() == 0)
    throw Error(ErrorKind::Data, {file_}, "the arrays that the inputs take have no rows");
  // One array at a time is in memory, and none that no input takes.
  for (const Part &part : parts_) {
    if (std::find(used.begin(), used.end(), &part) == used.end())
      continue;
    const NpyArray array = archive_ ? archive_->read(part.entry) : std::exchange(array_, {});
    for (std::size_t k = 0; k < uses.size(); ++k)
      if (used[k] == &part)
        readColumn(part, array, *uses[k], columns[k]);
  }
  return static_cast<std::size_t>(headerOf(*used.front()).items());
}

void ArraySource::readColumn(const Part &part, const NpyArray &array, const ColumnUse &use,
                             ReadColumn &column) const {
  const std::uint64_t rows = headerOf(part).items();
  const Missing &missing = use.missing;
  const auto isMissing = [&](const NpyNumber &number) {
    const auto *x = std::get_if<double>(&number);
    return x && std::isnan(*x) && missing.policy != MissingPolicy::Error;
  };
  const auto readAll = [&]<class T>(T, const auto &append) {
    for (std::uint64_t row = 0; row < rows; ++row) {
      NpyNumber number = array.number(row * part.columns + (use.column - part.firstColumn));
      if (isMissing(number) && missing.policy != MissingPolicy::Constant) {
        column.missing.push_back(sizeOf(column.values));
        appendNothing(column.values);
        continue;
      }
      if (double constant = 0;
          isMissing(number) && parseNumber(missing.constant, constant) == NumberFault::None)
        number = constant;
      if (const char *fault = faultOf<T>(number))
        fail(row, use, fmt::format("the value {} {}", numberText(number), fault));
      append(number);
    }
  };
  std::visit(Overloaded{[&](LabelColumn &labels) {
                          readAll(double{},
                                  [&](const NpyNumber &number) { labels.append(labelOf(number)); });
                        },
                        [&](BoolColumn &bools) {
                          readAll(bool{}, [&](const NpyNumber &number) {
                            bools.values.push_back(valueOf<bool>(number) ? 1 : 0);
                          });
                        },
                        [&](auto &numbers) {
                          using T = typename std::remove_reference_t<decltype(numbers)>::value_type;
                          numbers.reserve(numbers.size() + rows);
                          readAll(T{}, [&](const NpyNumber &number) {
                            numbers.push_back(valueOf<T>(number));
                          });
                        }},
             column.values);
}

void ArraySource::fail(std::size_t row, const ColumnUse &use, const std::string &message) const {
  throw Error(ErrorKind::Data, {file_},
              fmt::format("row {}, column {}: {}", row + 1, use.label, message));
}

} // namespace apr::train
