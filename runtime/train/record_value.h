// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"
#include "runtime/train/json_text.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace apr::train {

/// A value of an untrusted record and its path: typed access, of which every failure is an `Error`
/// of kind Data that names the path. The record must outlive it.
class RecordValue {
public:
  RecordValue(const ParsedJson &json, std::string file, std::string path)
      : json_(&json), file_(std::move(file)), path_(std::move(path)) {}

  RecordValue at(const std::string &key) const;
  /// The object has these keys and no other.
  const RecordValue &keys(std::initializer_list<const char *> wanted) const;
  std::vector<RecordValue> list() const;
  std::map<std::string, RecordValue> entries() const;

  bool isNothing() const { return json_->is_null(); }
  std::string text() const;
  /// 64 digits of a SHA-256.
  std::string hash() const { return hexadecimal(64); }
  /// Empty, or a hash.
  std::string hashOrNothing() const { return text().empty() ? std::string() : hash(); }
  std::string hexadecimal(std::size_t digits) const;
  std::uint64_t count() const;
  std::uint64_t count(std::uint64_t least, std::uint64_t most) const;
  /// Also the words for NaN and infinities.
  double number() const;
  bool truth() const;
  template <class T> T oneOf(const std::vector<std::pair<const char *, T>> &choices) const {
    const std::string word = text();
    for (const auto &[choice, value] : choices)
      if (word == choice)
        return value;
    fail(path_, "has the unknown value " + inQuotes(word));
  }

  [[noreturn]] void fail(const std::string &path, const std::string &message) const;
  [[noreturn]] void fail(const std::string &message) const { fail(path_, message); }

private:
  const ParsedJson *json_;
  std::string file_;
  std::string path_;
};

} // namespace apr::train
