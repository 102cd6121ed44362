// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace apr::train {

/// The rows of one input, row-major, in the input's own element type.
struct InputArray {
  std::string name;
  std::int32_t dtype = 0; ///< APRT_F32 …
  std::size_t rowElements = 0;
  std::size_t rowBytes = 0;
  std::vector<std::byte> values;
};

/// Rows held in memory, ready to be handed to a model.
struct Dataset {
  std::size_t rows = 0;
  std::vector<InputArray> inputs;

  const InputArray *find(std::string_view name) const {
    for (const InputArray &input : inputs)
      if (input.name == name)
        return &input;
    return nullptr;
  }
};

} // namespace apr::train
