// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/unit/runtime_train/read_hostile.h"

#include <cstddef>
#include <cstdint>

/// libFuzzer's entry: a reader may refuse any bytes with an `Error`, and nothing else may happen.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  apr::train::readHostile(APR_READER, {reinterpret_cast<const char *>(data), size});
  return 0;
}
