// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-run/native.h"

namespace apr::run {

Result<std::vector<Variant>> nativeVariants(const Module &, const std::string &) {
  return std::vector<Variant>();
}

} // namespace apr::run
