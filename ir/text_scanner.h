// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/diagnostics.h"
#include "ir/order.h"
#include "ir/type.h"

#include <optional>
#include <string>
#include <string_view>

namespace apr {

/// Character-level reading of IR text. Methods that "expect" report IrSyntax once and give nothing
/// where the text is different. Comments run from `//` at the start of a line to its end.
class TextScanner {
public:
  TextScanner(std::string_view text, FileId file, Diagnostics &diagnostics)
      : text_(text), file_(file), diagnostics_(diagnostics) {
    skipSpace();
  }

  bool atEnd() const { return position_ >= text_.size(); }
  /// Location of the next character, `length` columns wide.
  Location here(uint32_t length = 1) const;
  std::nullopt_t fail(std::string message);

  /// Takes a punctuation mark; or a whole word, not its first letters.
  bool take(std::string_view token);
  bool takeWord(std::string_view word);
  bool expect(std::string_view token);

  /// letters, digits and _ . # $ -, not starting with a digit; or "a quoted name".
  std::optional<std::string> name(std::string_view what);
  /// %name, %"name", %12, each with an optional ~n.
  struct ValueName {
    std::string key;  ///< unique in its graph
    std::string base; ///< empty for numbered values
    Location location;
  };
  bool nextIsValue() const { return position_ < text_.size() && text_[position_] == '%'; }
  std::optional<ValueName> valueName();
  std::optional<std::string> string();
  std::optional<int64_t> integer();
  /// A number as written: digits, sign, point, exponent, hex, inf, nan, true, false.
  std::string_view numberText();
  /// A dim up to a comma, closing bracket or any of `stop` outside brackets.
  std::optional<Dim> dim(std::string_view stop = "");
  std::optional<Order> order();
  std::optional<Type> type();

private:
  void skipSpace();
  size_t dimEnd(std::string_view stop) const;

  std::string_view text_;
  FileId file_;
  Diagnostics &diagnostics_;
  size_t position_ = 0;
  uint32_t line_ = 1;
  size_t lineStart_ = 0;
};

} // namespace apr
