// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "harness.h"

#include "codegen/kernel.h"
#include "ir/text.h"
#include "jit.h"
#include "passes/fuse_elementwise.h"

#include <gtest/gtest.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

namespace apr::test {
namespace {

/// Memory that shows what code writes past its end or fails to write.
struct GuardedBlock {
  explicit GuardedBlock(size_t size)
      : bytes(size), total((size + 64 + 63) / 64 * 64),
        memory(static_cast<std::byte *>(std::aligned_alloc(64, total))) {
    std::memset(memory, 0xa5, total);
  }
  ~GuardedBlock() { std::free(memory); }
  GuardedBlock(const GuardedBlock &) = delete;
  bool isIntact() const {
    return std::all_of(memory + bytes, memory + total,
                       [](std::byte b) { return b == std::byte(0xa5); });
  }
  size_t bytes, total;
  std::byte *memory;
};

std::vector<int64_t> extents(const Shape &shape, const DimBindings &dims) {
  std::vector<int64_t> result;
  for (const Dim &dim : shape)
    result.push_back(*dim.evaluate(dims));
  return result;
}

Graph oneKernel(const Graph &graph) {
  Graph whole;
  std::vector<ValueId> operands;
  std::vector<Type> types;
  for (ValueId argument : graph.arguments())
    operands.push_back(whole.addArgument(graph.type(argument)));
  for (ValueId result : graph.results)
    types.push_back(graph.type(result));
  whole.addOp(OpKind::Kernel, operands, {}, types, {}, std::make_shared<Graph>(graph));
  whole.results = whole.ops()[0].results;
  return whole;
}

using KernelFunction = void(const int64_t *, void *const *, int64_t, void *);
using BlocksFunction = int64_t(const int64_t *);

std::vector<std::string> namesOf(const DimBindings &dims) {
  std::vector<std::string> names;
  for (const auto &[name, value] : dims)
    names.push_back(name);
  return names;
}

} // namespace

std::string Variant::str() const {
  const char *names[] = {"one kernel", "each op", "fused"};
  return cpu + (scalarOnly ? " scalar, " : ", ") + names[static_cast<int>(division)];
}

std::vector<Variant> variants(const std::vector<Division> &divisions) {
  std::vector<Variant> all;
  for (Division division : divisions) {
    for (const char *cpu : {"x86-64-v2", "x86-64-v3", "x86-64-v4"})
      if (canRun(cpu))
        all.push_back({cpu, false, division});
    all.push_back({"x86-64-v2", true, division});
  }
  return all;
}

Graph divide(const Graph &graph, Division division) {
  if (division == Division::OneKernel)
    return oneKernel(graph);
  Module module;
  module.functions.push_back({});
  module.functions[0].graph = graph;
  PassOptions options;
  options.fuse = division == Division::Fused;
  Diagnostics diagnostics;
  fuseElementwise(module, options, diagnostics);
  return module.functions[0].graph;
}

namespace {

Function functionOf(const Graph &graph) {
  Function function;
  function.graph = graph;
  function.arguments.resize(graph.arguments().size());
  function.results.resize(graph.results.size());
  return function;
}

CodegenLevel levelOf(const Variant &variant) {
  return variant.scalarOnly ? CodegenLevel::O0 : CodegenLevel::O2;
}

/// A graph's kernels in this process.
class NativeGraph {
public:
  NativeGraph(const Graph &graph, const std::vector<std::string> &dimNames, const Variant &variant)
      : variant_(variant), kernels_(divide(graph, variant.division)),
        jit_(variant.cpu, levelOf(variant), [&](llvm::Module &module) {
          TargetOptions options;
          options.cpu = variant.cpu;
          options.level = levelOf(variant);
          auto target = Target::create(options);
          for (const Op &op : kernels_.ops())
            emitted_.push_back(emitKernel(module, kernels_, op, dimNames, target->kernels(),
                                          symbol(emitted_.size())));
        }) {}

  std::vector<Tensor> run(const std::vector<Tensor> &arguments, const DimBindings &dims) {
    std::vector<int64_t> dimValues;
    for (const auto &[name, value] : dims)
      dimValues.push_back(value);
    blocks_.clear();
    for (size_t i = 0; i < arguments.size(); ++i) {
      const ValueId v = kernels_.arguments()[i];
      allocate(v, dims);
      std::memcpy(blocks_.at(v)->memory, arguments[i].data.data(), arguments[i].data.size());
    }
    for (size_t k = 0; k < kernels_.ops().size(); ++k)
      runKernel(k, dims, dimValues);
    std::vector<Tensor> results;
    for (ValueId v : kernels_.results) {
      Tensor tensor = Tensor::zeros(kernels_.type(v).dtype, extents(kernels_.type(v).shape, dims));
      std::memcpy(tensor.data.data(), blocks_.at(v)->memory, tensor.data.size());
      results.push_back(std::move(tensor));
    }
    return results;
  }

private:
  static std::string symbol(size_t kernel) { return "k" + std::to_string(kernel); }

  void allocate(ValueId v, const DimBindings &dims) {
    size_t bytes = byteSize(kernels_.type(v).dtype);
    for (int64_t extent : extents(kernels_.type(v).shape, dims))
      bytes *= static_cast<size_t>(extent);
    blocks_[v] = std::make_unique<GuardedBlock>(bytes);
  }

  void runKernel(size_t k, const DimBindings &dims, const std::vector<int64_t> &dimValues) {
    const Op &op = kernels_.ops()[k];
    std::vector<void *> pointers;
    for (ValueId v : op.operands)
      pointers.push_back(blocks_.at(v)->memory);
    for (ValueId v : op.results) {
      allocate(v, dims);
      pointers.push_back(blocks_.at(v)->memory);
    }
    GuardedBlock scratch(emitted_[k].scratchBytes);
    auto *run = reinterpret_cast<KernelFunction *>(jit_.find(symbol(k)));
    auto *count = reinterpret_cast<BlocksFunction *>(jit_.find(symbol(k) + ".blocks"));
    for (int64_t block = count(dimValues.data()); block-- > 0;)
      run(dimValues.data(), pointers.data(), block, scratch.memory);
    EXPECT_TRUE(scratch.isIntact()) << variant_.str() << ": wrote past the end of its scratch";
    for (ValueId v : op.results)
      EXPECT_TRUE(blocks_.at(v)->isIntact()) << variant_.str() << ": wrote past a result";
  }

  Variant variant_;
  Graph kernels_;
  std::vector<EmittedKernel> emitted_;
  Jit jit_;
  std::map<ValueId, std::unique_ptr<GuardedBlock>> blocks_;
};

/// Compiles a graph once for all the sizes that a test tries.
NativeGraph &nativeGraph(const Graph &graph, const DimBindings &dims, const Variant &variant) {
  static std::map<std::string, std::unique_ptr<NativeGraph>> cache;
  const std::vector<std::string> names = namesOf(dims);
  std::string key = variant.str() + print(functionOf(graph));
  for (const std::string &name : names)
    key += " " + name;
  if (cache.size() > 100)
    cache.clear();
  auto &entry = cache[key];
  if (!entry)
    entry = std::make_unique<NativeGraph>(graph, names, variant);
  return *entry;
}

} // namespace

std::vector<Tensor> runNative(const Graph &graph, const std::vector<Tensor> &arguments,
                              const DimBindings &dims, const Variant &variant) {
  return nativeGraph(graph, dims, variant).run(arguments, dims);
}

namespace {
std::string describe(const Tensor &t, size_t i) {
  switch (t.dtype) {
  case DType::F32: {
    uint32_t bits;
    std::memcpy(&bits, &t.elements<float>()[i], 4);
    char text[64];
    std::snprintf(text, sizeof text, "%a (%08x)", double(t.elements<float>()[i]), bits);
    return text;
  }
  case DType::F64:
    return std::to_string(t.elements<double>()[i]);
  case DType::I32:
    return std::to_string(t.elements<int32_t>()[i]);
  case DType::I64:
    return std::to_string(t.elements<int64_t>()[i]);
  default:
    return std::to_string(int(t.data[i]));
  }
}
} // namespace

void expectSameBits(const Graph &graph, const std::vector<Tensor> &arguments,
                    const DimBindings &dims, const std::vector<Division> &divisions) {
  auto expected = interpret(graph, arguments, dims);
  ASSERT_TRUE(bool(expected)) << expected.error();
  for (const Variant &variant : variants(divisions)) {
    std::vector<Tensor> actual;
    try {
      actual = runNative(graph, arguments, dims, variant);
    } catch (const std::exception &error) {
      ADD_FAILURE() << variant.str() << ": " << error.what();
      continue;
    }
    for (size_t r = 0; r < actual.size(); ++r) {
      const Tensor &want = (*expected)[r], &have = actual[r];
      ASSERT_EQ(want.data.size(), have.data.size());
      const size_t size = byteSize(want.dtype);
      for (size_t i = 0; i < want.data.size() / size; ++i)
        if (std::memcmp(want.data.data() + i * size, have.data.data() + i * size, size) != 0) {
          ADD_FAILURE() << variant.str() << ": result " << r << " element " << i << " is "
                        << describe(have, i) << ", not " << describe(want, i);
          break;
        }
    }
  }
}

Tensor randomTensor(DType dtype, std::vector<int64_t> shape, uint64_t seed, Content content) {
  Tensor tensor = Tensor::zeros(dtype, std::move(shape));
  std::mt19937_64 random(seed);
  const double edges[] = {0.0,     -0.0, INFINITY, -INFINITY, NAN, 1e-40,
                          -1e-310, 3e38, 1e300,    -1,        0.5};
  for (size_t i = 0; i < tensor.data.size() / byteSize(dtype); ++i) {
    const uint64_t bits = random();
    const bool isEdge = content == Content::Edges && bits % 4 == 0;
    const double number =
        isEdge ? edges[(bits >> 8) % 11] : double(int64_t(bits >> 11)) * 0x1p-51 - 2;
    switch (dtype) {
    case DType::F32:
      tensor.elements<float>()[i] = float(number);
      break;
    case DType::F64:
      tensor.elements<double>()[i] = number;
      break;
    case DType::I32:
      tensor.elements<int32_t>()[i] = isEdge ? INT32_MIN + int(bits >> 8) % 2 : int32_t(bits >> 20);
      break;
    case DType::I64:
      tensor.elements<int64_t>()[i] = isEdge ? INT64_MIN : int64_t(bits);
      break;
    case DType::Bool:
      tensor.elements<uint8_t>()[i] = (bits >> 20) & 1;
      break;
    case DType::U8:
      tensor.elements<uint8_t>()[i] = uint8_t(bits >> 20);
      break;
    case DType::BF16:
      tensor.elements<uint16_t>()[i] = uint16_t(bits >> 20);
      break;
    }
  }
  return tensor;
}

Tensor randomIntegers(DType dtype, std::vector<int64_t> shape, uint64_t seed, int64_t low,
                      int64_t high) {
  Tensor tensor = Tensor::zeros(dtype, std::move(shape));
  std::mt19937_64 random(seed);
  for (size_t i = 0; i < tensor.data.size() / byteSize(dtype); ++i) {
    const int64_t number = low + int64_t(random() % uint64_t(high - low));
    if (dtype == DType::I32)
      tensor.elements<int32_t>()[i] = int32_t(number);
    else
      tensor.elements<int64_t>()[i] = number;
  }
  return tensor;
}

std::string assemblyOf(const Graph &graph, const Variant &variant,
                       const std::vector<std::string> &dimNames) {
  std::string text;
  const Graph kernels = divide(graph, variant.division);
  const CodegenLevel level = levelOf(variant);
  TargetOptions options;
  options.cpu = variant.cpu;
  options.level = level;
  auto target = Target::create(options);
  Jit jit(
      variant.cpu, level,
      [&](llvm::Module &module) {
        size_t number = 0;
        for (const Op &op : kernels.ops())
          emitKernel(module, kernels, op, dimNames, target->kernels(),
                     "k" + std::to_string(number++));
      },
      &text);
  return text;
}

} // namespace apr::test
