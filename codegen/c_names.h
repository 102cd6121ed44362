// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"

#include <set>
#include <string>
#include <string_view>

namespace apr {

/// The prefix of a model's C symbols: "Digits" -> "digits", "NoisyLine" -> "noisy_line",
/// "MLP2" -> "mlp2".
std::string symbolPrefix(std::string_view modelName);

/// The C function of an entry point: "predict" -> digits_predict; the train block "step" gives
/// digits_step, digits_grad, digits_apply, digits_eval; another one, "gan" say, digits_gan,
/// digits_gan_grad and so on.
std::string functionSymbol(std::string_view prefix, const Function &function);
/// What comes between the prefix and a suffix such as "_gradients_bytes": nothing for the train
/// block "step", "_gan" for "gan".
std::string trainBlockInfix(std::string_view trainBlock);

/// A name with everything that C and C++ do not allow in an identifier replaced by '_', and with a
/// '_' appended to keywords.
std::string cIdentifier(std::string_view name);
/// "digits" -> "DIGITS".
std::string macroName(std::string_view symbol);

/// Gives out identifiers that differ from each other, by appending '_'.
class UniqueNames {
public:
  std::string claim(std::string_view name);

private:
  std::set<std::string> taken_;
};

/// "float", "double", "int32_t", "int64_t", "uint8_t".
std::string_view cTypeName(DType dtype);

} // namespace apr
