// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "ir/interp/interpreter.h"

#include <string_view>

namespace apr::fuzz {

/// What a module does.
enum class Mode : uint8_t {
  Forward,  ///< one entry @f
  Gradient, ///< one function with `gradient`: an entry @f or the grad of a train block
  Train,    ///< @t.grad and @t.apply, an optimizer; compose-steps makes @t of them
};
std::string_view name(Mode mode);

/// All that a generated module depends on.
struct Recipe {
  uint64_t seed = 0;
  Mode mode = Mode::Forward;
  std::vector<OpKind> focus; ///< kinds that must occur, where that is possible
  size_t ops = 6;            ///< about so many besides those that operands need
};

/// The recipe of graph `index` of a run. Consecutive indices favour every op in turn, in every
/// mode, so that any stretch of them covers all ops about equally.
Recipe recipeOf(uint64_t runSeed, uint64_t index);

struct Generated {
  Module module;
  DimBindings dims; ///< sizes of open dims for which every op is valid
};

/// A random module, well typed and the same for a recipe everywhere: the source form, before any
/// pass. Operations of all families, sizes around vector widths and reduction chunks, 0 and 1,
/// several readers, state with updates.
Generated generate(const Recipe &recipe);

/// Arguments for a function of such a module at any stage of the pipeline: edge values among
/// ordinary ones, indices mostly within the limits that the function checks.
std::vector<Tensor> makeArguments(const Module &module, const Function &function,
                                  const DimBindings &dims, uint64_t seed);

} // namespace apr::fuzz
