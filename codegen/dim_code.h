// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/dim.h"

#include <map>
#include <string>
#include <vector>

namespace llvm {
class IRBuilderBase;
class Value;
} // namespace llvm

namespace apr {

/// The i64 values of dimension variables at some point of a function.
using DimValues = std::map<std::string, llvm::Value *, std::less<>>;

/// Loads the variables from an array of i64 in the order of `names`.
DimValues loadDims(llvm::IRBuilderBase &builder, llvm::Value *dims,
                   const std::vector<std::string> &names);

/// The i64 value of a dim that the entry point has found to be in range.
llvm::Value *emitDim(llvm::IRBuilderBase &builder, const Dim &dim, const DimValues &values);

/// A dim evaluated with care: `fails` is an i1 that is set where int64 overflows or a quotient
/// divides by zero; the value means nothing then.
struct CheckedDim {
  llvm::Value *value = nullptr;
  llvm::Value *fails = nullptr;
};
CheckedDim emitCheckedDim(llvm::IRBuilderBase &builder, const Dim &dim, const DimValues &values);

} // namespace apr
