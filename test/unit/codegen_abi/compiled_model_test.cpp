// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole functions with state, hyperparameters and updates: the object against the interpreter.
#include "codegen/compile.h"
#include "codegen/jit.h"
#include "ir/interp/interpreter.h"
#include "ir/text.h"
#include "passes/pass_manager.h"
#include "passes/pipeline.h"
#include "passes/state_layout.h"
#include "runtime/core/include/aprt.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

namespace apr {
namespace {

Module loadTiny() {
  std::ifstream file(APR_SOURCE_DIR "/test/e2e/Inputs/tiny.apir");
  std::ostringstream text;
  text << file.rdbuf();
  SourceManager sources;
  Diagnostics diagnostics;
  auto module = parseModule(sources, sources.add("tiny.apir", text.str()), diagnostics);
  if (!module)
    throw std::runtime_error("tiny.apir has errors");
  return std::move(*module);
}

Module lower(Module module, OptimizationLevel level) {
  Diagnostics diagnostics;
  PassOptions options;
  options.fuse = level != OptimizationLevel::O0;
  PassManagerOptions manager;
  manager.verifyEach = true;
  if (!runPasses(module, makePipeline(level), options, manager, diagnostics))
    throw std::runtime_error("tiny.apir does not go through the pipeline");
  return module;
}

/// 64-byte aligned bytes.
class Block {
public:
  explicit Block(size_t bytes)
      : bytes_(bytes), data_(std::aligned_alloc(64, bytes / 64 * 64 + 64)) {
    std::memset(data_, 0, bytes / 64 * 64 + 64);
  }
  ~Block() { std::free(data_); }
  Block(const Block &) = delete;
  Block &operator=(const Block &) = delete;
  std::byte *data() const { return static_cast<std::byte *>(data_); }
  size_t size() const { return bytes_; }

private:
  size_t bytes_;
  void *data_;
};

/// A model that lives twice: state in a block for the object, and as tensors for the interpreter.
class Twin {
public:
  explicit Twin(OptimizationLevel level, CodegenLevel codegen)
      : module_(loadTiny()), lowered_(lower(module_, level)) {
    CompileOptions options;
    options.target.cpu = "native";
    options.target.level = codegen;
    auto compiled = compileModule(lowered_, options);
    if (!compiled)
      throw std::runtime_error(compiled.error());
    auto linked = linkObject(compiled->object, "tiny");
    if (!linked)
      throw std::runtime_error(linked.error());
    linked_ = std::move(*linked);
    state_ = std::make_unique<Block>(linked_->model().state_bytes);
    for (const StateTensor &tensor : module_.state)
      tensors_[tensor.name] = Tensor::zeros(tensor.type.dtype, constantShape(tensor.type));
  }

  /// Runs an entry on both sides with these inputs and compares results and state.
  void run(const std::string &name, const std::vector<Tensor> &inputs, const DimBindings &dims) {
    SCOPED_TRACE(name);
    const std::vector<Tensor> expected = interpretEntry(name, inputs, dims);
    const std::vector<Tensor> found = callEntry(name, inputs, dims);
    ASSERT_EQ(expected.size(), found.size());
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(expected[i].data, found[i].data) << "result " << i;
    const BlockLayout layout = layoutState(module_);
    for (size_t i = 0; i < module_.state.size(); ++i) {
      const std::vector<std::byte> &bytes = tensors_.at(module_.state[i].name).data;
      EXPECT_EQ(0, std::memcmp(bytes.data(), state_->data() + layout.offsets[i], bytes.size()))
          << module_.state[i].name;
    }
  }

private:
  static std::vector<int64_t> constantShape(const Type &type) {
    std::vector<int64_t> shape;
    for (const Dim &dim : type.shape)
      shape.push_back(*dim.asConstant());
    return shape;
  }

  std::vector<Tensor> interpretEntry(const std::string &name, const std::vector<Tensor> &inputs,
                                     const DimBindings &dims) {
    const Function &function = *lowered_.findFunction(name);
    std::vector<Tensor> arguments;
    size_t input = 0;
    for (const Argument &argument : function.arguments) {
      switch (argument.role) {
      case ArgumentRole::Input:
        arguments.push_back(inputs[input++]);
        break;
      case ArgumentRole::State:
        arguments.push_back(tensors_.at(argument.name));
        break;
      case ArgumentRole::Hyper: {
        const Hyperparameter &hyper = *module_.findHyper(argument.name);
        arguments.push_back(hyper.dtype == DType::F64
                                ? Tensor::scalar<double>(DType::F64, hyper.defaultValue)
                                : Tensor::scalar<int32_t>(DType::I32, int32_t(hyper.defaultValue)));
        break;
      }
      case ArgumentRole::Exec:
        arguments.push_back(Tensor::scalar<int64_t>(DType::I64, 0));
        break;
      case ArgumentRole::Gradient:
        throw std::runtime_error("not for gradients");
      }
    }
    auto outcome = interpretFunction(function, arguments, dims);
    if (!outcome)
      throw std::runtime_error(outcome.error());
    std::vector<Tensor> results;
    for (size_t i = 0; i < function.results.size(); ++i) {
      if (function.results[i].role == ResultRole::Update)
        tensors_[function.results[i].name] = (*outcome)[i];
      else
        results.push_back((*outcome)[i]);
    }
    return results;
  }

  std::vector<Tensor> callEntry(const std::string &name, const std::vector<Tensor> &inputs,
                                const DimBindings &dims) {
    const aprt_model &model = linked_->model();
    const aprt_entry *entry = nullptr;
    for (uint32_t i = 0; i < model.entry_count; ++i)
      if (name == model.entries[i].name)
        entry = &model.entries[i];
    if (!entry)
      throw std::runtime_error("no entry " + name);
    std::vector<int64_t> dimValues;
    for (uint32_t i = 0; i < entry->dim_count; ++i)
      dimValues.push_back(dims.at(entry->dims[i]));
    std::vector<int64_t> shapes(64);
    EXPECT_EQ(APRT_OK, entry->shapes(dimValues.data(), shapes.data()));
    size_t next = 0;
    for (uint32_t i = 0; i < entry->input_count; ++i)
      next += entry->inputs[i].rank;
    std::vector<Tensor> results;
    for (uint32_t i = 0; i < entry->result_count; ++i) {
      const aprt_tensor &result = entry->results[i];
      results.push_back(
          Tensor::zeros(static_cast<DType>(result.dtype),
                        {shapes.begin() + next, shapes.begin() + next + result.rank}));
      next += result.rank;
    }
    std::vector<const void *> inputPointers;
    for (const Tensor &input : inputs)
      inputPointers.push_back(input.data.data());
    std::vector<void *> resultPointers;
    for (Tensor &result : results)
      resultPointers.push_back(result.data.data());
    const Block workspace(entry->workspace(1, dimValues.data()));
    aprt_exec exec{};
    exec.size = sizeof exec;
    exec.workers = 1;
    exec.workspace_bytes = workspace.size();
    aprt_call call{};
    call.size = sizeof call;
    call.exec = &exec;
    call.state = state_->data();
    call.workspace = workspace.data();
    call.dims = dimValues.data();
    call.inputs = inputPointers.data();
    call.results = resultPointers.data();
    EXPECT_EQ(APRT_OK, entry->call(&call));
    return results;
  }

  Module module_;
  Module lowered_;
  std::unique_ptr<LinkedObject> linked_;
  std::unique_ptr<Block> state_;
  std::map<std::string, Tensor> tensors_;
};

void trainAndPredict(OptimizationLevel level, CodegenLevel codegen) {
  Twin twin(level, codegen);
  twin.run("init", {Tensor::scalar<int64_t>(DType::I64, 11)}, {});
  for (int64_t rows : {1, 7, 33, 64}) {
    Tensor x = Tensor::zeros(DType::F32, {rows, 64}), y = Tensor::zeros(DType::I32, {rows});
    for (size_t i = 0; i < x.elements<float>().size(); ++i)
      x.elements<float>()[i] =
          static_cast<float>(static_cast<int>(i * 2654435761u >> 16) % 997) / 500;
    for (size_t i = 0; i < y.elements<int32_t>().size(); ++i)
      y.elements<int32_t>()[i] = static_cast<int32_t>(i * 7 % 10);
    twin.run("step", {x, y}, {{"B", rows}});
    twin.run("nudge", {Tensor::scalar<float>(DType::F32, 0.25f)}, {});
    twin.run("predict", {x}, {{"B", rows}});
  }
}

TEST(CompiledModel, EqualsTheInterpreter) {
  trainAndPredict(OptimizationLevel::Default, CodegenLevel::O2);
}

TEST(CompiledModel, EqualsTheInterpreterWithoutOptimization) {
  trainAndPredict(OptimizationLevel::O0, CodegenLevel::O0);
}

} // namespace
} // namespace apr
