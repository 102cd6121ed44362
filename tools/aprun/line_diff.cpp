// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/aprun/line_diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace apr::aprun {
namespace {

constexpr std::size_t kContext = 3;
/// Above this many pairs of lines what differs is shown as one block.
constexpr std::size_t kMaximumPairs = 16'000'000;

using Lines = std::vector<std::string_view>;

Lines linesOf(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return lines;
}

struct Edit {
  char mark; ///< ' ', '-' or '+'
  std::string_view line;
};

/// The middle parts by their longest common subsequence.
void compare(const Lines &before, const Lines &after, std::vector<Edit> &edits) {
  const std::size_t columns = after.size() + 1;
  const bool isHuge = before.size() * columns > kMaximumPairs;
  std::vector<std::uint32_t> common(isHuge ? 0 : (before.size() + 1) * columns);
  if (!isHuge)
    for (std::size_t i = before.size(); i-- > 0;)
      for (std::size_t j = after.size(); j-- > 0;)
        common[i * columns + j] = before[i] == after[j] ? common[(i + 1) * columns + j + 1] + 1
                                                        : std::max(common[(i + 1) * columns + j],
                                                                   common[i * columns + j + 1]);
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < before.size() || j < after.size()) {
    const bool isLeft =
        i < before.size() && (j == after.size() || isHuge ||
                              common[(i + 1) * columns + j] >= common[i * columns + j + 1]);
    if (i < before.size() && j < after.size() && !isHuge && before[i] == after[j]) {
      edits.push_back({' ', before[i++]});
      ++j;
    } else if (isLeft) {
      edits.push_back({'-', before[i++]});
    } else {
      edits.push_back({'+', after[j++]});
    }
  }
}

std::vector<Edit> editsOf(Lines before, Lines after) {
  std::size_t start = 0;
  while (start < before.size() && start < after.size() && before[start] == after[start])
    ++start;
  std::size_t end = 0;
  while (end < before.size() - start && end < after.size() - start &&
         before[before.size() - 1 - end] == after[after.size() - 1 - end])
    ++end;
  std::vector<Edit> edits;
  for (std::size_t i = 0; i < start; ++i)
    edits.push_back({' ', before[i]});
  const auto middle = [&](const Lines &lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(start),
                 lines.end() - static_cast<std::ptrdiff_t>(end));
  };
  compare(middle(before), middle(after), edits);
  for (std::size_t i = before.size() - end; i < before.size(); ++i)
    edits.push_back({' ', before[i]});
  return edits;
}

} // namespace

std::string unifiedDiff(const std::string &name, std::string_view before, std::string_view after) {
  if (before == after)
    return "";
  const std::vector<Edit> edits = editsOf(linesOf(before), linesOf(after));
  std::string text = fmt::format("--- {}\n+++ {} (formatted)\n", name, name);
  std::size_t oldLine = 1;
  std::size_t newLine = 1;
  for (std::size_t i = 0; i < edits.size();) {
    const auto isChange = [](const Edit &edit) { return edit.mark != ' '; };
    const auto at = [&](std::size_t n) { return edits.begin() + static_cast<std::ptrdiff_t>(n); };
    const auto change =
        static_cast<std::size_t>(std::find_if(at(i), edits.end(), isChange) - edits.begin());
    if (change == edits.size())
      break;
    // A hunk goes on while fewer than two contexts of equal lines part two changes.
    std::size_t end = change;
    for (std::size_t j = change; j < edits.size() && j <= end + 2 * kContext; ++j)
      if (isChange(edits[j]))
        end = j;
    const std::size_t begin = std::max(i, change - std::min(change, kContext));
    oldLine += begin - i;
    newLine += begin - i;
    end = std::min(edits.size(), end + 1 + kContext);
    std::string lines;
    std::size_t oldCount = 0;
    std::size_t newCount = 0;
    for (std::size_t j = begin; j < end; ++j) {
      oldCount += edits[j].mark != '+';
      newCount += edits[j].mark != '-';
      lines += edits[j].mark;
      lines += edits[j].line;
      if (!edits[j].line.ends_with('\n'))
        lines += "\n\\ No newline at end of file\n";
    }
    text += fmt::format("@@ -{},{} +{},{} @@\n{}", oldLine, oldCount, newLine, newCount, lines);
    oldLine += oldCount;
    newLine += newCount;
    i = end;
  }
  return text;
}

} // namespace apr::aprun
