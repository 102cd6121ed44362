// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/dim.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <compare>
#include <fmt/format.h>

namespace apr {

namespace {

/// Products of this many terms are refused: no shape of a real model comes near.
constexpr size_t kMaximumTerms = 256;
constexpr uint32_t kMaximumPower = 64;
constexpr size_t kMaximumFactors = 64;
constexpr int kMaximumDepth = 64;
constexpr int kMaximumQuotientDepth = 30;
constexpr size_t kMaximumQuotientFactors = 1000;

std::strong_ordering compareDims(const Dim &a, const Dim &b);

std::strong_ordering compareFactors(const Dim::Factor &a, const Dim::Factor &b) {
  // Variables come before quotients; the exponent is compared last.
  if (auto c = (a.quotient != nullptr) <=> (b.quotient != nullptr); c != 0)
    return c;
  if (a.quotient && a.quotient != b.quotient) {
    if (auto c = compareDims(a.quotient->numerator, b.quotient->numerator); c != 0)
      return c;
    if (auto c = compareDims(a.quotient->denominator, b.quotient->denominator); c != 0)
      return c;
  }
  if (int c = a.variable.compare(b.variable); c != 0)
    return c < 0 ? std::strong_ordering::less : std::strong_ordering::greater;
  return a.power <=> b.power;
}

uint32_t degree(const std::vector<Dim::Factor> &factors) {
  uint32_t sum = 0;
  for (const Dim::Factor &f : factors)
    sum += f.power;
  return sum;
}

/// Higher degrees first, so that the constant prints last.
std::strong_ordering compareProducts(const std::vector<Dim::Factor> &a,
                                     const std::vector<Dim::Factor> &b) {
  if (auto c = degree(b) <=> degree(a); c != 0)
    return c;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (auto c = compareFactors(a[i], b[i]); c != 0)
      return c;
  return a.size() <=> b.size();
}

std::strong_ordering compareDims(const Dim &a, const Dim &b) {
  if (auto c = a.isValid() <=> b.isValid(); c != 0)
    return c;
  if (auto c = a.terms().size() <=> b.terms().size(); c != 0)
    return c;
  for (size_t i = 0; i < a.terms().size(); ++i) {
    if (auto c = compareProducts(a.terms()[i].factors, b.terms()[i].factors); c != 0)
      return c;
    if (auto c = a.terms()[i].coefficient <=> b.terms()[i].coefficient; c != 0)
      return c;
  }
  return std::strong_ordering::equal;
}

/// The product in normal form; false where a power gets out of hand.
bool multiplyFactors(std::vector<Dim::Factor> &into, const std::vector<Dim::Factor> &other) {
  for (const Dim::Factor &f : other) {
    auto same = std::find_if(into.begin(), into.end(), [&](const Dim::Factor &g) {
      Dim::Factor h = g;
      h.power = f.power;
      return compareFactors(h, f) == 0;
    });
    if (same == into.end()) {
      if (into.size() >= kMaximumFactors)
        return false;
      into.push_back(f);
    } else {
      same->power += f.power;
      if (same->power > kMaximumPower)
        return false;
    }
  }
  std::sort(into.begin(), into.end(),
            [](const auto &a, const auto &b) { return compareFactors(a, b) < 0; });
  return true;
}

/// Removes `part` from `whole`; false where it is not contained.
bool divideFactors(std::vector<Dim::Factor> &whole, const std::vector<Dim::Factor> &part) {
  for (const Dim::Factor &f : part) {
    auto same = std::find_if(whole.begin(), whole.end(), [&](const Dim::Factor &g) {
      Dim::Factor h = g;
      h.power = f.power;
      return compareFactors(h, f) == 0;
    });
    if (same == whole.end() || same->power < f.power)
      return false;
    same->power -= f.power;
    if (same->power == 0)
      whole.erase(same);
  }
  return true;
}

/// How deep quotients stand in quotients, and how many factors there are on all levels together.
/// Larger ones are refused where they are made, so that no walk over a dim takes long or exhausts
/// the stack, and every dim that prints also parses.
struct QuotientSize {
  int depth = 0;
  size_t factors = 0;
};

QuotientSize quotientSize(const Dim &dim) {
  QuotientSize size;
  for (const Dim::Term &term : dim.terms())
    for (const Dim::Factor &factor : term.factors) {
      ++size.factors;
      if (!factor.quotient)
        continue;
      for (const Dim *part : {&factor.quotient->numerator, &factor.quotient->denominator}) {
        QuotientSize inner = quotientSize(*part);
        size.depth = std::max(size.depth, inner.depth + 1);
        size.factors += inner.factors;
      }
    }
  return size;
}

int64_t floorQuotient(int64_t a, int64_t b) {
  int64_t q = a / b;
  return (a % b != 0 && ((a < 0) != (b < 0))) ? q - 1 : q;
}

std::string factorText(const Dim::Factor &f) {
  std::string base = f.variable;
  if (f.quotient) {
    auto operand = [](const Dim &d) {
      std::string text = d.str();
      bool simple = std::all_of(text.begin(), text.end(),
                                [](unsigned char c) { return std::isalnum(c) || c == '_'; });
      return simple ? text : "(" + text + ")";
    };
    base = "(" + operand(f.quotient->numerator) + "//" + operand(f.quotient->denominator) + ")";
  }
  std::string text = base;
  for (uint32_t i = 1; i < f.power; ++i)
    text += "*" + base;
  return text;
}

} // namespace

Dim::Dim(int64_t value) {
  if (value != 0)
    terms_.push_back({{}, value});
}

Dim Dim::variable(std::string name) {
  Dim d;
  d.terms_.push_back({{Factor{std::move(name), nullptr, 1}}, 1});
  return d;
}

Dim Dim::invalid() {
  Dim d;
  d.valid_ = false;
  return d;
}

Dim Dim::fromTerms(std::vector<Term> terms) {
  std::stable_sort(terms.begin(), terms.end(), [](const Term &a, const Term &b) {
    return compareProducts(a.factors, b.factors) < 0;
  });
  Dim d;
  for (Term &t : terms) {
    if (!d.terms_.empty() && compareProducts(d.terms_.back().factors, t.factors) == 0) {
      int64_t &sum = d.terms_.back().coefficient;
      if (__builtin_add_overflow(sum, t.coefficient, &sum))
        return invalid();
      if (sum == 0)
        d.terms_.pop_back();
    } else if (t.coefficient != 0) {
      d.terms_.push_back(std::move(t));
    }
  }
  return d.terms_.size() > kMaximumTerms ? invalid() : d;
}

Dim Dim::floorDivide(const Dim &numerator, const Dim &denominator) {
  if (!numerator.valid_ || !denominator.valid_ || denominator == Dim(0))
    return invalid();
  auto n = numerator.asConstant(), m = denominator.asConstant();
  if (n && m)
    return *n == INT64_MIN && *m == -1 ? invalid() : Dim(floorQuotient(*n, *m));
  if (auto exact = numerator.dividedExactlyBy(denominator))
    return *exact;
  if (m == -1) // everything divides by -1 but INT64_MIN, whose quotient overflows
    return invalid();
  // floor((k*m + r) / m) = k + floor(r / m): terms that divide come out of the quotient.
  if (m) {
    Dim whole, rest;
    for (const Term &t : numerator.terms_) {
      Dim part = fromTerms({t});
      if (t.coefficient % *m == 0) {
        part.terms_[0].coefficient /= *m;
        whole += part;
      } else if (t.factors.empty()) {
        int64_t q = floorQuotient(t.coefficient, *m);
        whole += Dim(q);
        rest += Dim(t.coefficient - q * *m);
      } else {
        rest += part;
      }
    }
    if (!(whole == Dim(0)))
      return whole + floorDivide(rest, denominator);
  }
  for (const Dim *part : {&numerator, &denominator})
    if (QuotientSize size = quotientSize(*part);
        size.depth >= kMaximumQuotientDepth || size.factors > kMaximumQuotientFactors)
      return invalid();
  Dim d;
  d.terms_.push_back(
      {{Factor{{}, std::make_shared<const Quotient>(Quotient{numerator, denominator}), 1}}, 1});
  return d;
}

std::optional<int64_t> Dim::asConstant() const {
  if (!valid_)
    return std::nullopt;
  if (terms_.empty())
    return 0;
  if (terms_.size() == 1 && terms_[0].factors.empty())
    return terms_[0].coefficient;
  return std::nullopt;
}

std::optional<std::string> Dim::asVariable() const {
  if (!valid_ || terms_.size() != 1 || terms_[0].coefficient != 1 || terms_[0].factors.size() != 1)
    return std::nullopt;
  const Factor &f = terms_[0].factors[0];
  if (f.quotient || f.power != 1)
    return std::nullopt;
  return f.variable;
}

Dim operator+(const Dim &a, const Dim &b) {
  if (!a.valid_ || !b.valid_)
    return Dim::invalid();
  std::vector<Dim::Term> terms = a.terms_;
  terms.insert(terms.end(), b.terms_.begin(), b.terms_.end());
  return Dim::fromTerms(std::move(terms));
}

Dim operator-(const Dim &a, const Dim &b) { return a + b * Dim(-1); }

Dim operator*(const Dim &a, const Dim &b) {
  if (!a.valid_ || !b.valid_ || a.terms_.size() * b.terms_.size() > kMaximumTerms * 4)
    return Dim::invalid();
  std::vector<Dim::Term> terms;
  for (const Dim::Term &s : a.terms_)
    for (const Dim::Term &t : b.terms_) {
      Dim::Term product{s.factors, 0};
      if (__builtin_mul_overflow(s.coefficient, t.coefficient, &product.coefficient) ||
          !multiplyFactors(product.factors, t.factors))
        return Dim::invalid();
      terms.push_back(std::move(product));
    }
  return Dim::fromTerms(std::move(terms));
}

bool operator==(const Dim &a, const Dim &b) { return compareDims(a, b) == 0; }
bool operator<(const Dim &a, const Dim &b) { return compareDims(a, b) < 0; }

std::optional<Dim> Dim::dividedExactlyBy(const Dim &divisor) const {
  if (!valid_ || !divisor.valid_ || divisor.terms_.empty())
    return std::nullopt;
  // Long division by the leading term; the normal form puts the highest degree first.
  Dim rest = *this, quotient;
  for (size_t steps = 0; !rest.terms_.empty(); ++steps) {
    Term lead = rest.terms_[0];
    const Term &by = divisor.terms_[0];
    if (steps > kMaximumTerms || (lead.coefficient == INT64_MIN && by.coefficient == -1) ||
        lead.coefficient % by.coefficient != 0 || !divideFactors(lead.factors, by.factors))
      return std::nullopt;
    lead.coefficient /= by.coefficient;
    Dim part = fromTerms({lead});
    quotient += part;
    rest = rest - part * divisor;
    if (!rest.valid_)
      return std::nullopt;
  }
  return quotient;
}

bool Dim::isProvablyNonNegative() const {
  if (!valid_)
    return false;
  return std::all_of(terms_.begin(), terms_.end(), [](const Term &t) {
    return t.coefficient >= 0 &&
           std::all_of(t.factors.begin(), t.factors.end(), [](const Factor &f) {
             return !f.quotient || (f.quotient->numerator.isProvablyNonNegative() &&
                                    f.quotient->denominator.isProvablyPositive());
           });
  });
}

bool Dim::isProvablyPositive() const {
  return isProvablyNonNegative() && !terms_.empty() && terms_.back().factors.empty() &&
         terms_.back().coefficient > 0;
}

std::optional<int64_t> Dim::evaluate(const DimBindings &bindings) const {
  if (!valid_)
    return std::nullopt;
  int64_t sum = 0;
  for (const Term &t : terms_) {
    int64_t product = t.coefficient;
    for (const Factor &f : t.factors) {
      std::optional<int64_t> base;
      if (f.quotient) {
        auto n = f.quotient->numerator.evaluate(bindings);
        auto m = f.quotient->denominator.evaluate(bindings);
        if (!n || !m || *m == 0 || (*n == INT64_MIN && *m == -1))
          return std::nullopt;
        base = floorQuotient(*n, *m);
      } else {
        auto bound = bindings.find(f.variable);
        if (bound == bindings.end())
          return std::nullopt;
        base = bound->second;
      }
      for (uint32_t i = 0; i < f.power; ++i)
        if (__builtin_mul_overflow(product, *base, &product))
          return std::nullopt;
    }
    if (__builtin_add_overflow(sum, product, &sum))
      return std::nullopt;
  }
  return sum;
}

Dim Dim::substitute(const DimBindings &bindings) const {
  std::map<std::string, Dim, std::less<>> replacements;
  for (const auto &[name, value] : bindings)
    replacements.emplace(name, Dim(value));
  return substitute(replacements);
}

Dim Dim::substitute(const std::map<std::string, Dim, std::less<>> &replacements) const {
  if (!valid_)
    return *this;
  Dim sum;
  for (const Term &t : terms_) {
    Dim product(t.coefficient);
    for (const Factor &f : t.factors) {
      Dim base;
      if (f.quotient) {
        base = floorDivide(f.quotient->numerator.substitute(replacements),
                           f.quotient->denominator.substitute(replacements));
      } else if (auto found = replacements.find(f.variable); found != replacements.end()) {
        base = found->second;
      } else {
        base = variable(f.variable);
      }
      for (uint32_t i = 0; i < f.power; ++i)
        product *= base;
    }
    sum += product;
  }
  return sum;
}

void Dim::collectVariables(std::set<std::string> &out) const {
  for (const Term &t : terms_)
    for (const Factor &f : t.factors) {
      if (f.quotient) {
        f.quotient->numerator.collectVariables(out);
        f.quotient->denominator.collectVariables(out);
      } else {
        out.insert(f.variable);
      }
    }
}

std::string Dim::str() const {
  if (!valid_)
    return "<invalid>";
  if (terms_.empty())
    return "0";
  std::string text;
  for (const Term &t : terms_) {
    bool negative = t.coefficient < 0;
    uint64_t magnitude =
        negative ? 0 - static_cast<uint64_t>(t.coefficient) : static_cast<uint64_t>(t.coefficient);
    if (text.empty())
      text += negative ? "-" : "";
    else
      text += negative ? " - " : " + ";
    bool needsNumber = magnitude != 1 || t.factors.empty();
    if (needsNumber)
      text += fmt::format("{}", magnitude);
    for (size_t i = 0; i < t.factors.size(); ++i)
      text += (i != 0 || needsNumber ? "*" : "") + factorText(t.factors[i]);
  }
  return text;
}

Dim elementCount(const Shape &shape) {
  Dim count(1);
  for (const Dim &d : shape)
    count *= d;
  return count;
}

std::string str(const Shape &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? "," : "") + shape[i].str();
  return text + "]";
}

namespace {

/// Recursive descent over the text of Dim::str.
class DimParser {
public:
  explicit DimParser(std::string_view text) : text_(text) {}

  std::optional<Dim> parse() {
    auto d = sum(0);
    skipSpace();
    return d && d->isValid() && position_ == text_.size() ? d : std::nullopt;
  }

private:
  void skipSpace() {
    while (position_ < text_.size() && text_[position_] == ' ')
      ++position_;
  }
  bool take(std::string_view token) {
    skipSpace();
    if (text_.substr(position_, token.size()) != token)
      return false;
    position_ += token.size();
    return true;
  }

  std::optional<Dim> sum(int depth) {
    if (depth > kMaximumDepth)
      return std::nullopt;
    bool negative = take("-");
    auto total = product(depth);
    if (total && negative)
      total = Dim(0) - *total;
    while (total) {
      bool minus = take("-");
      if (!minus && !take("+"))
        break;
      auto next = product(depth);
      if (!next)
        return std::nullopt;
      total = minus ? *total - *next : *total + *next;
    }
    return total;
  }

  std::optional<Dim> product(int depth) {
    auto total = atom(depth);
    while (total) {
      bool divide = take("//");
      if (!divide && !take("*"))
        break;
      auto next = atom(depth);
      if (!next)
        return std::nullopt;
      total = divide ? Dim::floorDivide(*total, *next) : *total * *next;
    }
    return total;
  }

  std::optional<Dim> atom(int depth) {
    if (take("(")) {
      auto inner = sum(depth + 1);
      return inner && take(")") ? inner : std::nullopt;
    }
    skipSpace();
    size_t begin = position_;
    auto isWord = [&](size_t i) {
      return i < text_.size() &&
             (std::isalnum(static_cast<unsigned char>(text_[i])) || text_[i] == '_');
    };
    while (isWord(position_))
      ++position_;
    std::string_view word = text_.substr(begin, position_ - begin);
    if (word.empty())
      return std::nullopt;
    if (!std::isdigit(static_cast<unsigned char>(word[0])))
      return Dim::variable(std::string(word));
    int64_t value = 0;
    auto [end, status] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (status != std::errc() || end != word.data() + word.size())
      return std::nullopt;
    return Dim(value);
  }

  std::string_view text_;
  size_t position_ = 0;
};

} // namespace

std::optional<Dim> parseDim(std::string_view text) { return DimParser(text).parse(); }

} // namespace apr
