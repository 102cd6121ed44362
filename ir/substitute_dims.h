// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

namespace apr {

using DimReplacements = std::map<std::string, Dim, std::less<>>;

/// Replaces dim variables in every type, attribute, check and limit of a function; its list of dim
/// variables stays.
void substituteDims(Function &function, const DimReplacements &replacements);
void substituteDims(Graph &graph, const DimReplacements &replacements);

} // namespace apr
