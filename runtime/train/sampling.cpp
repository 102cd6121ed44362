// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sampling.h"

#include "runtime/train/philox.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace apr::train {
namespace {

__extension__ using Wide = unsigned __int128;

std::size_t below(std::uint64_t draw, std::uint64_t bound) {
  return static_cast<std::size_t>((Wide{draw} * bound) >> 64);
}

} // namespace

std::vector<std::size_t> permutation(std::uint64_t seed, std::uint64_t epoch,
                                     std::string_view stream, std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::uint32_t hash = streamHash(stream);
  for (std::uint64_t i = count; i-- > 1;) {
    const auto words = philox({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                               static_cast<std::uint32_t>(epoch), hash},
                              seed);
    const std::uint64_t draw = std::uint64_t{words[1]} << 32 | words[0];
    std::swap(order[i], order[below(draw, i + 1)]);
  }
  return order;
}

Split splitRows(std::uint64_t seed, std::size_t count, double fraction) {
  const auto order = permutation(seed, 0, "split", count);
  const auto wanted = static_cast<std::size_t>(static_cast<double>(count) * fraction + 0.5);
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, count));
  Split split{{middle, order.end()}, {order.begin(), middle}};
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

std::vector<std::size_t> shuffledRows(std::uint64_t seed, std::uint64_t epoch,
                                      const std::vector<std::size_t> &rows) {
  auto order = permutation(seed, epoch, "shuffle", rows.size());
  for (std::size_t &entry : order)
    entry = rows[entry];
  return order;
}

std::vector<std::size_t> balancedRows(std::uint64_t seed, std::uint64_t epoch, const Split &split) {
  std::map<std::uint32_t, std::vector<std::size_t>> byClass;
  for (std::size_t row : split.training)
    byClass[split.balanced[row]].push_back(row);
  std::vector<const std::vector<std::size_t> *> classes;
  for (const auto &[code, rows] : byClass)
    classes.push_back(&rows);
  std::vector<std::size_t> order;
  order.reserve(split.training.size());
  const std::uint32_t hash = streamHash("balance");
  for (std::uint64_t i = 0; i < split.training.size(); ++i) {
    const auto words = philox({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32),
                               static_cast<std::uint32_t>(epoch), hash},
                              seed);
    const auto draw = [&](std::size_t word) {
      return std::uint64_t{words[word + 1]} << 32 | words[word];
    };
    const auto &rows = *classes[below(draw(0), classes.size())];
    order.push_back(rows[below(draw(2), rows.size())]);
  }
  return order;
}

std::vector<std::size_t> epochRows(std::uint64_t seed, std::uint64_t epoch, const Split &split) {
  return split.balanced.empty() ? shuffledRows(seed, epoch, split.training)
                                : balancedRows(seed, epoch, split);
}

} // namespace apr::train
