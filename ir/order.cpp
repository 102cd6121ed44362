// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/order.h"

#include <charconv>
#include <fmt/format.h>

namespace apr {

namespace {
constexpr int kMaximumDepth = 16;
}

Order Order::seq() { return Order(); }

Order Order::chunks(int64_t length) {
  Order o;
  o.kind_ = Kind::Chunks;
  o.length_ = length;
  return o;
}

Order Order::lanes(int64_t width, int64_t length) {
  Order o;
  o.kind_ = Kind::Lanes;
  o.width_ = width;
  o.length_ = length;
  return o;
}

Order Order::tree(Order leaf) {
  Order o;
  o.kind_ = Kind::Tree;
  o.inner_ = std::make_shared<const Order>(std::move(leaf));
  return o;
}

Order Order::ranges(Dim count, Order inner) {
  Order o;
  o.kind_ = Kind::Ranges;
  o.count_ = std::move(count);
  o.inner_ = std::make_shared<const Order>(std::move(inner));
  return o;
}

bool operator==(const Order &a, const Order &b) {
  return a.kind_ == b.kind_ && a.length_ == b.length_ && a.width_ == b.width_ &&
         a.count_ == b.count_ &&
         (a.inner_ == b.inner_ || (a.inner_ && b.inner_ && *a.inner_ == *b.inner_));
}

std::string Order::str() const {
  switch (kind_) {
  case Kind::Seq:
    return "seq";
  case Kind::Chunks:
    return fmt::format("seq({})", length_);
  case Kind::Lanes:
    return fmt::format("lanes({},{})", width_, length_);
  case Kind::Tree:
    return fmt::format("tree({})", inner_->str());
  case Kind::Ranges:
    return fmt::format("tree({},{})", count_.str(), inner_->str());
  }
  return "";
}

std::optional<std::string> Order::problem() const {
  switch (kind_) {
  case Kind::Seq:
    return std::nullopt;
  case Kind::Chunks:
  case Kind::Lanes:
    return fmt::format("{} gives several results; write tree({})", str(), str());
  case Kind::Tree:
    switch (inner_->kind_) {
    case Kind::Chunks:
      return inner_->length_ >= 1 ? std::nullopt
                                  : std::optional<std::string>("a chunk needs at least one term");
    case Kind::Lanes:
      if (inner_->width_ < 1 || (inner_->width_ & (inner_->width_ - 1)) != 0 ||
          inner_->width_ > 4096)
        return fmt::format("{} lanes are not a power of two up to 4096", inner_->width_);
      if (inner_->length_ < inner_->width_ || inner_->length_ % inner_->width_ != 0)
        return fmt::format("a block of {} terms is not a multiple of {} lanes", inner_->length_,
                           inner_->width_);
      return std::nullopt;
    case Kind::Seq:
    case Kind::Tree:
    case Kind::Ranges:
      return fmt::format("tree(order) takes seq(n) or lanes(w,n), not {}; use tree(S,order) for "
                         "equal ranges",
                         inner_->str());
    }
    return std::nullopt;
  case Kind::Ranges:
    if (auto n = count_.asConstant(); !count_.isValid() || (n && *n < 1))
      return std::string("a tree needs at least one range");
    return inner_->problem();
  }
  return std::nullopt;
}

namespace {

class OrderParser {
public:
  explicit OrderParser(std::string_view text) : text_(text) {}

  std::optional<Order> parse() {
    auto order = next(0);
    skipSpace();
    return order && position_ == text_.size() ? order : std::nullopt;
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
  std::optional<int64_t> number() {
    skipSpace();
    int64_t value = 0;
    const char *begin = text_.data() + position_, *end = text_.data() + text_.size();
    auto [stop, status] = std::from_chars(begin, end, value);
    if (status != std::errc())
      return std::nullopt;
    position_ += static_cast<size_t>(stop - begin);
    return value;
  }

  std::optional<Order> next(int depth) {
    if (depth > kMaximumDepth)
      return std::nullopt;
    if (take("seq")) {
      if (!take("("))
        return Order::seq();
      auto length = number();
      return length && take(")") ? std::optional(Order::chunks(*length)) : std::nullopt;
    }
    if (take("lanes")) {
      if (!take("("))
        return std::nullopt;
      auto width = number();
      if (!width || !take(","))
        return std::nullopt;
      auto length = number();
      return length && take(")") ? std::optional(Order::lanes(*width, *length)) : std::nullopt;
    }
    if (!take("tree") || !take("("))
      return std::nullopt;
    if (auto inner = leafOrTree(depth))
      return take(")") ? std::optional(Order::tree(*inner)) : std::nullopt;
    auto count = dimBeforeComma();
    if (!count)
      return std::nullopt;
    auto inner = next(depth + 1);
    return inner && take(")") ? std::optional(Order::ranges(*count, *inner)) : std::nullopt;
  }

  /// An order right after "tree(", as opposed to a range count: then position_ does not move.
  std::optional<Order> leafOrTree(int depth) {
    size_t before = position_;
    auto order = next(depth + 1);
    skipSpace();
    if (order && position_ < text_.size() && text_[position_] == ')')
      return order;
    position_ = before;
    return std::nullopt;
  }

  std::optional<Dim> dimBeforeComma() {
    size_t depth = 0;
    for (size_t i = position_; i < text_.size(); ++i) {
      if (text_[i] == '(')
        ++depth;
      else if (text_[i] == ')' && depth-- == 0)
        return std::nullopt;
      else if (text_[i] == ',' && depth == 0) {
        auto dim = parseDim(text_.substr(position_, i - position_));
        position_ = i + 1;
        return dim;
      }
    }
    return std::nullopt;
  }

  std::string_view text_;
  size_t position_ = 0;
};

} // namespace

std::optional<Order> parseOrder(std::string_view text) { return OrderParser(text).parse(); }

Order defaultContractionOrder() { return Order::tree(Order::chunks(512)); }

Order defaultSumOrder(LastAxis lastAxis) {
  return lastAxis == LastAxis::Reduced ? Order::tree(Order::lanes(32, 4096))
                                       : Order::tree(Order::chunks(512));
}

} // namespace apr
