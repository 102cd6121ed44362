// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/target.h"

#include <functional>
#include <memory>
#include <string>

namespace llvm {
class Module;
} // namespace llvm

namespace apr::test {

/// Code of one module in this process.
class Jit {
public:
  /// Has `build` fill a module, verifies and compiles it for a CPU level of this machine.
  /// `assembly` takes the text of the machine code where it is wanted.
  Jit(const std::string &cpu, CodegenLevel level, const std::function<void(llvm::Module &)> &build,
      std::string *assembly = nullptr);
  ~Jit();
  void *find(const std::string &symbol) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether this machine runs code of a level of x86-64 ("x86-64-v4").
bool canRun(const std::string &cpu);

} // namespace apr::test
