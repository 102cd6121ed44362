// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/csv_source.h"

#include "runtime/train/number.h"
#include "runtime/train/overloaded.h"

#include <aprt.h>
#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

namespace apr::train {
namespace {

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
                      const ColumnUse &use) {
  if (isBlank(field.text))
    return fmt::format("missing value in column {}, expected {}; --missing {}=WHAT says what is "
                       "done about missing ones: drop, mean, median or a constant",
                       use.label, wanted(values), use.label);
  const char *what = fault == NumberFault::OutOfRange ? "is out of range"
                     : fault == NumberFault::NotWhole ? "is not a whole number"
                                                      : "is not a number";
  return fmt::format("{} in column {} {}, expected {}", inQuotes(field.text), use.label, what,
                     wanted(values));
}

} // namespace

bool CsvSource::isMissing(const CsvField &field) const {
  std::string_view word = field.text;
  while (!word.empty() && (word.front() == ' ' || word.front() == '\t'))
    word.remove_prefix(1);
  while (!word.empty() && (word.back() == ' ' || word.back() == '\t'))
    word.remove_suffix(1);
  return word.empty() ||
         std::find(missingWords_.begin(), missingWords_.end(), word) != missingWords_.end();
}

void CsvSource::readField(const CsvField &field, const ColumnUse &use, ReadColumn &column) const {
  CsvField read = field;
  if (use.missing.policy != MissingPolicy::Error && isMissing(field)) {
    if (use.missing.policy != MissingPolicy::Constant) {
      column.missing.push_back(sizeOf(column.values));
      appendNothing(column.values);
      return;
    }
    read = {use.missing.constant, false};
  }
  const NumberFault fault = appendField(column.values, read);
  if (fault != NumberFault::None)
    throw Error(ErrorKind::Data, table_.place(field),
                faultText(fault, read, column.values, use) +
                    (recordOffsets_.size() == 1 ? firstRecordHint : ""));
}

std::size_t CsvSource::read(const std::vector<const ColumnUse *> &uses,
                            std::vector<ReadColumn> &columns) {
  while (const auto *fields = table_.next()) {
    recordOffsets_.push_back(table_.recordOffset());
    for (std::size_t k = 0; k < uses.size(); ++k)
      readField((*fields)[uses[k]->column], *uses[k], columns[k]);
  }
  if (recordOffsets_.empty())
    throw Error(ErrorKind::Data, {table_.file()}, "the file has a header but no records");
  return recordOffsets_.size();
}

void CsvSource::fail(std::size_t row, const ColumnUse &use, const std::string &message) const {
  throw Error(ErrorKind::Data, table_.fieldPlace(recordOffsets_[row], use.column), message);
}

} // namespace apr::train
