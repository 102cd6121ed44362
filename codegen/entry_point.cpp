// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/entry_point.h"

#include "codegen/cpu_check.h"
#include "codegen/entry_checks.h"
#include "codegen/fp_environment.h"
#include "ir/scan.h"
#include "passes/memory_order.h"
#include "runtime/core/include/aprt.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace apr {
namespace {

/// A kernel with less work than this, in multiply-adds, costs less than waking other threads.
constexpr int64_t kParallelWork = 1'000'000;

llvm::Constant *emitDefaultExec(const EntryContext &context) {
  auto *i32 = context.i32();
  auto *i64 = context.i64();
  auto *type = llvm::StructType::get(i32, i32, context.pointer(), context.pointer(), i64, i64,
                                     llvm::ArrayType::get(i64, 4));
  auto *value = llvm::ConstantStruct::get(
      type, {context.constant32(sizeof(aprt_exec)), context.constant32(1), context.null(),
             context.null(), context.constant64(~uint64_t(0)), context.constant64(0),
             llvm::ConstantAggregateZero::get(type->getElementType(6))});
  return new llvm::GlobalVariable(context.module, type, true, llvm::GlobalValue::PrivateLinkage,
                                  value, context.model.prefix + ".serial");
}

llvm::Constant *emitDefaultHypers(const EntryContext &context) {
  const HyperLayout &layout = context.model.hypers;
  const std::vector<Hyperparameter> &hypers = context.model.module->hypers;
  std::vector<llvm::Constant *> fields{context.constant32(layout.bytes), context.constant32(0)};
  for (const Hyperparameter &hyper : hypers)
    fields.push_back(
        hyper.dtype == DType::F64
            ? llvm::ConstantFP::get(llvm::Type::getDoubleTy(context.context()), hyper.defaultValue)
            : context.constant32(static_cast<uint32_t>(static_cast<int32_t>(hyper.defaultValue))));
  fields.push_back(context.constant64(0));
  fields.push_back(context.constant64(0));
  auto *value = llvm::ConstantStruct::getAnon(fields);
  return new llvm::GlobalVariable(context.module, value->getType(), true,
                                  llvm::GlobalValue::PrivateLinkage, value,
                                  context.model.prefix + ".default_hypers");
}

class EntryEmitter {
public:
  EntryEmitter(const EntryContext &context, const SharedParts &shared,
               const EntryDescription &entry, KernelCache &cache)
      : context_(context), shared_(shared), entry_(entry), graph_(entry.function->graph),
        builder_(context.context()), cache_(cache) {}

  EntryPoint emit() {
    emitKernels(graph_);
    scratchBytes_ = (scratchBytes_ + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;
    const DimFunctions dims = emitDimFunctions(context_, entry_, scratchBytes_);
    return {emitWrapper(emitBody(dims)), dims, scratchBytes_};
  }

private:
  /// A kernel, and how the call runs it.
  struct Kernel {
    EmittedKernel code;
    llvm::Value *blocks = nullptr;
    llvm::Value *isParallel = nullptr;
  };

  /// A graph whose ops are being run: the function's, or a region's with the places of the values
  /// that lie in the scan's operands and results.
  struct Scope {
    const Graph &graph;
    std::map<ValueId, llvm::Value *> places;
  };

  void emitKernels(const Graph &graph) {
    for (const Op &op : graph.ops()) {
      mostBuffers_ = std::max(mostBuffers_, op.operands.size() + op.results.size());
      if (op.kind == OpKind::Scan)
        emitKernels(*op.region);
      else
        emitKernel(graph, op);
    }
  }

  void emitKernel(const Graph &graph, const Op &op) {
    EmittedKernel kernel =
        cache_.emit(context_.module, graph, op, entry_.function->dims, context_.target.kernels(),
                    context_.internalName(entry_, fmt::format("kernel{}", kernels_.size())));
    for (llvm::Function *function : {kernel.function, kernel.blocks}) {
      if (function->hasFnAttribute("target-cpu"))
        continue; // an earlier entry point's
      function->setLinkage(llvm::GlobalValue::InternalLinkage);
      context_.setCode(*function, FunctionCode::Full);
    }
    scratchBytes_ = std::max(scratchBytes_, kernel.scratchBytes);
    kernels_.emplace(&op, Kernel{kernel});
  }

  llvm::Function *emitBody(const DimFunctions &dims) {
    llvm::Function *body = context_.createFunction(
        context_.internalName(entry_, "body"), context_.i32(), {context_.pointer()},
        llvm::GlobalValue::InternalLinkage, FunctionCode::Full);
    body->addFnAttr(llvm::Attribute::NoInline);
    builder_.SetInsertPoint(&body->getEntryBlock());
    allocateFrame();
    parts_ = emitCallChecks(builder_, context_, shared_, entry_, dims, body->getArg(0));
    fillFrame();
    runGraph({graph_, {}});
    builder_.CreateRet(builder_.getInt32(APRT_OK));
    return body;
  }

  // One frame and one pointer array serve all kernels: each has finished before the next starts.
  void allocateFrame() {
    frame_ = builder_.CreateAlloca(shared_.runner.frameType(), nullptr, "frame");
    buffers_ = builder_.CreateAlloca(llvm::ArrayType::get(context_.pointer(), mostBuffers_),
                                     nullptr, "buffers");
    rowOffset_ = builder_.CreateAlloca(context_.i64(), nullptr, "row_offset");
  }

  void setField(KernelRunner::Field field, llvm::Value *value) {
    builder_.CreateStore(value, shared_.runner.field(builder_, frame_, field));
  }

  void fillFrame() {
    llvm::Value *scratch =
        builder_.CreateGEP(builder_.getInt8Ty(), parts_.workspace,
                           emitDim(builder_, entry_.workspaceBytes, parts_.dimValues));
    setField(KernelRunner::Dims, parts_.dims);
    setField(KernelRunner::Buffers, buffers_);
    setField(KernelRunner::Scratch, scratch);
    setField(KernelRunner::ScratchStride, builder_.getInt64(scratchBytes_));
    setField(KernelRunner::Exec, parts_.exec);
    builder_.CreateStore(
        loadField(builder_, context_.i64(), parts_.exec, offsetof(aprt_exec, row_offset), "offset"),
        rowOffset_);
    llvm::Value *workers =
        loadField(builder_, context_.i32(), parts_.exec, offsetof(aprt_exec, workers), "workers");
    llvm::Value *parFor = loadField(builder_, context_.pointer(), parts_.exec,
                                    offsetof(aprt_exec, par_for), "par_for");
    hasWorkers_ = builder_.CreateAnd(builder_.CreateICmpUGT(workers, builder_.getInt32(1)),
                                     builder_.CreateIsNotNull(parFor));
  }

  void runGraph(const Scope &scope) {
    for (const Op &op : scope.graph.ops())
      if (op.kind == OpKind::Scan)
        runScan(scope, op);
      else
        runKernel(scope, op);
  }

  /// What a kernel's sizes decide, which is the same in every step of a loop around it.
  void measureKernel(Kernel &kernel) {
    if (kernel.blocks)
      return;
    kernel.blocks = builder_.CreateCall(kernel.code.blocks, {parts_.dims});
    llvm::Value *work = emitDim(builder_, kernel.code.work, parts_.dimValues);
    const int64_t least = context_.target.kernels().blockWork > 0 ? 0 : kParallelWork;
    kernel.isParallel = builder_.CreateAnd(
        hasWorkers_, builder_.CreateICmpSGE(work, builder_.getInt64(uint64_t(least))));
  }

  void measureKernels(const Graph &graph) {
    for (const Op &op : graph.ops())
      if (op.kind == OpKind::Scan)
        measureKernels(*op.region);
      else
        measureKernel(kernels_.at(&op));
  }

  void runKernel(const Scope &scope, const Op &op) {
    Kernel &kernel = kernels_.at(&op);
    measureKernel(kernel);
    uint64_t index = 0;
    for (const auto *values : {&op.operands, &op.results})
      for (ValueId value : *values)
        builder_.CreateStore(address(scope, value), addressOf(builder_, buffers_, 8 * index++));
    setField(KernelRunner::Kernel, kernel.code.function);
    builder_.CreateCall(shared_.runner.run(), {frame_, kernel.blocks, kernel.isParallel});
  }

  /// A loop around the kernels of the region. Carries stay where they are; slices and outputs move
  /// on through the stacks.
  void runScan(const Scope &scope, const Op &op) {
    const ScanParts parts(op);
    measureKernels(*op.region);
    std::vector<llvm::Value *> operands, results;
    for (ValueId v : op.operands)
      operands.push_back(address(scope, v));
    for (ValueId v : op.results)
      results.push_back(address(scope, v));
    llvm::Value *length = emitDim(builder_, parts.length, parts_.dimValues);
    llvm::Value *last = builder_.CreateSub(length, builder_.getInt64(1));
    auto *before = builder_.GetInsertBlock();
    auto *step = llvm::BasicBlock::Create(context_.context(), "step", before->getParent());
    auto *done = llvm::BasicBlock::Create(context_.context(), "steps_done", before->getParent());
    builder_.CreateCondBr(builder_.CreateICmpSGT(length, builder_.getInt64(0)), step, done);

    builder_.SetInsertPoint(step);
    llvm::PHINode *count = builder_.CreatePHI(context_.i64(), 2, "count");
    count->addIncoming(builder_.getInt64(0), before);
    llvm::Value *at = parts.isBackwards ? builder_.CreateSub(last, count) : count;
    runGraph(scopeOfStep(op, operands, results, at));
    count->addIncoming(builder_.CreateAdd(count, builder_.getInt64(1)), builder_.GetInsertBlock());
    builder_.CreateCondBr(builder_.CreateICmpSLT(count, last), step, done);
    builder_.SetInsertPoint(done);
  }

  Scope scopeOfStep(const Op &op, const std::vector<llvm::Value *> &operands,
                    const std::vector<llvm::Value *> &results, llvm::Value *at) {
    const ScanParts parts(op);
    const Graph &region = *op.region;
    Scope scope{region, {}};
    for (size_t i = 0; i < operands.size(); ++i) {
      const ValueId v = region.arguments()[i];
      scope.places[v] =
          parts.isInput(i) ? addressInStack(operands[i], region.type(v), at) : operands[i];
    }
    for (size_t i = 0; i < results.size(); ++i) {
      const ValueId v = region.results[i];
      llvm::Value *place =
          parts.isCarry(i) ? operands[i] : addressInStack(results[i], region.type(v), at);
      forEachInMemory(region, v, [&](ValueId inMemory) { scope.places[inMemory] = place; });
    }
    return scope;
  }

  llvm::Value *addressInStack(llvm::Value *stack, const Type &type, llvm::Value *at) {
    llvm::Value *bytes = emitDim(builder_, byteCount(type), parts_.dimValues);
    return builder_.CreateGEP(builder_.getInt8Ty(), stack, builder_.CreateMul(at, bytes));
  }

  llvm::Value *address(const Scope &scope, ValueId value) {
    if (auto place = scope.places.find(value); place != scope.places.end())
      return place->second;
    const std::optional<BufferSlot> &slot = scope.graph.value(value).buffer;
    if (!slot)
      return rowOffsetAddress(value);
    return builder_.CreateGEP(builder_.getInt8Ty(), base(*slot),
                              emitDim(builder_, slot->offset, parts_.dimValues));
  }

  llvm::Value *rowOffsetAddress(ValueId value) {
    const auto &arguments = graph_.arguments();
    const size_t i = std::ranges::find(arguments, value) - arguments.begin();
    if (i == arguments.size() || entry_.function->arguments[i].role != ArgumentRole::Exec)
      throw InternalError(
          fmt::format("@{}: a value has no place in memory", entry_.function->name));
    return rowOffset_;
  }

  llvm::Value *base(const BufferSlot &slot) {
    switch (slot.space) {
    case BufferSpace::Workspace:
      return parts_.workspace;
    case BufferSpace::State:
      return parts_.state;
    case BufferSpace::Input:
      return parts_.inputs[slot.index];
    case BufferSpace::Result:
      return parts_.results[slot.index];
    case BufferSpace::Gradient:
      return parts_.gradients;
    case BufferSpace::Hyper:
      return parts_.hypers;
    case BufferSpace::Constant:
      break;
    }
    throw InternalError("constants are the kernels' own");
  }

  llvm::Function *emitWrapper(llvm::Function *body) {
    llvm::Function *call = context_.createFunction(
        context_.internalName(entry_, "call"), context_.i32(), {context_.pointer()},
        llvm::GlobalValue::InternalLinkage, FunctionCode::Guarded);
    builder_.SetInsertPoint(&call->getEntryBlock());
    if (shared_.hasCpu) {
      auto *missing = llvm::BasicBlock::Create(context_.context(), "missing", call);
      auto *present = llvm::BasicBlock::Create(context_.context(), "present", call);
      builder_.CreateCondBr(builder_.CreateCall(shared_.hasCpu), present, missing);
      builder_.SetInsertPoint(missing);
      builder_.CreateRet(builder_.getInt32(APRT_UNSUPPORTED_CPU));
      builder_.SetInsertPoint(present);
    }
    llvm::Value *status = nullptr;
    emitWithFpEnvironment(builder_, context_,
                          [&] { status = builder_.CreateCall(body, {call->getArg(0)}); });
    builder_.CreateRet(status);
    return call;
  }

  const EntryContext &context_;
  const SharedParts &shared_;
  const EntryDescription &entry_;
  const Graph &graph_;
  llvm::IRBuilder<> builder_;
  KernelCache &cache_;
  std::map<const Op *, Kernel> kernels_; ///< of the function's graph and its regions
  size_t mostBuffers_ = 1;
  uint64_t scratchBytes_ = 0;
  CallParts parts_;
  llvm::Value *frame_ = nullptr;
  llvm::Value *buffers_ = nullptr;
  llvm::Value *rowOffset_ = nullptr;
  llvm::Value *hasWorkers_ = nullptr;
};

} // namespace

SharedParts emitSharedParts(const EntryContext &context) {
  return {KernelRunner(context), emitCpuCheck(context), emitDefaultExec(context),
          emitDefaultHypers(context)};
}

EntryPoint emitEntryPoint(const EntryContext &context, const SharedParts &shared,
                          const EntryDescription &entry, KernelCache &kernels) {
  return EntryEmitter(context, shared, entry, kernels).emit();
}

} // namespace apr
