// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace apr {

class Dim;
using DimBindings = std::map<std::string, int64_t, std::less<>>;

/// A size: an integer polynomial of dimension variables and floor quotients of such, kept in normal
/// form, so that two dims that are equal as polynomials compare equal. A value type.
///
/// Variables stand for non-negative integers. Coefficients are int64; a dim whose normal form does
/// not fit becomes *invalid*, which is sticky and which the verifier reports.
class Dim {
public:
  Dim(int64_t value = 0);
  static Dim variable(std::string name);
  /// floor(numerator / denominator); invalid where the denominator is the constant 0.
  static Dim floorDivide(const Dim &numerator, const Dim &denominator);
  static Dim invalid();

  bool isValid() const { return valid_; }
  bool isConstant() const { return asConstant().has_value(); }
  std::optional<int64_t> asConstant() const;
  /// The name where the dim is just one variable.
  std::optional<std::string> asVariable() const;

  friend Dim operator+(const Dim &a, const Dim &b);
  friend Dim operator-(const Dim &a, const Dim &b);
  friend Dim operator*(const Dim &a, const Dim &b);
  Dim &operator+=(const Dim &other) { return *this = *this + other; }
  Dim &operator*=(const Dim &other) { return *this = *this * other; }

  friend bool operator==(const Dim &a, const Dim &b);
  /// A total order without meaning beyond being the same everywhere.
  friend bool operator<(const Dim &a, const Dim &b);

  /// The polynomial q with *this == q * divisor, where there is one.
  std::optional<Dim> dividedExactlyBy(const Dim &divisor) const;

  /// True where the value is >= 0 (or >= 1) for all non-negative variables, by a sufficient test of
  /// the coefficients; false means "not proven".
  bool isProvablyNonNegative() const;
  bool isProvablyPositive() const;

  /// The value; empty where a variable is unbound, a quotient divides by zero or int64 overflows.
  std::optional<int64_t> evaluate(const DimBindings &bindings) const;
  /// Replaces the bound variables; others stay.
  Dim substitute(const DimBindings &bindings) const;
  Dim substitute(const std::map<std::string, Dim, std::less<>> &replacements) const;
  void collectVariables(std::set<std::string> &out) const;

  /// "2*B + 1", "(H - 1)//2 + 1"; parseDim of it gives an equal dim.
  std::string str() const;

  struct Quotient;
  /// A variable, or a floor quotient of two dims, to a power.
  struct Factor {
    std::string variable; ///< empty for a quotient
    std::shared_ptr<const Quotient> quotient;
    uint32_t power = 1;
  };
  /// A product; factors in ascending order.
  struct Term {
    std::vector<Factor> factors;
    int64_t coefficient = 0;
  };
  /// In ascending order of factors, without zero coefficients: for code that lowers a dim.
  const std::vector<Term> &terms() const { return terms_; }

private:
  static Dim fromTerms(std::vector<Term> terms);
  std::vector<Term> terms_;
  bool valid_ = true;
};

struct Dim::Quotient {
  Dim numerator;
  Dim denominator;
};

using Shape = std::vector<Dim>;

/// Product of all dims; 1 for a scalar.
Dim elementCount(const Shape &shape);
/// "[64, B]"-style text without spaces: "[64,B]".
std::string str(const Shape &shape);

/// Parses the text of Dim::str: + - * // ( ) INT IDENT. Empty where the text is not one dim, or is
/// nested too deeply.
std::optional<Dim> parseDim(std::string_view text);

} // namespace apr
