// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/interp/interpreter.h"

#include <string_view>

namespace apr::run {

/// Reads over one directive; blanks never matter.
class Cursor {
public:
  explicit Cursor(std::string_view text) : text_(text) { skipSpace(); }

  bool atEnd() const { return position_ == text_.size(); }
  bool take(std::string_view token);
  bool takeWord(std::string_view word);
  /// Letters, digits and _ . # $, or anything in double quotes; empty where there is none.
  std::string_view name();
  /// Characters of a number: digits, letters, sign, point.
  std::string_view number();
  std::string_view rest() const { return text_.substr(position_); }

private:
  void skipSpace();
  std::string_view text_;
  size_t position_ = 0;
};

/// A value of known type, in one of the forms
///
///     1.5                     every element
///     [1, [nan, -0.0], 0x7f]  the elements, row-major; inner brackets only group; 0x… gives bits
///     [1 * 4096, 2]           an element so many times
///     ramp(a, b)              element i is a + b * i, computed in f64 and converted
///     random(seed)            edge values and ordinary ones, see random_inputs.h
Result<Tensor> parseValue(Cursor &cursor, DType dtype, const std::vector<int64_t> &shape);

/// "[1, -0.0, nan]", or "1.5 " for a scalar: parseValue of it gives the same bits.
std::string str(const Tensor &tensor);

/// One element as parseValue reads it, and its bits: "-0", "0x80000000".
std::string elementText(const Tensor &tensor, size_t index);
std::string elementBits(const Tensor &tensor, size_t index);

/// The first element whose bits differ, of two tensors of equal dtype and shape.
std::optional<size_t> firstDifferentElement(const Tensor &found, const Tensor &expected);
/// Where two tensors of one type differ first, as text, or nothing.
std::optional<std::string> firstDifference(const Tensor &found, const Tensor &expected);

} // namespace apr::run
