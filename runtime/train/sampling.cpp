// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/sampling.h"

#include "runtime/train/philox.h"

#include <algorithm>
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

} // namespace apr::train
