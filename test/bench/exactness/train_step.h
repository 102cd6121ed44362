// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "codegen/jit.h"
#include "ir/graph.h"

#include <aprt.h>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace apr::bench {

/// What one call of a function evaluates, read off the kernels that fusion made.
struct Work {
  std::map<OpKind, double> elements; ///< results of each op of f32, and of random_bits
  double summed = 0;                 ///< terms of f32 sums
  double tasks = 0;                  ///< kernels, each of which sets the environment at least once
};

/// The train step of a model's source, compiled for a CPU level and linked into this process, with
/// a state and inputs of made-up numbers.
class TrainStep {
public:
  TrainStep(const std::string &path, const std::string &cpu, const DimBindings &dims);
  TrainStep(const TrainStep &) = delete;

  /// One step on one thread.
  void run();
  const Work &work() const { return work_; }

private:
  struct Free {
    void operator()(void *block) const { std::free(block); }
  };
  using Block = std::unique_ptr<void, Free>;
  static Block newBlock(size_t bytes);
  void prepare(const aprt_model &model, const DimBindings &dims);

  Work work_;
  std::unique_ptr<LinkedObject> object_;
  const aprt_entry *step_ = nullptr;
  Block state_, workspace_;
  std::vector<Block> inputs_;
  std::vector<const void *> inputPointers_;
  std::vector<void *> resultPointers_;
  std::vector<int64_t> dims_;
};

} // namespace apr::bench
