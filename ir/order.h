// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/dim.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace apr {

/// The order in which a reduction combines its terms, which fixes its rounding:
///
///     order = "seq"                     one chain over all terms, in ascending order
///           | "seq(" n ")"              chunks of n terms, each one chain (only inside tree(...))
///           | "lanes(" w "," n ")"      blocks of n terms; term i of a block belongs to lane
///                                       i mod w; each lane is one chain; lanes combine by the
///                                       halving tree lane[j] += lane[j + w/2], then w/4, …; w is a
///                                       power of two; (only inside tree(...))
///           | "tree(" order ")"         results of the leaf's chunks or blocks combine by the
///           binary
///                                       tree over the chunk index
///           | "tree(" S "," order ")"   S equal ranges of the terms, each by the inner order;
///           their
///                                       results combine by the binary tree over the range index
///
/// Terms count in row-major logical order of the reduced axes. A chain starts at -0.0 (so the first
/// term keeps its bits) and adds each term on the right; a contraction's chain does
/// acc = fma(a, b, acc). The binary tree adds adjacent pairs level by level, left + right; an odd
/// last one moves up unchanged. No terms at all give +0.0.
class Order {
public:
  enum class Kind : uint8_t { Seq, Chunks, Lanes, Tree, Ranges };

  static Order seq();
  static Order chunks(int64_t length);
  static Order lanes(int64_t width, int64_t length);
  static Order tree(Order leaf);
  static Order ranges(Dim count, Order inner);

  Kind kind() const { return kind_; }
  /// Chunk or block length of Chunks and Lanes.
  int64_t length() const { return length_; }
  /// Lane count of Lanes.
  int64_t width() const { return width_; }
  /// Range count of Ranges.
  const Dim &count() const { return count_; }
  /// The order inside Tree and Ranges.
  const Order &inner() const { return *inner_; }

  friend bool operator==(const Order &a, const Order &b);
  std::string str() const;

  /// Why the order is malformed (a leaf outside a tree, a width that is no power of two, a length
  /// below 1 …), or nothing.
  std::optional<std::string> problem() const;

private:
  Kind kind_ = Kind::Seq;
  int64_t length_ = 0;
  int64_t width_ = 0;
  Dim count_;
  std::shared_ptr<const Order> inner_;
};

/// Parses the text of Order::str.
std::optional<Order> parseOrder(std::string_view text);

/// The order an op has when its source states none (docs/determinism.md); a pure function of the
/// op's kind and of whether the reduced axes include the operand's last one.
Order defaultContractionOrder();
enum class LastAxis : uint8_t { Kept, Reduced };
Order defaultSumOrder(LastAxis lastAxis);

} // namespace apr
