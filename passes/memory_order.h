// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/builder.h"

#include <functional>

namespace apr {

/// The value over which a result of the graph is to be written; kNoValue where it has memory of its
/// own. Where they are the same value, nothing is written.
using OverwrittenValue = std::function<ValueId(const Graph &graph, size_t result)>;

/// Who hears of copies that could not be avoided.
struct CopyRemarks {
  std::string function;
  std::vector<std::string> *remarks = nullptr; ///< null: nobody
};

/// Makes a graph of kernels and scans fit for memory, regions of scans included. After this
///
/// - every result is the result of an op and no other result, or is unchanged;
/// - every carry that a scan is given is the result of an op and has no other use, so that the scan
///   works where it lies and leaves the last carry there;
/// - every result that is written over a value, the carries of a region over the old ones, is made
///   by an op that runs after all other readers of that value and may write over it. Where that is
///   impossible a copy at the end writes it.
void orderForMemory(Graph &graph, const OverwrittenValue &overwritten, const CopyRemarks &remarks);

/// The values that lie where `v` does, `v` first: where it is the last carry of a scan, the first
/// one, and so on.
void forEachInMemory(const Graph &graph, ValueId v, const std::function<void(ValueId)> &visit);

/// True where op `index` may write its result over each of its operands equal to `old`.
bool mayOverwrite(const Graph &graph, size_t index, ValueId old, ValueId result);

/// Appends a kernel whose result is its operand.
ValueId appendCopy(Builder &builder, ValueId source);

} // namespace apr
