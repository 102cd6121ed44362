// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/split.h"

#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace apr::train {
namespace {

constexpr std::array<std::pair<const char *, SplitKind>, 4> kinds = {
    {{"random", SplitKind::Random},
     {"stratified", SplitKind::Stratified},
     {"groups", SplitKind::Groups},
     {"named", SplitKind::Named}}};

std::size_t rounded(std::size_t count, double share) {
  return std::min(count, static_cast<std::size_t>(static_cast<double>(count) * share + 0.5));
}

/// Divides rows that are in a random order already.
void divide(const std::vector<std::size_t> &order, const SplitShares &shares, Split &split) {
  const std::size_t test = rounded(order.size(), shares.test);
  const std::size_t rest = order.size() - test;
  std::size_t begin = 0;
  std::size_t end = std::min(rest, rounded(order.size(), shares.validation));
  if (shares.folds > 0) {
    begin = rest * (shares.fold - 1) / shares.folds;
    end = rest * shares.fold / shares.folds;
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto &part = i >= rest ? split.test : i >= begin && i < end ? split.validation : split.training;
    part.push_back(order[i]);
  }
}

std::vector<std::vector<std::size_t>> rowsByKey(const std::vector<std::size_t> &rows,
                                                const RowKeys &keys) {
  std::vector<std::vector<std::size_t>> result(keys.words.size());
  for (std::size_t row : rows)
    result[keys.codes[row]].push_back(row);
  return result;
}

std::vector<std::size_t> inRandomOrder(std::uint64_t seed, const std::vector<std::size_t> &rows) {
  auto order = permutation(seed, 0, "split", rows.size());
  for (std::size_t &entry : order)
    entry = rows[entry];
  return order;
}

void divideGroups(std::uint64_t seed, const std::vector<std::size_t> &rows, const RowKeys &keys,
                  const SplitShares &shares, Split &split) {
  auto groups = rowsByKey(rows, keys);
  std::erase_if(groups, [](const auto &group) { return group.empty(); });
  std::sort(groups.begin(), groups.end(),
            [](const auto &a, const auto &b) { return a.front() < b.front(); });
  const auto order = permutation(seed, 0, "split", groups.size());
  const auto take = [&](std::size_t group, std::vector<std::size_t> &part) {
    part.insert(part.end(), groups[group].begin(), groups[group].end());
  };
  std::size_t end = order.size();
  const std::size_t test = rounded(rows.size(), shares.test);
  while (end > 0 && split.test.size() < test)
    take(order[--end], split.test);
  const std::size_t rest = rows.size() - split.test.size();
  const std::size_t validation = rounded(rows.size(), shares.validation);
  std::size_t before = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const bool isHeldOut = shares.folds > 0
                               ? shares.folds * before / rest + 1 == shares.fold
                               : split.training.empty() && split.validation.size() < validation;
    take(order[i], isHeldOut ? split.validation : split.training);
    before += groups[order[i]].size();
  }
}

void divideByName(const std::vector<std::size_t> &rows, const RowKeys &keys, const SplitRule &rule,
                  Split &split) {
  std::vector<std::vector<std::size_t> *> parts;
  for (const std::string &word : keys.words) {
    if (word == "training" || word == "train")
      parts.push_back(&split.training);
    else if (word == "validation" || word == "valid" || word == "val")
      parts.push_back(&split.validation);
    else if (word == "test")
      parts.push_back(&split.test);
    else
      throw Error(ErrorKind::Data,
                  fmt::format("{} in column {} names no part of the split; there are training, "
                              "validation and test",
                              inQuotes(word), rule.column));
  }
  for (std::size_t row : rows)
    parts[keys.codes[row]]->push_back(row);
}

} // namespace

SplitRule parseSplitRule(std::string_view text, const Place &place) {
  const auto equals = text.find('=');
  std::string_view word = text.substr(0, equals);
  if (word == "by")
    word = "groups";
  std::vector<std::string> words;
  for (const auto &[name, kind] : kinds) {
    words.emplace_back(name);
    if (word != name)
      continue;
    const bool hasColumn = equals != std::string_view::npos && equals + 1 < text.size();
    if (hasColumn != (kind != SplitKind::Random))
      throw Error(ErrorKind::Usage, place,
                  kind == SplitKind::Random
                      ? std::string("random takes no column")
                      : fmt::format("{} needs a column, as in {}=COLUMN", word, word));
    return {kind, hasColumn ? std::string(text.substr(equals + 1)) : std::string()};
  }
  throw Error(ErrorKind::Usage, place,
              fmt::format("unknown split {}{}; there are random, stratified=COLUMN, groups=COLUMN "
                          "and named=COLUMN",
                          inQuotes(word), suggestion(word, words)));
}

std::string text(const SplitRule &rule) {
  for (const auto &[name, kind] : kinds)
    if (kind == rule.kind)
      return rule.column.empty() ? std::string(name) : fmt::format("{}={}", name, rule.column);
  return "random";
}

Split splitRows(std::uint64_t seed, const SplitRule &rule, const SplitShares &shares,
                const std::vector<std::size_t> &rows, const RowKeys &keys) {
  Split split;
  switch (rule.kind) {
  case SplitKind::Random:
    divide(inRandomOrder(seed, rows), shares, split);
    break;
  case SplitKind::Stratified:
    for (const auto &part : rowsByKey(inRandomOrder(seed, rows), keys))
      divide(part, shares, split);
    break;
  case SplitKind::Groups:
    divideGroups(seed, rows, keys, shares, split);
    break;
  case SplitKind::Named:
    divideByName(rows, keys, rule, split);
    break;
  }
  for (auto *part : {&split.training, &split.validation, &split.test})
    std::sort(part->begin(), part->end());
  return split;
}

} // namespace apr::train
