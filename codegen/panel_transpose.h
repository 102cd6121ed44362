// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <vector>

namespace apr::codegen {

/// Transposes a square of n vectors of n lanes, n a power of two: lane j of result i is lane i of
/// vector j. Interleaving vector i with vector i + n/2, log2(n) times over, does it.
inline std::vector<llvm::Value *> transposeSquare(std::vector<llvm::Value *> rows,
                                                  llvm::IRBuilder<> &builder) {
  const size_t n = rows.size();
  std::vector<int> low(n), high(n);
  for (size_t i = 0; i < n; ++i) {
    low[i] = static_cast<int>(i / 2 + (i % 2) * n);
    high[i] = static_cast<int>(n / 2 + i / 2 + (i % 2) * n);
  }
  for (size_t round = 1; round < n; round *= 2) {
    std::vector<llvm::Value *> next(n);
    for (size_t i = 0; i < n / 2; ++i) {
      next[2 * i] = builder.CreateShuffleVector(rows[i], rows[i + n / 2], low);
      next[2 * i + 1] = builder.CreateShuffleVector(rows[i], rows[i + n / 2], high);
    }
    rows = std::move(next);
  }
  return rows;
}

} // namespace apr::codegen
