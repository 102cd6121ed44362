// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/axis_pattern.h"

#include <algorithm>
#include <cctype>

namespace apr::frontend {

namespace {

bool isNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// The end of the name or '..' that starts at `begin`; `begin` itself where there is neither.
size_t endOfName(std::string_view text, size_t begin) {
  if (text.substr(begin, 2) == kRest)
    return text.substr(begin, 3) == "..." ? begin + 3 : begin + 2;
  size_t end = begin;
  if (std::isalpha(static_cast<unsigned char>(text[begin])) != 0)
    while (end < text.size() && isNamePart(text[end]))
      ++end;
  return end;
}

} // namespace

std::optional<AxisGroups> parseAxes(std::string_view text) {
  AxisGroups groups;
  bool isOpen = false;
  for (size_t i = 0; i < text.size();) {
    char c = text[i];
    if (c == ' ') {
      ++i;
      continue;
    }
    if (c == '(' || c == ')') {
      if (isOpen == (c == '('))
        return std::nullopt;
      isOpen = c == '(';
      if (isOpen)
        groups.push_back({{}, true});
      ++i;
      continue;
    }
    bool isOne = c == '1' && (i + 1 == text.size() || !isNamePart(text[i + 1]));
    size_t end = isOne ? i + 1 : endOfName(text, i);
    if (end == i)
      return std::nullopt;
    if (!isOpen)
      groups.emplace_back();
    if (!isOne)
      groups.back().names.emplace_back(c == '.' ? kRest : text.substr(i, end - i));
    i = end;
  }
  return isOpen ? std::nullopt : std::optional(groups);
}

std::vector<std::string_view> splitPattern(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find(separator, begin), text.size());
    std::string_view part = text.substr(begin, end - begin);
    while (part.starts_with(' '))
      part.remove_prefix(1);
    while (part.ends_with(' '))
      part.remove_suffix(1);
    parts.push_back(part);
    begin = end + separator.size();
  }
  return parts;
}

std::vector<std::string> namesOf(const AxisGroups &groups) {
  std::vector<std::string> names;
  for (const AxisGroup &group : groups)
    names.insert(names.end(), group.names.begin(), group.names.end());
  return names;
}

size_t countRests(const AxisGroups &groups) {
  std::vector<std::string> names = namesOf(groups);
  return static_cast<size_t>(std::count(names.begin(), names.end(), kRest));
}

AxisGroups expandRest(const AxisGroups &groups, size_t count) {
  AxisGroups result;
  for (const AxisGroup &group : groups) {
    bool isAlone = !group.isJoined && group.names == std::vector<std::string>{std::string(kRest)};
    if (isAlone) {
      for (size_t i = 0; i < count; ++i)
        result.push_back({{std::string(kRest) + std::to_string(i)}, false});
      continue;
    }
    result.push_back({{}, group.isJoined});
    for (const std::string &name : group.names) {
      if (name != kRest) {
        result.back().names.push_back(name);
        continue;
      }
      for (size_t i = 0; i < count; ++i)
        result.back().names.push_back(std::string(kRest) + std::to_string(i));
    }
  }
  return result;
}

std::optional<std::string> findRepeated(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  auto repeated = std::adjacent_find(names.begin(), names.end());
  return repeated == names.end() ? std::nullopt : std::optional(*repeated);
}

} // namespace apr::frontend
