// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/train/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <system_error>
#include <type_traits>

namespace apr::train {
namespace {

bool isBlank(char c) { return c == ' ' || c == '\t'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && isBlank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && isBlank(text.back()))
    text.remove_suffix(1);
  return text;
}

/// The decimal exponent of the first non-zero digit, saturated; text is a valid number out of
/// range.
long magnitude(std::string_view text) {
  constexpr long limit = 1'000'000'000;
  long exponent = 0;
  const auto e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (!digits.empty() && digits.front() == '+')
      digits.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error == std::errc::result_out_of_range)
      exponent = digits.front() == '-' ? -limit : limit;
    text = text.substr(0, e);
  }
  const auto point = std::min(text.find('.'), text.size());
  const auto first = text.find_first_of("123456789");
  if (first == std::string_view::npos)
    return -limit;
  const long place =
      first < point ? static_cast<long>(point - first) : -static_cast<long>(first - point);
  return std::max(-limit, std::min(limit, exponent)) + place;
}

template <class T> NumberFault parseFloating(std::string_view text, T &value) {
  text = trimmed(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-')
    text.remove_prefix(1);
  const bool negative = !text.empty() && text.front() == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  // from_chars also reads "nan" and "inf".
  if (digits.empty() || !(isDigit(digits.front()) || digits.front() == '.'))
    return NumberFault::NotANumber;
  const char *last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error == std::errc::invalid_argument || end != last)
    return NumberFault::NotANumber;
  if (error == std::errc::result_out_of_range) {
    if (magnitude(digits) > 0)
      return NumberFault::OutOfRange;
    value = negative ? -T{0} : T{0};
  }
  return std::isfinite(value) ? NumberFault::None : NumberFault::OutOfRange;
}

template <class T> NumberFault wholeNumber(std::string_view text, T &value) {
  double number = 0;
  if (const auto fault = parseFloating(text, number); fault != NumberFault::None)
    return fault;
  if (std::trunc(number) != number)
    return NumberFault::NotWhole;
  // The largest value of a 64-bit type is not a double: compare with the power of two above it.
  const double end = std::ldexp(1.0, std::numeric_limits<T>::digits);
  const double begin = std::is_signed_v<T> ? -end : 0.0;
  if (number < begin || number >= end)
    return NumberFault::OutOfRange;
  value = static_cast<T>(number);
  return NumberFault::None;
}

template <class T> NumberFault parseInteger(std::string_view text, T &value) {
  const std::string_view plain = trimmed(text);
  const std::string_view digits = !plain.empty() && plain.front() == '+' ? plain.substr(1) : plain;
  const char *last = digits.data() + digits.size();
  T parsed = 0;
  const auto [end, error] = std::from_chars(digits.data(), last, parsed);
  if (end == last && error == std::errc{}) {
    value = parsed;
    return NumberFault::None;
  }
  if (end == last && error == std::errc::result_out_of_range)
    return NumberFault::OutOfRange;
  return wholeNumber(plain, value);
}

} // namespace

NumberFault parseNumber(std::string_view text, float &value) { return parseFloating(text, value); }
NumberFault parseNumber(std::string_view text, double &value) { return parseFloating(text, value); }
NumberFault parseNumber(std::string_view text, std::int32_t &value) {
  return parseInteger(text, value);
}
NumberFault parseNumber(std::string_view text, std::int64_t &value) {
  return parseInteger(text, value);
}
NumberFault parseNumber(std::string_view text, std::uint8_t &value) {
  return parseInteger(text, value);
}

NumberFault parseNumber(std::string_view text, bool &value) {
  const std::string_view plain = trimmed(text);
  if (plain == "true" || plain == "false") {
    value = plain == "true";
    return NumberFault::None;
  }
  std::int32_t number = 0;
  if (const auto fault = parseInteger(plain, number); fault != NumberFault::None)
    return fault;
  if (number != 0 && number != 1)
    return NumberFault::OutOfRange;
  value = number == 1;
  return NumberFault::None;
}

} // namespace apr::train
