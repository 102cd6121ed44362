// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"

#include <functional>

namespace apr {

/// How the operands, results and region of a scan divide:
///
///     operands           carries | inputs  | captured
///     region arguments   carries | slices  | captured
///     region results     carries | outputs
///     results            carries | stacked outputs
struct ScanParts {
  explicit ScanParts(const Op &scan);

  size_t carries = 0;
  size_t inputs = 0;
  size_t captured = 0;
  size_t outputs = 0;
  Dim length;
  bool isBackwards = false;

  size_t firstCaptured() const { return carries + inputs; }
  bool isCarry(size_t operand) const { return operand < carries; }
  bool isInput(size_t operand) const { return operand >= carries && operand < firstCaptured(); }
};

/// In which order a scan takes its steps.
enum class ScanDirection : uint8_t { Forwards, Backwards };

/// What a new scan reads, in the order of its region's arguments.
struct ScanOperands {
  std::vector<ValueId> carries;
  std::vector<ValueId> inputs;
  std::vector<ValueId> captured;
};

/// Appends a scan; returns the last carries and then the stacked outputs.
std::vector<ValueId> createScan(Builder &builder, const ScanOperands &operands, Dim length,
                                ScanDirection direction, std::shared_ptr<const Graph> region);

/// Appends a scan like `scan` with another region. `operand` gives the new value of each operand,
/// or none where the region has no argument for it any more.
std::vector<ValueId> rebuildScan(Builder &builder, const Op &scan,
                                 const std::function<std::optional<ValueId>(size_t)> &operand,
                                 std::shared_ptr<const Graph> region);

/// The type of what stacks `length` values of a type, and of one value of a stack of rank >= 1.
Type stackedType(const Dim &length, const Type &type);
Type sliceType(const Type &stacked);

} // namespace apr
