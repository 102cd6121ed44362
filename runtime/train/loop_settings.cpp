// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/loop_settings.h"

#include "runtime/train/number.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace apr::train {
namespace {

struct Amount {
  double number = 0;
  std::string_view unit;
};

/// "500 steps" or "500steps": a number of at least 0 and a word; nothing else.
std::optional<Amount> amountFrom(std::string_view text) {
  const auto unitAt = text.find_first_not_of("0123456789.");
  Amount amount;
  std::string_view number = text.substr(0, unitAt);
  if (unitAt != std::string_view::npos)
    amount.unit = text.substr(unitAt);
  while (amount.unit.starts_with(' '))
    amount.unit.remove_prefix(1);
  if (parseNumber(number, amount.number) != NumberFault::None)
    return std::nullopt;
  return amount;
}

std::optional<double> secondsOf(const Amount &amount) {
  const std::string_view unit = amount.unit;
  if (unit == "s" || unit == "sec" || unit == "second" || unit == "seconds")
    return amount.number;
  if (unit == "m" || unit == "min" || unit == "minute" || unit == "minutes")
    return amount.number * 60;
  if (unit == "h" || unit == "hour" || unit == "hours")
    return amount.number * 3600;
  return std::nullopt;
}

std::vector<std::size_t> chosen(std::vector<std::size_t> rows, std::uint64_t count,
                                std::uint64_t seed) {
  if (count == 0 || count >= rows.size())
    return rows;
  const auto order = permutation(seed, 0, "limit", rows.size());
  std::vector<std::size_t> result;
  for (std::size_t i = 0; i < count; ++i)
    result.push_back(rows[order[i]]);
  std::sort(result.begin(), result.end());
  return result;
}

} // namespace

void setInterval(CheckpointPolicy &policy, std::string_view text, const Place &place) {
  using Unit = CheckpointPolicy::Unit;
  policy.every = 0;
  if (text == "auto" || text == "never") {
    policy.unit = text == "auto" ? Unit::Auto : Unit::Never;
    return;
  }
  const auto amount = amountFrom(text);
  const bool isSteps =
      amount && (amount->unit.empty() || amount->unit == "step" || amount->unit == "steps");
  const bool isEpochs = amount && (amount->unit == "epoch" || amount->unit == "epochs");
  const auto seconds = amount ? secondsOf(*amount) : std::nullopt;
  const bool isCount = isSteps || isEpochs;
  if ((!isCount && !seconds) || !(amount->number > 0) ||
      (isCount && std::trunc(amount->number) != amount->number))
    throw Error(ErrorKind::Usage, place,
                fmt::format("expected auto, never, or a number of steps, epochs, s, min or h such "
                            "as 500 steps, found {}",
                            inQuotes(text)));
  policy.unit = isSteps ? Unit::Steps : isEpochs ? Unit::Epochs : Unit::Seconds;
  policy.every = seconds.value_or(amount->number);
}

double secondsFromText(std::string_view text, const Place &place) {
  const auto amount = amountFrom(text);
  const auto seconds = !amount                ? std::nullopt
                       : amount->unit.empty() ? std::optional(amount->number)
                                              : secondsOf(*amount);
  if (!seconds || !(*seconds > 0))
    throw Error(
        ErrorKind::Usage, place,
        fmt::format("expected a time such as 90 s, 30 min or 2 h, found {}", inQuotes(text)));
  return *seconds;
}

Split limited(Split split, const LoopSettings &settings, std::uint64_t seed) {
  split.training = chosen(std::move(split.training), settings.limit, seed);
  split.validation = chosen(std::move(split.validation), settings.limit, seed);
  if (settings.overfit > 0) {
    split.training = chosen(std::move(split.training), settings.overfit, seed);
    split.validation = split.training;
  }
  return split;
}

} // namespace apr::train
