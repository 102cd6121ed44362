// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/apr-fuzz/trial.h"

namespace apr::fuzz {

// Each gives trials that are a step simpler, the most promising first; they may be invalid, or not
// fail any more.

/// Only the failing call.
std::vector<Trial> fewerRepeats(const Trial &trial, const Finding &finding);
std::vector<Trial> simplerConfigurations(const Trial &trial, const Finding &finding);
/// Only the failing function, lowered where its own passes are not at fault.
std::vector<Trial> fewerFunctions(const Trial &trial, const Finding &finding);
/// Only the failing result, or one less.
std::vector<Trial> fewerResults(const Trial &trial, const Finding &finding);
/// An op's results become inputs with the values that the interpreter gives them.
std::vector<Trial> valuesAsInputs(const Trial &trial, const Finding &finding);
/// An op's result becomes one of its operands.
std::vector<Trial> valuesAsOperands(const Trial &trial, const Finding &finding);
/// No ops, arguments, dims and state that nothing reads.
std::vector<Trial> withoutDeadCode(const Trial &trial, const Finding &finding);
/// State and hyperparameters become inputs, updates results.
std::vector<Trial> plainerRoles(const Trial &trial, const Finding &finding);
/// Smaller numbers in all shapes, open dims as numbers.
std::vector<Trial> smallerSizes(const Trial &trial, const Finding &finding);
/// Zeros and ones instead of drawn values, for a whole argument, a half of it, an element.
std::vector<Trial> simplerArguments(const Trial &trial, const Finding &finding);

} // namespace apr::fuzz
