// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string_view>

namespace llvm {
class Module;
} // namespace llvm

namespace apr {

/// Internal error where LLVM's verifier refuses the module, or where it contains what would let the
/// result depend on the target: fast-math flags, fused or approximated operations by choice of the
/// target, functions of libm, arithmetic in functions that run in the caller's environment.
void checkModule(const llvm::Module &module);

/// Internal error where an object needs a symbol from outside that docs/abi.md does not list:
/// memcpy, memset and memmove.
void checkObject(std::string_view object);

} // namespace apr
