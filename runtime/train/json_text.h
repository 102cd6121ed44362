// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/error.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace apr::train {

/// JSON to be written: objects keep their keys in the order of their making.
using Json = nlohmann::ordered_json;
/// JSON that was read: objects are sorted by key, so that a hostile number of keys costs no more
/// than sorting them.
using ParsedJson = nlohmann::json;

/// Parses untrusted JSON text. Malformed text, duplicate keys, nesting deeper than 64 levels and
/// integers of more than 64 bits are errors of kind Data; `file` names the text and positions are
/// given as line and column.
ParsedJson parseJson(std::string_view text, const std::string &file);

/// The number, or a string "NaN", "Infinity", "-Infinity", which JSON has no numbers for.
Json jsonNumber(double value);

} // namespace apr::train
