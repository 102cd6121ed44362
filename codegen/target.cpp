// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/target.h"

#include "codegen/llvm_compat.h"

#include <fmt/format.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>

namespace apr {
namespace {

/// What a level means to LLVM, to kernels and to the check at the entry points.
struct LevelFacts {
  CpuLevel level;
  std::string_view llvmCpu;
  std::string_view llvmFeatures;
  KernelTarget kernels;
  Target::CpuidNeeds needs;
};

constexpr uint32_t bits(std::initializer_list<uint32_t> positions) {
  uint32_t mask = 0;
  for (uint32_t position : positions)
    mask |= uint32_t(1) << position;
  return mask;
}

// CPUID leaf 1 ECX: SSE3 0, SSSE3 9, FMA 12, CX16 13, SSE4.1 19, SSE4.2 20, MOVBE 22, POPCNT 23,
// OSXSAVE 27, AVX 28, F16C 29. Leaf 7 EBX: BMI1 3, AVX2 5, BMI2 8, AVX512F 16, DQ 17, CD 28, BW 30,
// VL 31. Leaf 0x80000001 ECX: LAHF 0, LZCNT 5. XCR0: SSE 1, AVX 2, AVX-512 5, 6, 7.
constexpr uint32_t kV2Leaf1 = bits({0, 9, 13, 19, 20, 23});
constexpr uint32_t kV3Leaf1 = kV2Leaf1 | bits({12, 22, 27, 28, 29});
constexpr uint32_t kV3Leaf7 = bits({3, 5, 8});
constexpr uint32_t kV4Leaf7 = kV3Leaf7 | bits({16, 17, 28, 30, 31});

constexpr KernelTarget kernelTarget(KernelTarget::Arch arch, uint32_t vectorBits,
                                    uint32_t registers, bool fma, bool masks) {
  KernelTarget target;
  target.arch = arch;
  target.vectorBits = vectorBits;
  target.registerCount = registers;
  target.hasFma = fma;
  target.hasMasks = masks;
  return target;
}

using Arch = KernelTarget::Arch;

constexpr LevelFacts kLevels[] = {
    {{"x86-64-v2", "x86_64", "SSE4.2: every x86-64 server and PC since about 2009"},
     "x86-64-v2",
     "",
     kernelTarget(Arch::X86, 128, 16, false, false),
     {kV2Leaf1, 0, bits({0}), 0}},
    {{"x86-64-v3", "x86_64", "AVX2 and FMA: since about 2013"},
     "x86-64-v3",
     "",
     kernelTarget(Arch::X86, 256, 16, true, true),
     {kV3Leaf1, kV3Leaf7, bits({0, 5}), bits({1, 2})}},
    {{"x86-64-v4", "x86_64", "AVX-512: servers since 2017, AMD since 2022"},
     "x86-64-v4",
     // Without it LLVM splits 512-bit vectors for the sake of CPUs that slow down with them.
     "-prefer-256-bit",
     kernelTarget(Arch::X86, 512, 32, true, true),
     {kV3Leaf1, kV4Leaf7, bits({0, 5}), bits({1, 2, 5, 6, 7})}},
    {{"generic", "aarch64", "Armv8-A with Advanced SIMD"},
     "generic",
     "",
     kernelTarget(Arch::AArch64, 128, 32, true, false),
     {}},
    {{"generic", "riscv64", "RV64GC"},
     "generic-rv64",
     "+m,+a,+f,+d,+c",
     // Two of its scalar registers make the smallest vector that kernels are written for.
     kernelTarget(Arch::RiscV, 128, 16, true, false),
     {}},
};

std::string_view architectureName(const llvm::Triple &triple) {
  switch (triple.getArch()) {
  case llvm::Triple::x86_64:
    return "x86_64";
  case llvm::Triple::aarch64:
    return "aarch64";
  case llvm::Triple::riscv64:
    return "riscv64";
  default:
    return "";
  }
}

/// The highest level whose features this machine has.
std::string_view hostCpu() {
  const auto features = llvm::sys::getHostCPUFeatures();
  auto hasAll = [&](std::initializer_list<const char *> names) {
    return std::ranges::all_of(names, [&](const char *name) { return features.lookup(name); });
  };
  if (!hasAll({"avx2", "fma", "bmi", "bmi2", "f16c", "lzcnt", "movbe"}))
    return "x86-64-v2";
  return hasAll({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}) ? "x86-64-v4"
                                                                             : "x86-64-v3";
}

std::string_view defaultCpu(std::string_view architecture) {
  return architecture == "x86_64" ? "x86-64-v3" : "generic";
}

Result<const LevelFacts *> findLevel(std::string_view architecture, std::string_view name) {
  std::string known;
  for (const LevelFacts &facts : kLevels) {
    if (facts.level.architecture != architecture)
      continue;
    if (facts.level.name == name)
      return &facts;
    known += fmt::format("{}{}", known.empty() ? "" : ", ", facts.level.name);
  }
  return Error{fmt::format("unknown CPU '{}' for {}; known are {}", name, architecture, known)};
}

Result<const LevelFacts *> selectLevel(const llvm::Triple &triple, const std::string &requested) {
  const std::string_view architecture = architectureName(triple);
  if (architecture.empty())
    return Error{fmt::format("unsupported target '{}'; supported architectures are x86_64, aarch64 "
                             "and riscv64",
                             triple.str())};
  // Other formats have other names for memcpy, and stack probes that an object would have to link.
  if (!triple.isOSBinFormatELF())
    return Error{fmt::format(
        "unsupported target '{}'; only ELF objects (Linux, BSD) can be written", triple.str())};
  if (requested != "native")
    return findLevel(architecture, requested.empty() ? defaultCpu(architecture) : requested);
  const llvm::Triple host(llvm::sys::getDefaultTargetTriple());
  if (host.getArch() != triple.getArch())
    return Error{fmt::format("the CPU 'native' is a {}, which cannot run code for {}",
                             host.getArchName().str(), triple.str())};
  return findLevel(architecture, architecture == "x86_64" ? hostCpu() : defaultCpu(architecture));
}

llvm::CodeGenOptLevel llvmLevel(CodegenLevel level) {
  switch (level) {
  case CodegenLevel::O0:
    return llvm::CodeGenOptLevel::None;
  case CodegenLevel::O1:
    return llvm::CodeGenOptLevel::Less;
  case CodegenLevel::O2:
    return llvm::CodeGenOptLevel::Default;
  case CodegenLevel::O3:
    return llvm::CodeGenOptLevel::Aggressive;
  }
  return llvm::CodeGenOptLevel::Default;
}

void initializeLlvm() {
  static const bool once = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
    LLVMInitializeAArch64TargetInfo();
    LLVMInitializeAArch64Target();
    LLVMInitializeAArch64TargetMC();
    LLVMInitializeAArch64AsmPrinter();
    LLVMInitializeAArch64AsmParser();
    LLVMInitializeRISCVTargetInfo();
    LLVMInitializeRISCVTarget();
    LLVMInitializeRISCVTargetMC();
    LLVMInitializeRISCVAsmPrinter();
    LLVMInitializeRISCVAsmParser();
    return true;
  }();
  (void)once;
}

} // namespace

std::span<const CpuLevel> supportedCpus() {
  static const std::vector<CpuLevel> levels = [] {
    std::vector<CpuLevel> all;
    for (const LevelFacts &facts : kLevels)
      all.push_back(facts.level);
    return all;
  }();
  return levels;
}

Target::Target() = default;
Target::Target(Target &&) noexcept = default;
Target &Target::operator=(Target &&) noexcept = default;
Target::~Target() = default;

Result<Target> Target::create(const TargetOptions &options) {
  initializeLlvm();
  const llvm::Triple triple(llvm::Triple::normalize(
      options.triple.empty() ? llvm::sys::getDefaultTargetTriple() : options.triple));
  auto facts = selectLevel(triple, options.cpu);
  if (!facts)
    return Error{facts.error()};

  std::string problem;
  const llvm::Target *llvmTarget = compat::lookupTarget(triple, problem);
  if (!llvmTarget)
    return Error{fmt::format("this LLVM has no code generator for '{}'", triple.str())};
  llvm::TargetOptions llvmOptions;
  llvmOptions.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  if (triple.getArch() == llvm::Triple::riscv64)
    llvmOptions.MCOptions.ABIName = "lp64d";

  Target target;
  target.machine_.reset(compat::createTargetMachine(
      *llvmTarget, triple, llvm::StringRef((*facts)->llvmCpu),
      llvm::StringRef((*facts)->llvmFeatures), llvmOptions, llvmLevel(options.level)));
  if (!target.machine_)
    return Error{fmt::format("LLVM cannot generate code for '{}'", triple.str())};
  // Its combiner of equal constants takes quadratic time in a long block, as AArch64's -O0 has
  // them.
  target.machine_->setGlobalISel(false);
  target.kernels_ = (*facts)->kernels;
  target.kernels_.scalarOnly =
      options.level == CodegenLevel::O0 && options.lanes == KernelLanes::ByLevel;
  target.kernels_.blockWork = options.blockWork;
  if (options.vectorBits != 0)
    target.kernels_.vectorBits = std::min(target.kernels_.vectorBits, options.vectorBits);
  if (options.registerCount != 0)
    target.kernels_.registerCount = std::min(target.kernels_.registerCount, options.registerCount);
  target.level_ = options.level;
  target.triple_ = triple.str();
  target.cpu_ = (*facts)->level.name;
  target.needs_ = (*facts)->needs;
  return target;
}

} // namespace apr
