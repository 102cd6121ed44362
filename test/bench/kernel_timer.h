// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/kernel.h"
#include "passes/dce.h"
#include "passes/expand_functions.h"
#include "passes/fuse_elementwise.h"
#include "passes/lower_convolutions.h"
#include "passes/simplify_exact.h"
#include "test/unit/codegen_kernels/jit.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <llvm/IR/Module.h>

namespace apr::bench {

/// Compiles the kernels of a graph and runs them one after another on one thread.
class KernelTimer {
public:
  KernelTimer(const Graph &graph, const DimBindings &dims, const std::string &cpu)
      : graph_(fused(graph)), kernels_(graph_.ops().size()),
        jit_(cpu, CodegenLevel::O2, [&](llvm::Module &module) {
          auto target = Target::create({.triple = {}, .cpu = cpu});
          std::vector<std::string> names;
          for (const auto &[name, value] : dims)
            names.push_back(name);
          for (size_t i = 0; i < kernels_.size(); ++i)
            kernels_[i] = emitKernel(module, graph_, graph_.ops()[i], names, target->kernels(),
                                     "kernel" + std::to_string(i));
        }) {
    for (const auto &[name, value] : dims)
      dims_.push_back(value);
    for (const Value &value : graph_.values())
      buffers_.push_back(filled(size_t(*byteCount(value.type).evaluate(dims))));
    uint64_t scratch = 0;
    for (size_t i = 0; i < kernels_.size(); ++i) {
      const std::string name = "kernel" + std::to_string(i);
      Call call{reinterpret_cast<Function *>(jit_.find(name)),
                reinterpret_cast<Blocks *>(jit_.find(name + ".blocks")),
                {}};
      for (const auto &ids : {graph_.ops()[i].operands, graph_.ops()[i].results})
        for (ValueId v : ids)
          call.buffers.push_back(buffers_[v]);
      calls_.push_back(std::move(call));
      scratch = std::max(scratch, kernels_[i].scratchBytes);
    }
    scratch_ = filled(scratch);
  }
  ~KernelTimer() {
    for (void *buffer : buffers_)
      std::free(buffer);
    std::free(scratch_);
  }
  KernelTimer(const KernelTimer &) = delete;

  /// The memory of an argument, which holds small numbers of both signs where nothing else is put.
  void *argument(size_t index) { return buffers_[graph_.arguments()[index]]; }
  const void *result() const { return buffers_[graph_.results[0]]; }

  void run() {
    for (const Call &call : calls_)
      for (int64_t block = 0; block < call.blocks(dims_.data()); ++block)
        call.run(dims_.data(), call.buffers.data(), block, scratch_);
  }

  /// Seconds of the best of many runs, operands warm.
  double best() {
    double least = 1e9, total = 0;
    while (total < 0.2) {
      const auto begin = std::chrono::steady_clock::now();
      run();
      const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
      least = std::min(least, time.count());
      total += time.count();
    }
    return least;
  }

private:
  using Function = void(const int64_t *, void *const *, int64_t, void *);
  using Blocks = int64_t(const int64_t *);
  struct Call {
    Function *run;
    Blocks *blocks;
    std::vector<void *> buffers;
  };

  static Graph fused(Graph graph) {
    Module module;
    module.functions.push_back({});
    module.functions[0].graph = std::move(graph);
    Diagnostics diagnostics;
    expandFunctions(module, {}, diagnostics);
    lowerConvolutions(module, {}, diagnostics);
    simplifyExact(module, {}, diagnostics);
    dce(module, {}, diagnostics);
    fuseElementwise(module, {}, diagnostics);
    return module.functions[0].graph;
  }

  static void *filled(size_t bytes) {
    void *memory = std::aligned_alloc(64, bytes / 64 * 64 + 64);
    for (size_t i = 0; i < bytes / 4; ++i)
      static_cast<float *>(memory)[i] = float(i % 7) - 3;
    return memory;
  }

  Graph graph_;
  std::vector<EmittedKernel> kernels_;
  test::Jit jit_;
  std::vector<int64_t> dims_;
  std::vector<void *> buffers_;
  std::vector<Call> calls_;
  void *scratch_ = nullptr;
};

} // namespace apr::bench
