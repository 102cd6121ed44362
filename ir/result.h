// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace apr {

/// Why something could not be done: lower case, no final period, what was found and expected.
struct Error {
  std::string message;
};

/// A value, or the reason there is none.
template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : content_(std::move(value)) {}
  Result(Error error) : content_(std::move(error)) {}

  explicit operator bool() const { return content_.index() == 0; }
  T &operator*() { return std::get<0>(content_); }
  const T &operator*() const { return std::get<0>(content_); }
  T *operator->() { return &std::get<0>(content_); }
  const T *operator->() const { return &std::get<0>(content_); }
  const std::string &error() const { return std::get<1>(content_).message; }

private:
  std::variant<T, Error> content_;
};

} // namespace apr
