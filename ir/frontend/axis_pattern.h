// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apr::frontend {

/// One axis in a pattern such as "b t (h d)": the names that it joins, none for an axis of size 1.
struct AxisGroup {
  std::vector<std::string> names;
  bool isJoined = false; ///< in parentheses
};
using AxisGroups = std::vector<AxisGroup>;

/// What stands for any number of axes.
inline constexpr std::string_view kRest = "..";

/// The groups of one tensor's pattern, or nothing where it is malformed.
std::optional<AxisGroups> parseAxes(std::string_view text);

/// The parts between separators, without spaces around them.
std::vector<std::string_view> splitPattern(std::string_view text, std::string_view separator);

/// All names in the order in which they stand.
std::vector<std::string> namesOf(const AxisGroups &groups);

/// How often '..' stands in the groups.
size_t countRests(const AxisGroups &groups);

/// The groups with `count` names in place of '..': "..0", "..1", …
AxisGroups expandRest(const AxisGroups &groups, size_t count);

/// A name that stands twice, or nothing.
std::optional<std::string> findRepeated(std::vector<std::string> names);

} // namespace apr::frontend
