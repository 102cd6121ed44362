// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/kernel_runner.h"

#include "codegen/fp_environment.h"
#include "runtime/core/include/aprt.h"

namespace apr {

KernelRunner::KernelRunner(const EntryContext &context) {
  auto *pointer = context.pointer();
  auto *i64 = context.i64();
  frameType_ = llvm::StructType::get(pointer, pointer, pointer, pointer, i64, pointer);
  kernelType_ = llvm::FunctionType::get(llvm::Type::getVoidTy(context.context()),
                                        {pointer, pointer, i64, pointer}, false);
  run_ = emitRun(context, emitTask(context));
}

llvm::Value *KernelRunner::field(llvm::IRBuilderBase &builder, llvm::Value *frame,
                                 Field field) const {
  return builder.CreateStructGEP(frameType_, frame, field);
}

void KernelRunner::callKernel(llvm::IRBuilderBase &builder, llvm::Value *frame, llvm::Value *block,
                              llvm::Value *worker) const {
  auto load = [&](Field which) {
    return builder.CreateLoad(frameType_->getElementType(which), field(builder, frame, which));
  };
  llvm::Value *offset = builder.CreateMul(worker, load(ScratchStride));
  llvm::Value *scratch = builder.CreateGEP(builder.getInt8Ty(), load(Scratch), offset);
  builder.CreateCall(kernelType_, load(Kernel), {load(Dims), load(Buffers), block, scratch});
}

// The call through a pointer keeps the kernel's arithmetic out of the function that sets the
// floating-point environment.
llvm::Function *KernelRunner::emitTask(const EntryContext &context) {
  llvm::Function *task = context.createFunction(
      context.model.prefix + ".task", llvm::Type::getVoidTy(context.context()),
      {context.pointer(), context.i64(), context.i32()}, llvm::GlobalValue::InternalLinkage,
      FunctionCode::Guarded);
  llvm::IRBuilder<> builder(&task->getEntryBlock());
  emitWithFpEnvironment(builder, context, [&] {
    callKernel(builder, task->getArg(0), task->getArg(1),
               builder.CreateZExt(task->getArg(2), builder.getInt64Ty()));
  });
  builder.CreateRetVoid();
  return task;
}

llvm::Function *KernelRunner::emitRun(const EntryContext &context, llvm::Function *task) {
  llvm::LLVMContext &llvmContext = context.context();
  llvm::Type *voidType = llvm::Type::getVoidTy(llvmContext);
  llvm::Function *function =
      context.createFunction(context.model.prefix + ".run", voidType,
                             {context.pointer(), context.i64(), llvm::Type::getInt1Ty(llvmContext)},
                             llvm::GlobalValue::InternalLinkage, FunctionCode::Full);
  function->addFnAttr(llvm::Attribute::NoInline);
  llvm::Value *frame = function->getArg(0), *count = function->getArg(1);
  auto *entry = &function->getEntryBlock();
  auto *parallel = llvm::BasicBlock::Create(llvmContext, "parallel", function);
  auto *serial = llvm::BasicBlock::Create(llvmContext, "serial", function);
  auto *loop = llvm::BasicBlock::Create(llvmContext, "loop", function);
  auto *done = llvm::BasicBlock::Create(llvmContext, "done", function);

  llvm::IRBuilder<> builder(entry);
  llvm::Value *several = builder.CreateICmpSGT(count, builder.getInt64(1));
  builder.CreateCondBr(builder.CreateAnd(several, function->getArg(2)), parallel, serial);

  builder.SetInsertPoint(parallel);
  llvm::Value *exec = builder.CreateLoad(context.pointer(), field(builder, frame, Exec));
  auto *parForType = llvm::FunctionType::get(
      voidType, {context.pointer(), context.i64(), context.pointer(), context.pointer()}, false);
  llvm::Value *parFor =
      loadField(builder, context.pointer(), exec, offsetof(aprt_exec, par_for), "par_for");
  llvm::Value *ctx = loadField(builder, context.pointer(), exec, offsetof(aprt_exec, ctx), "ctx");
  builder.CreateCall(parForType, parFor, {ctx, count, task, frame});
  emitSetFpEnvironment(builder, context);
  builder.CreateBr(done);

  builder.SetInsertPoint(serial);
  builder.CreateCondBr(builder.CreateICmpSGT(count, builder.getInt64(0)), loop, done);
  builder.SetInsertPoint(loop);
  llvm::PHINode *block = builder.CreatePHI(builder.getInt64Ty(), 2, "block");
  block->addIncoming(builder.getInt64(0), serial);
  callKernel(builder, frame, block, builder.getInt64(0));
  llvm::Value *next = builder.CreateAdd(block, builder.getInt64(1));
  block->addIncoming(next, loop);
  builder.CreateCondBr(builder.CreateICmpSLT(next, count), loop, done);

  builder.SetInsertPoint(done);
  builder.CreateRetVoid();
  return function;
}

} // namespace apr
