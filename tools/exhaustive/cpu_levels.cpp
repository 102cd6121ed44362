// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/cpu_levels.h"

namespace apr::exhaustive {

std::vector<TargetOptions> levelsOfThisMachine() {
#if defined(__x86_64__)
  std::vector<TargetOptions> levels = {{.cpu = "x86-64-v2"}};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    levels.push_back({.cpu = "x86-64-v3"});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    levels.push_back({.cpu = "x86-64-v4"});
  return levels;
#else
  return {{.cpu = "native"}};
#endif
}

std::vector<TargetOptions> targetsToCheck() {
  std::vector<TargetOptions> targets = levelsOfThisMachine();
  TargetOptions plain = targets.front();
  plain.level = CodegenLevel::O0;
  targets.insert(targets.begin(), plain);
  return targets;
}

std::string describe(const TargetOptions &options) {
  return options.cpu + (options.level == CodegenLevel::O0 ? " -O0" : "");
}

} // namespace apr::exhaustive
