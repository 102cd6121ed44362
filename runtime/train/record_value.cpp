// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/record_value.h"

#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace apr::train {

RecordValue RecordValue::at(const std::string &key) const {
  const std::string path = path_.empty() ? key : path_ + "." + key;
  if (!json_->is_object() || !json_->contains(key))
    fail(path, "is missing");
  return {(*json_)[key], file_, path};
}

const RecordValue &RecordValue::keys(std::initializer_list<const char *> wanted) const {
  const std::vector<std::string> known(wanted.begin(), wanted.end());
  for (const std::string &key : known)
    at(key);
  for (const auto &[key, value] : json_->items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      fail(path_.empty() ? inQuotes(key) : fmt::format("{}.{}", path_, inQuotes(key)),
           fmt::format("is not a key that this program knows{}", suggestion(key, known)));
  return *this;
}

std::vector<RecordValue> RecordValue::list() const {
  if (!json_->is_array())
    fail(path_, "is not a list");
  std::vector<RecordValue> result;
  for (std::size_t i = 0; i < json_->size(); ++i)
    result.emplace_back((*json_)[i], file_, fmt::format("{}[{}]", path_, i));
  return result;
}

std::map<std::string, RecordValue> RecordValue::entries() const {
  if (!json_->is_object())
    fail(path_, "is not an object");
  std::map<std::string, RecordValue> result;
  for (const auto &[key, value] : json_->items())
    result.emplace(key, RecordValue(value, file_, path_ + "." + key));
  return result;
}

std::string RecordValue::text() const {
  if (!json_->is_string())
    fail(path_, "is not text");
  return json_->get<std::string>();
}

std::string RecordValue::hexadecimal(std::size_t digits) const {
  std::string word = text();
  if (word.size() != digits || word.find_first_not_of("0123456789abcdef") != std::string::npos)
    fail(path_, fmt::format("is not {} hexadecimal digits in lower case", digits));
  return word;
}

std::uint64_t RecordValue::count() const {
  if (!json_->is_number_unsigned())
    fail(path_, "is not a whole number of at least 0");
  return json_->get<std::uint64_t>();
}

std::uint64_t RecordValue::count(std::uint64_t least, std::uint64_t most) const {
  const std::uint64_t value = count();
  if (value < least || value > most)
    fail(path_, fmt::format("is {}, expected {} to {}", value, least, most));
  return value;
}

double RecordValue::number() const {
  if (json_->is_string()) {
    const auto word = json_->get<std::string>();
    if (word == "NaN")
      return std::numeric_limits<double>::quiet_NaN();
    if (word == "Infinity" || word == "-Infinity")
      return (word[0] == '-' ? -1 : 1) * std::numeric_limits<double>::infinity();
  }
  if (!json_->is_number())
    fail(path_, "is not a number");
  return json_->get<double>();
}

bool RecordValue::truth() const {
  if (!json_->is_boolean())
    fail(path_, "is not true or false");
  return json_->get<bool>();
}

void RecordValue::fail(const std::string &path, const std::string &message) const {
  throw Error(ErrorKind::Data, {file_}, fmt::format("the record's {} {}", path, message));
}

} // namespace apr::train
