// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "runtime/train/npy.h"
#include "runtime/train/safetensors.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace apr::train {

/// The type of NumPy that holds a type of the reflection table; nothing for bf16, which NumPy
/// lacks.
std::optional<NpyType> npyTypeOf(std::int32_t dtype);

/// Writes an NPZ file atomically: one array per tensor in the order given, not compressed. bf16
/// becomes float32, which holds its values exactly. The same tensors give the same bytes.
void writeNpz(const std::string &path, const std::vector<TensorSource> &tensors);

/// The bytes of an NPY file, likewise.
std::string npyBytes(const TensorSource &tensor);

} // namespace apr::train
