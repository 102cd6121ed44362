// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/ops/families.h"

#include <fmt/format.h>

namespace apr {

/// Operands: value | arguments | captured. Region arguments: the derivative by the value |
/// arguments | captured. Region results: one derivative per argument.
InferredTypes inferWithGradient(const TypeQuery &query) {
  const int64_t count = query.attributes.integer(AttrKey::Arguments);
  const auto operands = static_cast<int64_t>(query.operands.size());
  if (operands == 0 || count < 1 || count > operands - 1)
    return Error{fmt::format("{} arguments do not fit {} operands, the first of which is the value",
                             count, operands)};
  if (!query.region)
    return Error{"with_gradient needs a region"};
  const Graph &region = *query.region;
  if (region.arguments().size() != query.operands.size())
    return Error{fmt::format("with_gradient has {} operands, its region {} arguments", operands,
                             region.arguments().size())};
  if (region.results.size() != static_cast<size_t>(count))
    return Error{fmt::format("the region yields {} derivatives, expected one for each of {} "
                             "arguments",
                             region.results.size(), count)};
  for (size_t i = 0; i < query.operands.size(); ++i) {
    const Type &operand = query.operands[i];
    const Type &argument = region.type(region.arguments()[i]);
    if (!(argument == operand))
      return Error{fmt::format("operand {} is {}, the region's argument {}", i, str(operand),
                               str(argument))};
    if (i <= static_cast<size_t>(count) && !isFloat(operand.dtype))
      return Error{fmt::format("operand {} is {}, expected a float", i, str(operand))};
    if (i == 0 || i > static_cast<size_t>(count))
      continue;
    const Type &derivative = region.type(region.results[i - 1]);
    if (!(derivative == operand))
      return Error{fmt::format("argument {} is {}, but the region yields {}", i - 1, str(operand),
                               str(derivative))};
  }
  return std::vector<Type>{query.operands[0]};
}

} // namespace apr
