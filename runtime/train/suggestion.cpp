// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace apr::train {
namespace {

/// Levenshtein distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

} // namespace

std::string suggestion(std::string_view word, const std::vector<std::string> &candidates) {
  constexpr std::size_t longestWord = 64;
  if (word.size() > longestWord)
    return {};
  const std::string *best = nullptr;
  std::size_t bestDistance = (word.size() <= 3 ? 1 : std::max<std::size_t>(2, word.size() / 3)) + 1;
  for (const std::string &candidate : candidates) {
    if (candidate.size() > longestWord)
      continue;
    if (const auto d = distance(word, candidate); d < bestDistance) {
      best = &candidate;
      bestDistance = d;
    }
  }
  return best ? fmt::format("; did you mean \"{}\"?", *best) : std::string{};
}

std::string listed(const std::vector<std::string> &words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

} // namespace apr::train
