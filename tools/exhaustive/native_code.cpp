// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/exhaustive/native_code.h"

#include "codegen/elementary.h"
#include "codegen/llvm_compat.h"
#include "codegen/optimize.h"

#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Support/TargetSelect.h>

#include <algorithm>

namespace apr::exhaustive {
namespace {

constexpr const char *kSymbol = "apr_lanes";
using Entry = void(const void *const *inputs, void *output, int64_t count);

template <class T> T take(llvm::Expected<T> value) {
  if (!value)
    throw InternalError("native code: " + llvm::toString(value.takeError()));
  return std::move(*value);
}

void check(llvm::Error error) {
  if (error)
    throw InternalError("native code: " + llvm::toString(std::move(error)));
}

/// void apr_lanes(ptr inputs, ptr output, i64 count)
void emitLoop(llvm::Module &module, DType dtype, size_t inputs, const Target &target,
              const LaneEmitter &emit) {
  auto &context = module.getContext();
  llvm::IRBuilder<> b(context);
  llvm::Type *element = dtype == DType::F32 ? b.getFloatTy() : b.getDoubleTy();
  unsigned lanes = target.kernels().scalarOnly ? 1 : target.kernels().vectorBits / 32;
  llvm::Type *type = lanes == 1 ? element : llvm::FixedVectorType::get(element, lanes);
  auto *signature =
      llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getPtrTy(), b.getInt64Ty()}, false);
  auto *function =
      llvm::Function::Create(signature, llvm::GlobalValue::ExternalLinkage, kSymbol, module);
  auto *entry = llvm::BasicBlock::Create(context, "entry", function);
  auto *loop = llvm::BasicBlock::Create(context, "loop", function);
  auto *done = llvm::BasicBlock::Create(context, "done", function);

  b.SetInsertPoint(entry);
  std::vector<llvm::Value *> sources;
  for (size_t i = 0; i < inputs; ++i)
    sources.push_back(
        b.CreateLoad(b.getPtrTy(), b.CreateConstGEP1_64(b.getPtrTy(), function->getArg(0), i)));
  b.CreateBr(loop);

  b.SetInsertPoint(loop);
  auto *index = b.CreatePHI(b.getInt64Ty(), 2);
  std::vector<llvm::Value *> operands;
  llvm::Align align(dtype == DType::F32 ? 4 : 8);
  for (llvm::Value *source : sources)
    operands.push_back(b.CreateAlignedLoad(type, b.CreateGEP(element, source, index), align));
  llvm::Value *result = emit(b, operands, target);
  b.CreateAlignedStore(result, b.CreateGEP(element, function->getArg(1), index), align);
  llvm::Value *next = b.CreateAdd(index, b.getInt64(lanes));
  index->addIncoming(b.getInt64(0), entry);
  index->addIncoming(next, b.GetInsertBlock());
  b.CreateCondBr(b.CreateICmpULT(next, function->getArg(2)), loop, done);
  b.SetInsertPoint(done);
  b.CreateRetVoid();
}

std::string emitObject(llvm::Module &module, const Target &target) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (target.machine().addPassesToEmitFile(passes, stream, nullptr,
                                           llvm::CodeGenFileType::ObjectFile))
    throw InternalError("native code: the target writes no objects");
  passes.run(module);
  return {bytes.begin(), bytes.end()};
}

class LinkedCode : public NativeCode {
public:
  explicit LinkedCode(const std::string &object) {
    auto buffer = llvm::MemoryBuffer::getMemBufferCopy(object, kSymbol);
    auto file = take(llvm::object::ObjectFile::createObjectFile(*buffer));
    for (const llvm::object::SymbolRef &symbol : file->symbols())
      if (take(symbol.getFlags()) & llvm::object::SymbolRef::SF_Undefined)
        undefined_.push_back(take(symbol.getName()).str());
    std::erase(undefined_, "");
    jit_ = take(llvm::orc::LLJITBuilder().create());
    check(jit_->addObjectFile(std::move(buffer)));
    entry_ = take(jit_->lookup(kSymbol)).toPtr<Entry>();
  }

  void run(const std::vector<const void *> &inputs, void *output, int64_t count) const override {
    entry_(inputs.data(), output, count);
  }
  const std::vector<std::string> &undefinedSymbols() const override { return undefined_; }

private:
  std::unique_ptr<llvm::orc::LLJIT> jit_;
  Entry *entry_ = nullptr;
  std::vector<std::string> undefined_;
};

} // namespace

std::unique_ptr<NativeCode> compileLanes(DType dtype, size_t inputs, const TargetOptions &options,
                                         const LaneEmitter &emit) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto target = Target::create(options);
  if (!target)
    throw InternalError(target.error());
  llvm::LLVMContext context;
  llvm::Module module(kSymbol, context);
  compat::setTriple(module, target->machine().getTargetTriple());
  module.setDataLayout(target->machine().createDataLayout());
  emitLoop(module, dtype, inputs, *target, emit);
  if (llvm::verifyModule(module, &llvm::errs()))
    throw InternalError("native code: the module is invalid");
  optimizeModule(module, *target);
  return std::make_unique<LinkedCode>(emitObject(module, *target));
}

std::unique_ptr<NativeCode> compileElementary(OpKind kind, const TargetOptions &options) {
  return compileLanes(DType::F32, 1, options,
                      [kind](llvm::IRBuilderBase &builder,
                             const std::vector<llvm::Value *> &operands, const Target &target) {
                        return emitElementary(kind, builder, operands[0], target.kernels());
                      });
}

} // namespace apr::exhaustive
