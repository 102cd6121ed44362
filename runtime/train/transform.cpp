// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/transform.h"

#include "runtime/train/number.h"
#include "runtime/train/suggestion.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace apr::train {
namespace {

struct KindInfo {
  TransformKind kind;
  const char *name;
  std::size_t givenNumbers; ///< how many numbers its text takes
};

constexpr std::array<KindInfo, 11> kinds = {{{TransformKind::Standardise, "standardise", 0},
                                             {TransformKind::MinMax, "min_max", 0},
                                             {TransformKind::Multiply, "multiply", 1},
                                             {TransformKind::Divide, "divide", 1},
                                             {TransformKind::Add, "add", 1},
                                             {TransformKind::Clip, "clip", 2},
                                             {TransformKind::Log, "log", 0},
                                             {TransformKind::Normalise, "normalise", 2},
                                             {TransformKind::ClassWeights, "class_weights", 0},
                                             {TransformKind::OneHot, "one_hot", 0},
                                             {TransformKind::Categories, "categories", 0}}};

const KindInfo &info(TransformKind kind) {
  return *std::find_if(kinds.begin(), kinds.end(),
                       [kind](const KindInfo &row) { return row.kind == kind; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ')
    text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> splitAt(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.push_back(trimmed(text.substr(0, end)));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

TransformKind kindNamed(std::string_view word, const Place &place) {
  if (word == "standardize")
    return TransformKind::Standardise;
  if (word == "normalize")
    return TransformKind::Normalise;
  std::vector<std::string> names;
  for (const KindInfo &row : kinds) {
    if (word == row.name)
      return row.kind;
    names.push_back(row.name);
  }
  throw Error(ErrorKind::Usage, place,
              fmt::format("unknown transform {}{}; there are {}", inQuotes(word),
                          suggestion(word, names), listed(names)));
}

void readNumbers(Transform &transform, const std::vector<std::string_view> &arguments,
                 const Place &place) {
  const std::size_t wanted = info(transform.kind).givenNumbers;
  const bool hasChannels = transform.kind == TransformKind::Normalise;
  if (hasChannels && (arguments.size() < 2 || arguments.size() % 2 != 0))
    throw Error(
        ErrorKind::Usage, place,
        fmt::format("the transform normalise takes a mean and a deviation, or as many means "
                    "as there are channels and then as many deviations, found {} number{}",
                    arguments.size(), arguments.size() == 1 ? "" : "s"));
  if (!hasChannels && arguments.size() != wanted)
    throw Error(ErrorKind::Usage, place,
                fmt::format("the transform {} takes {} number{}, found {}", name(transform.kind),
                            wanted, wanted == 1 ? "" : "s", arguments.size()));
  for (std::string_view argument : arguments) {
    double number = 0;
    if (parseNumber(argument, number) != NumberFault::None)
      throw Error(ErrorKind::Usage, place,
                  fmt::format("the transform {} takes a number, found {}", name(transform.kind),
                              inQuotes(argument)));
    transform.constants.push_back(number);
  }
  if (transform.kind == TransformKind::Divide && transform.constants[0] == 0)
    throw Error(ErrorKind::Usage, place, "the transform divide takes a number other than zero");
  const auto &constants = transform.constants;
  if (hasChannels &&
      std::find(constants.begin() + static_cast<std::ptrdiff_t>(constants.size() / 2),
                constants.end(), 0.0) != constants.end())
    throw Error(ErrorKind::Usage, place,
                "the transform normalise takes deviations other than zero");
  if (transform.kind == TransformKind::Clip && transform.constants[0] > transform.constants[1])
    throw Error(ErrorKind::Usage, place, "the transform clip takes its lower bound first");
}

/// Reads the weight behind a category, and returns the category.
std::string_view readWeight(Transform &transform, std::string_view argument, const Place &place) {
  const auto equals = argument.rfind('=');
  double weight = 0;
  if (equals == std::string_view::npos ||
      parseNumber(argument.substr(equals + 1), weight) != NumberFault::None || weight < 0)
    throw Error(ErrorKind::Usage, place,
                fmt::format("the transform class_weights takes CATEGORY = WEIGHT of at least 0, "
                            "found {}",
                            inQuotes(argument)));
  transform.constants.push_back(weight);
  return trimmed(argument.substr(0, equals));
}

void readLabels(Transform &transform, const std::vector<std::string_view> &arguments,
                const Place &place) {
  for (std::string_view argument : arguments) {
    if (transform.kind == TransformKind::ClassWeights)
      argument = readWeight(transform, argument, place);
    std::string label(argument);
    if (std::find(transform.labels.begin(), transform.labels.end(), label) !=
        transform.labels.end())
      throw Error(ErrorKind::Usage, place,
                  fmt::format("the category {} is listed twice", inQuotes(label)));
    transform.labels.push_back(std::move(label));
  }
}

Transform parseTransform(std::string_view text, const Place &place) {
  const auto open = text.find('(');
  Transform transform;
  transform.kind = kindNamed(trimmed(text.substr(0, open)), place);
  std::vector<std::string_view> arguments;
  if (open != std::string_view::npos) {
    if (text.back() != ')')
      throw Error(ErrorKind::Usage, place,
                  fmt::format("expected a closing parenthesis at the end of {}", inQuotes(text)));
    arguments = splitAt(text.substr(open + 1, text.size() - open - 2), ',');
  }
  if (takesLabels(transform.kind))
    readLabels(transform, arguments, place);
  else
    readNumbers(transform, arguments, place);
  return transform;
}

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
};

std::vector<double> meanAndDeviation(const std::vector<std::size_t> &rows,
                                     const std::vector<double> &values) {
  const auto count = static_cast<double>(rows.size());
  double sum = 0;
  for (std::size_t row : rows)
    sum += values[row];
  const double mean = sum / count;
  double squares = 0;
  for (std::size_t row : rows) {
    const double difference = values[row] - mean;
    squares += difference * difference;
  }
  const double deviation = std::sqrt(squares / count);
  return {mean, deviation > 0 ? deviation : 1.0};
}

std::vector<double> lowAndHigh(const std::vector<std::size_t> &rows,
                               const std::vector<double> &values) {
  Range range;
  for (std::size_t row : rows) {
    range.low = std::min(range.low, values[row]);
    range.high = std::max(range.high, values[row]);
  }
  return {range.low, range.high > range.low ? range.high : range.low + 1.0};
}

void fit(Transform &transform, const std::vector<std::size_t> &rows,
         const std::vector<double> &values) {
  if (!transform.constants.empty() || rows.empty())
    return;
  if (transform.kind == TransformKind::Standardise)
    transform.constants = meanAndDeviation(rows, values);
  if (transform.kind == TransformKind::MinMax)
    transform.constants = lowAndHigh(rows, values);
}

double applied(const Transform &transform, double x) {
  const auto &c = transform.constants;
  switch (transform.kind) {
  case TransformKind::Standardise:
  case TransformKind::Normalise:
    return (x - c[0]) / c[1];
  case TransformKind::MinMax:
    return (x - c[0]) / (c[1] - c[0]);
  case TransformKind::Multiply:
    return x * c[0];
  case TransformKind::Divide:
    return x / c[0];
  case TransformKind::Add:
    return x + c[0];
  case TransformKind::Clip:
    return x < c[0] ? c[0] : x > c[1] ? c[1] : x;
  case TransformKind::Log:
    return x > 0 ? naturalLogarithm(x) : std::numeric_limits<double>::quiet_NaN();
  case TransformKind::ClassWeights:
  case TransformKind::OneHot:
  case TransformKind::Categories:
    break;
  }
  return x;
}

} // namespace

const char *name(TransformKind kind) { return info(kind).name; }

bool takesLabels(TransformKind kind) {
  return kind == TransformKind::OneHot || kind == TransformKind::Categories ||
         kind == TransformKind::ClassWeights;
}

bool takesLabels(const Pipeline &pipeline) {
  return !pipeline.empty() && takesLabels(pipeline.front().kind);
}

Pipeline parsePipeline(std::string_view text, const Place &place) {
  Pipeline pipeline;
  for (std::string_view part : splitAt(text, '|'))
    pipeline.push_back(parseTransform(part, place));
  for (const Transform &transform : pipeline)
    if (takesLabels(transform.kind) && pipeline.size() > 1)
      throw Error(ErrorKind::Usage, place,
                  fmt::format("the transform {} stands alone, found {} transforms",
                              name(transform.kind), pipeline.size()));
  return pipeline;
}

Pipeline pipelineOfColumn(const Pipeline &pipeline, std::size_t position, std::size_t columns,
                          const Place &place) {
  Pipeline own = pipeline;
  for (Transform &transform : own) {
    const std::size_t channels = transform.constants.size() / 2;
    if (transform.kind != TransformKind::Normalise || channels <= 1)
      continue;
    if (columns % channels != 0)
      throw Error(ErrorKind::Usage, place,
                  fmt::format("normalise is given {} channels, and {} columns are no multiple of "
                              "that",
                              channels, columns));
    const std::size_t channel = position % channels;
    transform.constants = {transform.constants[channel], transform.constants[channels + channel]};
  }
  return own;
}

std::string text(const Pipeline &pipeline) {
  std::string result;
  for (const Transform &transform : pipeline) {
    result += result.empty() ? "" : " | ";
    result += name(transform.kind);
    if (info(transform.kind).givenNumbers > 0)
      result += fmt::format("({})", fmt::join(transform.constants, ", "));
  }
  return result;
}

void fitAndApply(Pipeline &pipeline, const std::vector<std::size_t> &trainingRows,
                 std::vector<double> &values) {
  for (Transform &transform : pipeline) {
    fit(transform, trainingRows, values);
    for (double &x : values)
      x = applied(transform, x);
  }
}

void apply(const Pipeline &pipeline, std::vector<double> &values) {
  for (const Transform &transform : pipeline)
    for (double &x : values)
      x = applied(transform, x);
}

void fitLabels(Transform &transform, const std::vector<LabelCount> &counts) {
  if (!transform.labels.empty())
    return;
  for (const LabelCount &count : counts)
    transform.labels.push_back(count.label);
  sortLabels(transform.labels);
  if (transform.kind != TransformKind::ClassWeights)
    return;
  double rows = 0;
  for (const LabelCount &count : counts)
    rows += static_cast<double>(count.rows);
  transform.constants.resize(counts.size());
  for (const LabelCount &count : counts) {
    const auto place = std::find(transform.labels.begin(), transform.labels.end(), count.label);
    transform.constants[static_cast<std::size_t>(place - transform.labels.begin())] =
        rows / (static_cast<double>(counts.size()) * static_cast<double>(count.rows));
  }
}

void sortLabels(std::vector<std::string> &labels) {
  const auto number = [](const std::string &label) {
    double parsed = 0;
    return parseNumber(label, parsed) == NumberFault::None
               ? parsed
               : std::numeric_limits<double>::quiet_NaN();
  };
  const bool areNumbers = std::none_of(labels.begin(), labels.end(), [&](const std::string &label) {
    return std::isnan(number(label));
  });
  std::sort(labels.begin(), labels.end());
  if (areNumbers)
    std::stable_sort(labels.begin(), labels.end(), [&](const std::string &a, const std::string &b) {
      return number(a) < number(b);
    });
}

double naturalLogarithm(double x) {
  int exponent = 0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  // log m = 2 atanh s = 2 (s + s³/3 + s⁵/5 + …) with |s| ≤ 0.172; 13 terms reach 2^-60.
  const double s = (m - 1.0) / (m + 1.0);
  const double square = s * s;
  double series = 0;
  for (int k = 25; k >= 3; k -= 2)
    series = (series + 1.0 / k) * square;
  constexpr double ln2High = 0x1.62e42fee00000p-1;
  constexpr double ln2Low = 0x1.a39ef35793c76p-33;
  const double e = exponent;
  return e * ln2High + (2.0 * s + (2.0 * s * series + e * ln2Low));
}

} // namespace apr::train
