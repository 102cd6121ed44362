// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/type.h"

namespace apr {

/// True where a tensor of the type can exist: its dims are valid and the constant ones leave it
/// less than 2^63 bytes, however they are multiplied. What rule 3 of the verifier demands of every
/// value.
bool canExist(const Type &type);

} // namespace apr
