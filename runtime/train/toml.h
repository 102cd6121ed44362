// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace apr::train {

/// A value of a run file with the place where it stands.
struct TomlValue {
  using List = std::vector<TomlValue>;
  std::variant<std::string, std::int64_t, double, bool, List> value;
  Place place;
};

/// One `key = value`; `key` is the whole dotted path, table names included.
struct TomlEntry {
  std::vector<std::string> path;
  TomlValue value;
  Place place; ///< of the key
};

/// Parses the part of TOML 1.0 that run files need: tables, bare, quoted and dotted keys, basic and
/// literal strings, integers, floats, booleans, arrays. Inline tables, arrays of tables, multi-line
/// strings and dates are refused by name. Errors are of kind Usage with line and column.
std::vector<TomlEntry> parseToml(std::string_view text, const std::string &file);

} // namespace apr::train
