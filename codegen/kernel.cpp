// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/kernel.h"

#include "codegen/collapse_axes.h"
#include "codegen/kernel_forms.h"

#include <llvm/IR/Module.h>

#include <algorithm>

namespace apr {
namespace codegen {
namespace {

void setAttributes(llvm::Function &function, const KernelTarget &target) {
  function.setLinkage(llvm::GlobalValue::InternalLinkage);
  function.addFnAttr(llvm::Attribute::NoUnwind);
  const std::string bits = std::to_string(target.vectorBits);
  function.addFnAttr("prefer-vector-width", bits);
  function.addFnAttr("min-legal-vector-width", bits);
}

bool contains(const Graph &region, OpFamily family) {
  return std::ranges::any_of(region.ops(),
                             [&](const Op &op) { return opInfo(op.kind).family == family; });
}

} // namespace

KernelFunctions declareKernel(const KernelContext &context) {
  auto &llvmContext = context.module.getContext();
  auto *pointer = llvm::PointerType::getUnqual(llvmContext);
  auto *integer = llvm::Type::getInt64Ty(llvmContext);
  auto declare = [&](llvm::Type *result, std::vector<llvm::Type *> parameters,
                     const std::string &name) {
    auto *function =
        llvm::Function::Create(llvm::FunctionType::get(result, parameters, false),
                               llvm::GlobalValue::InternalLinkage, name, context.module);
    setAttributes(*function, context.target);
    return function;
  };
  KernelFunctions functions;
  functions.function = declare(llvm::Type::getVoidTy(llvmContext),
                               {pointer, pointer, integer, pointer}, context.symbol);
  functions.blocks = declare(integer, {pointer}, context.symbol + ".blocks");
  return functions;
}

Index blockArgument(LoopNest &nest) { return {nest.function().getArg(2), 0}; }

KernelBuffers bindBuffers(const KernelContext &context, LaneEvaluator &lanes) {
  LoopNest &nest = lanes.nest();
  auto &builder = nest.at(0);
  llvm::Value *buffers = nest.function().getArg(1);
  uint64_t next = 0;
  auto loadPointer = [&] {
    llvm::Value *slot = builder.CreateConstInBoundsGEP1_64(builder.getPtrTy(), buffers, next++);
    return builder.CreateLoad(builder.getPtrTy(), slot);
  };
  for (ValueId argument : context.region.arguments())
    lanes.bindMemory(argument, loadPointer());
  KernelBuffers bound;
  for (ValueId result : context.region.results)
    bound.results.push_back(lanes.denseTensor(loadPointer(), context.region.type(result)));
  return bound;
}

void finishKernel(LoopNest &nest) {
  auto &builder = nest.at(0);
  llvm::Instruction *end = &*builder.GetInsertPoint();
  builder.CreateRetVoid();
  end->eraseFromParent();
}

void writeBlockCount(const KernelContext &context, llvm::Function &function,
                     const std::function<Index(LoopNest &)> &count) {
  LoopNest nest(function, context.dimNames);
  llvm::Value *blocks = nest.value(count(nest));
  auto &builder = nest.at(0);
  llvm::Instruction *end = &*builder.GetInsertPoint();
  builder.CreateRet(blocks);
  end->eraseFromParent();
}

} // namespace codegen

bool hasVisibleMemory(const Value &value) {
  return !value.buffer || value.buffer->space != BufferSpace::Workspace;
}

EmittedKernel emitKernel(llvm::Module &module, const Graph &graph, const Op &kernel,
                         const std::vector<std::string> &dimNames, const KernelTarget &target,
                         const std::string &symbol) {
  if (kernel.kind != OpKind::Kernel || !kernel.region)
    throw InternalError("only kernels have code");
  std::vector<bool> visible;
  for (ValueId result : kernel.results)
    visible.push_back(hasVisibleMemory(graph.value(result)));
  codegen::KernelContext context{module, *kernel.region, dimNames,
                                 target, symbol,         std::move(visible)};
  if (codegen::contains(*kernel.region, OpFamily::Scatter))
    return codegen::emitScatterKernel(context);
  if (codegen::contains(*kernel.region, OpFamily::Cumulative) ||
      codegen::contains(*kernel.region, OpFamily::Sort))
    return codegen::emitLineKernel(context);
  if (codegen::isTiledMatMul(context))
    return codegen::emitMatMulKernel(context);
  const Graph collapsed = codegen::collapseAxes(*kernel.region);
  return codegen::emitDomainKernel(
      {module, collapsed, dimNames, target, symbol, std::move(context.isVisible)});
}

} // namespace apr
