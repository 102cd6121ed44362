// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/interp/interpreter.h"

#include "ir/float_environment.h"
#include "ir/interp/eval.h"

#include <fmt/format.h>
#include <new>

namespace apr {

using interp::Extents;
using interp::fail;

Tensor Tensor::zeros(DType dtype, std::vector<int64_t> shape) {
  auto bytes = static_cast<size_t>(interp::checkedBytes(dtype, shape));
  return {dtype, std::move(shape), std::vector<std::byte>(bytes)};
}

int64_t Tensor::count() const { return interp::checkedCount(shape); }

namespace {

constexpr int kMaximumDepth = 64;

void evaluateOp(interp::Evaluation &e) {
  switch (e.op().kind) {
#define APR_OP(Name, ...)                                                                          \
  case OpKind::Name:                                                                               \
    return interp::eval##Name(e);
#include "ir/ops.def"
  }
}

Extents evaluateShape(const Type &type, const DimBindings &dims) {
  Extents extents;
  for (const Dim &dim : type.shape) {
    auto value = dim.evaluate(dims);
    if (!value)
      fail(fmt::format("the dim {} of {} is not bound or overflows", dim.str(), str(type)));
    extents.push_back(*value);
  }
  return extents;
}

void checkArgument(const Value &value, size_t index, const Tensor &tensor,
                   const DimBindings &dims) {
  std::string label = value.name.empty() ? fmt::format("argument {}", index) : value.name;
  Extents expected = evaluateShape(value.type, dims);
  if (tensor.dtype != value.type.dtype || tensor.shape != expected)
    fail(fmt::format("{} is {}{}, expected {}{}", label, name(tensor.dtype),
                     interp::str(tensor.shape), name(value.type.dtype), interp::str(expected)));
  if (static_cast<uint64_t>(interp::checkedBytes(tensor.dtype, tensor.shape)) != tensor.data.size())
    fail(fmt::format("{} has {} bytes of data, which its shape {} does not", label,
                     tensor.data.size(), interp::str(tensor.shape)));
}

/// The values of a running graph; each is released after its last use.
class ValueTable {
public:
  ValueTable(const Graph &graph, interp::MemoryBudget &memory)
      : memory_(memory), uses_(graph.useCounts()), slots_(graph.values().size()) {}

  ~ValueTable() {
    for (Slot &slot : slots_)
      release(slot);
  }
  ValueTable(const ValueTable &) = delete;
  ValueTable &operator=(const ValueTable &) = delete;

  void borrow(ValueId id, const Tensor *tensor) { slots_[id].tensor = tensor; }
  void own(ValueId id, Tensor tensor) {
    slots_[id].owned = std::make_unique<Tensor>(std::move(tensor));
    slots_[id].tensor = slots_[id].owned.get();
    if (uses_[id] == 0)
      release(slots_[id]);
  }
  const Tensor *find(ValueId id) const {
    if (id >= slots_.size() || !slots_[id].tensor)
      fail("a value is used before it is computed");
    return slots_[id].tensor;
  }
  void noteUse(ValueId id) {
    if (--uses_[id] == 0)
      release(slots_[id]);
  }

private:
  struct Slot {
    const Tensor *tensor = nullptr;
    std::unique_ptr<Tensor> owned;
  };
  void release(Slot &slot) {
    if (slot.owned)
      memory_.giveBack(static_cast<int64_t>(slot.owned->data.size()));
    slot = {};
  }

  interp::MemoryBudget &memory_;
  std::vector<uint32_t> uses_;
  std::vector<Slot> slots_;
};

} // namespace

std::vector<Tensor> interp::runGraph(const Graph &graph,
                                     const std::vector<const Tensor *> &arguments,
                                     const DimBindings &dims, MemoryBudget &memory, int depth,
                                     const std::function<void(ValueId, const Tensor &)> &observe) {
  if (depth > kMaximumDepth)
    fail("regions are nested too deeply");
  if (arguments.size() != graph.arguments().size())
    fail(fmt::format("{} arguments are given, {} are expected", arguments.size(),
                     graph.arguments().size()));
  ValueTable values(graph, memory);
  for (size_t i = 0; i < arguments.size(); ++i) {
    ValueId id = graph.arguments()[i];
    checkArgument(graph.value(id), i, *arguments[i], dims);
    values.borrow(id, arguments[i]);
  }
  for (const Op &op : graph.ops()) {
    std::vector<const Tensor *> operands;
    for (ValueId operand : op.operands)
      operands.push_back(values.find(operand));
    Evaluation evaluation(graph, op, std::move(operands), dims, memory, depth);
    evaluateOp(evaluation);
    auto results = evaluation.takeResults();
    for (size_t i = 0; i < results.size(); ++i) {
      if (observe)
        observe(op.results[i], results[i]);
      values.own(op.results[i], std::move(results[i]));
    }
    for (ValueId operand : op.operands)
      values.noteUse(operand);
  }
  std::vector<Tensor> results;
  for (ValueId id : graph.results) {
    const Tensor &tensor = *values.find(id);
    memory.take(static_cast<int64_t>(tensor.data.size()));
    results.push_back(tensor);
    canonicalize(results.back());
  }
  return results;
}

namespace {

/// What the run needs of its caller's arguments; bools are 0 or 1 from here on.
std::vector<Tensor> runAtTopLevel(const Graph &graph, std::span<const Tensor> arguments,
                                  const DimBindings &dims, const InterpreterOptions &options) {
  FloatEnvironment environment;
  interp::MemoryBudget memory(options.maximumBytes);
  std::vector<Tensor> normalized;
  normalized.reserve(arguments.size());
  std::vector<const Tensor *> pointers;
  for (const Tensor &argument : arguments) {
    const Tensor *tensor = &argument;
    if (argument.dtype == DType::Bool) {
      normalized.push_back(argument);
      interp::canonicalize(normalized.back());
      tensor = &normalized.back();
    }
    pointers.push_back(tensor);
  }
  return interp::runGraph(graph, pointers, dims, memory, 0, options.observe);
}

template <typename F> Result<std::vector<Tensor>> withErrors(F &&run) {
  try {
    return run();
  } catch (const interp::EvalFailure &failure) {
    return Error{failure.what()};
  } catch (const std::bad_alloc &) {
    return Error{"the run needs more memory than there is"};
  }
}

DimBindings bindDims(const Function &function, std::span<const Tensor> arguments,
                     const DimBindings &given) {
  DimBindings dims = given;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Shape &shape = function.graph.type(function.graph.arguments()[i]).shape;
    if (shape.size() != arguments[i].shape.size())
      continue; // reported when the argument is checked
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (auto variable = shape[axis].asVariable())
        dims.emplace(*variable, arguments[i].shape[axis]);
  }
  for (const auto &[variable, value] : dims)
    if (value < 0)
      fail(fmt::format("the dim {} is {}, which is negative", variable, value));
  return dims;
}

void checkDims(const Function &function, const DimBindings &dims) {
  for (const DimCheck &check : function.checks) {
    auto value = check.value.evaluate(dims);
    if (!value)
      fail(fmt::format("the dim {} is not bound or overflows", check.value.str()));
    switch (check.kind) {
    case DimCheck::Kind::NonNegative:
      if (*value < 0)
        fail(check.message);
      break;
    case DimCheck::Kind::Zero:
      if (*value != 0)
        fail(check.message);
      break;
    }
  }
}

template <typename T>
void checkIndices(const Argument &argument, std::span<const T> indices, int64_t limit) {
  for (size_t i = 0; i < indices.size(); ++i)
    if (indices[i] < 0 || indices[i] >= limit)
      fail(fmt::format("element {} of {} is {}, outside [0, {})", i, argument.name, indices[i],
                       limit));
}

void checkIndexLimit(const Argument &argument, const Tensor &tensor, const DimBindings &dims) {
  if (!argument.indexLimit)
    return;
  auto limit = argument.indexLimit->evaluate(dims);
  if (!limit)
    fail(fmt::format("the dim {} is not bound or overflows", argument.indexLimit->str()));
  if (tensor.dtype == DType::I32)
    checkIndices(argument, tensor.elements<int32_t>(), *limit);
  else if (tensor.dtype == DType::I64)
    checkIndices(argument, tensor.elements<int64_t>(), *limit);
}

} // namespace

Result<std::vector<Tensor>> interpret(const Graph &graph, std::span<const Tensor> arguments,
                                      const DimBindings &dims, const InterpreterOptions &options) {
  return withErrors([&] { return runAtTopLevel(graph, arguments, dims, options); });
}

Result<std::vector<Tensor>> interpretFunction(const Function &function,
                                              std::span<const Tensor> arguments,
                                              const DimBindings &dims,
                                              const InterpreterOptions &options) {
  return withErrors([&]() -> std::vector<Tensor> {
    if (arguments.size() != function.graph.arguments().size())
      fail(fmt::format("{} arguments are given, {} are expected", arguments.size(),
                       function.graph.arguments().size()));
    DimBindings bound = bindDims(function, arguments, dims);
    checkDims(function, bound);
    for (size_t i = 0; i < arguments.size(); ++i)
      checkArgument(function.graph.value(function.graph.arguments()[i]), i, arguments[i], bound);
    for (size_t i = 0; i < arguments.size() && i < function.arguments.size(); ++i)
      checkIndexLimit(function.arguments[i], arguments[i], bound);
    return runAtTopLevel(function.graph, arguments, bound, options);
  });
}

} // namespace apr
