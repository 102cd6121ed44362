// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/exposed_run.h"
#include "tools/aprun/step_side.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace apr::aprun {

/// The first element in which two tensors of one type differ in bits, with both values and their
/// bits; nothing where they agree.
struct ElementDifference {
  std::string index; ///< "[3, 5]", empty for a scalar
  std::string first; ///< "0.25 (bits 3e800000)"
  std::string second;
  std::size_t count = 0; ///< elements that differ
};
std::optional<ElementDifference> firstDifference(DType dtype, std::span<const std::int64_t> shape,
                                                 std::span<const std::byte> first,
                                                 std::span<const std::byte> second);

/// Compiled code whose values can be seen, because its source is at hand.
struct CompiledSide {
  std::string name;
  ModelRequest request;
  const Meaning *meaning = nullptr; ///< of what it compiles
  /// How many ops from the start on take and give the same as those of the function compared with.
  std::size_t commonOps = 0;
};

/// Names the first op of a call whose value one of the compiled sides computes differently from the
/// interpreter: op, place in the source, element and both values. Where none does so while its
/// values are results, they are exposed one at a time. Nothing where no op differs even then.
std::vector<std::string> locateOp(const Meaning &meaning, const FunctionCall &call,
                                  const std::vector<CompiledSide> &sides);

/// Where the operands and results of two functions' ops first differ; nothing where they are the
/// same, so that values can be compared one by one, whatever the ops compute.
std::optional<std::size_t> firstOtherOp(const Function &a, const Function &b);

/// For code that shows its outputs only: the ops on which all differing outputs depend and no equal
/// one does, with their places in the source. Outputs are indices of the function's results.
std::vector<std::string> suspectOps(const Meaning &meaning, const Function &function,
                                    const std::vector<std::size_t> &differing,
                                    const std::vector<std::size_t> &equal);

/// "%h = mul %x, %w at model.apr:12:5", the op that defines a value.
std::string describeOp(const Meaning &meaning, const Graph &graph, ValueId value);

} // namespace apr::aprun
