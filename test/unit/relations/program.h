// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/jit.h"
#include "codegen/target.h"
#include "ir/graph.h"
#include "tools/ir_runs/random_arguments.h"
#include "tools/ir_runs/stages.h"

#include <map>

namespace apr::test {

/// A way from a module to results. None may change a bit.
struct Way {
  enum class Backend : uint8_t { Interpreter, Native };
  Backend backend = Backend::Interpreter;
  std::vector<std::string> disabled; ///< passes
  bool fuses = true;
  DimBindings dims; ///< bound before code is made
  TargetOptions target{.cpu = "native"};
};
Way interpreted();
Way native();
std::string str(const Way &way);

/// Results and updates of a function by role and name.
using Named = std::map<std::pair<ResultRole, std::string>, Tensor>;

/// A module that has run through the pipeline, and its code where the way is native. What goes
/// wrong fails the running test.
class Program {
public:
  Program(Module source, const Way &way);

  /// After the last pass.
  const Module &module() const { return module_; }
  const std::string &objectBytes() const { return bytes_; }
  const Function &function(const std::string &name) const;

  run::Outcome call(const std::string &name, std::span<const Tensor> arguments,
                    const DimBindings &dims) const;
  /// Throws where the call is refused.
  std::vector<Tensor> run(const std::string &name, std::span<const Tensor> arguments,
                          const DimBindings &dims) const;
  Named runNamed(const std::string &name, std::span<const Tensor> arguments,
                 const DimBindings &dims) const;

private:
  Module module_;
  std::string bytes_;
  std::shared_ptr<LinkedObject> object_;
};

/// The module after fix-reduction-orders, from where on no pass changes a bit.
Module meaningOf(Module source);
void runPassList(Module &module, const std::vector<std::string> &passes);
/// Arguments for a function of a module that has run through the pipeline.
std::vector<Tensor> drawArguments(const Module &module, const std::string &function,
                                  const DimBindings &dims, uint64_t seed,
                                  run::Values values = run::Values::Ordinary);
std::vector<std::string> functionNames(const Module &module);

/// Every result and update of every function of `plain` has the same bits in `changed`, on random
/// arguments; `changed` may give more. Calls that both refuse are the same.
void expectSameBits(const Program &changed, const Program &plain, const DimBindings &dims,
                    run::Values values = run::Values::Ordinary);

/// Where `found` lacks a result of `expected` or has other bits; empty where it does not.
std::string difference(const Named &found, const Named &expected);

} // namespace apr::test
