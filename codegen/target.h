// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/kernel.h"
#include "ir/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace apr {

/// How much time code generation may take; never changes a result bit.
enum class CodegenLevel : uint8_t { O0, O1, O2, O3 };

/// Whether kernels are written for vector registers.
enum class KernelLanes : uint8_t {
  ByLevel, ///< but for -O0
  Vector,  ///< at -O0 too: for tests, which reach the code of kernels without LLVM's optimizer
};

struct TargetOptions {
  std::string triple; ///< empty: the machine that compiles
  std::string cpu;    ///< a level of supportedCpus(), or "native"; empty: the default of the triple
  CodegenLevel level = CodegenLevel::O2;
  int64_t blockWork = 0; ///< of KernelTarget; changes no bit
  /// At most so wide and so many vector registers for kernels, which decides tiles and unrolling;
  /// 0: what the CPU has. For tests: they change no bit.
  uint32_t vectorBits = 0;
  uint32_t registerCount = 0;
  KernelLanes lanes = KernelLanes::ByLevel;
};

/// A CPU level that objects can be compiled for.
struct CpuLevel {
  std::string_view name;
  std::string_view architecture; ///< "x86_64", "aarch64", "riscv64"
  std::string_view summary;
};
std::span<const CpuLevel> supportedCpus();

/// A machine to generate code for, with what kernels and entry points need to know of it.
class Target {
public:
  /// The error names the unknown triple or level and what there is.
  static Result<Target> create(const TargetOptions &options);

  Target(Target &&) noexcept;
  Target &operator=(Target &&) noexcept;
  ~Target();

  llvm::TargetMachine &machine() const { return *machine_; }
  const KernelTarget &kernels() const { return kernels_; }
  CodegenLevel level() const { return level_; }
  const std::string &triple() const { return triple_; }
  const std::string &cpu() const { return cpu_; }

  /// Bits that CPUID must report before any other code runs, x86 only; see codegen/cpu_check.cpp.
  struct CpuidNeeds {
    uint32_t leaf1Ecx = 0;
    uint32_t leaf7Ebx = 0;
    uint32_t extendedEcx = 0; ///< leaf 0x80000001
    uint32_t xcr0 = 0;        ///< register state that the operating system saves
    bool isEmpty() const { return !leaf1Ecx && !leaf7Ebx && !extendedEcx; }
  };
  const CpuidNeeds &cpuidNeeds() const { return needs_; }

private:
  Target();
  std::unique_ptr<llvm::TargetMachine> machine_;
  KernelTarget kernels_;
  CodegenLevel level_ = CodegenLevel::O2;
  std::string triple_;
  std::string cpu_;
  CpuidNeeds needs_;
};

} // namespace apr
