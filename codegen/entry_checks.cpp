// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/entry_checks.h"

#include "runtime/core/include/aprt.h"

namespace apr {
namespace {

class CallChecker {
public:
  CallChecker(llvm::IRBuilderBase &builder, const EntryContext &context, const SharedParts &shared,
              const EntryDescription &entry, const DimFunctions &dims, llvm::Value *call)
      : builder_(builder), context_(context), shared_(shared), entry_(entry), dims_(dims),
        call_(call) {}

  CallParts check() {
    require(builder_.CreateIsNotNull(call_), APRT_NULL_ARGUMENT);
    requireSize(call_, sizeof(aprt_call));
    checkExec();
    checkDims();
    checkWorkspace();
    checkBlocks();
    checkHypers();
    checkTensors(entry_.inputs, offsetof(aprt_call, inputs), parts_.inputs);
    checkResults();
    for (size_t i = 0; i < entry_.inputs.size(); ++i)
      if (entry_.inputs[i].indexLimit)
        checkIndices(entry_.inputs[i], parts_.inputs[i]);
    return std::move(parts_);
  }

private:
  /// Goes on where `condition` holds; elsewhere the function returns the status.
  void require(llvm::Value *condition, int32_t status) {
    returnIf(builder_.CreateNot(condition), builder_.getInt32(static_cast<uint32_t>(status)));
  }

  void returnIf(llvm::Value *condition, llvm::Value *status) {
    llvm::Function *function = builder_.GetInsertBlock()->getParent();
    auto *fail = llvm::BasicBlock::Create(context_.context(), "fail", function);
    auto *next = llvm::BasicBlock::Create(context_.context(), "next", function);
    builder_.CreateCondBr(condition, fail, next);
    builder_.SetInsertPoint(fail);
    builder_.CreateRet(status);
    builder_.SetInsertPoint(next);
  }

  /// Every struct starts with its own size.
  void requireSize(llvm::Value *pointer, uint64_t bytes) {
    llvm::Value *size = builder_.CreateLoad(context_.i32(), pointer, "size");
    require(builder_.CreateICmpEQ(size, context_.constant32(bytes)), APRT_BAD_STRUCT_SIZE);
  }

  void requireAligned(llvm::Value *pointer, uint64_t alignment) {
    if (alignment == 1)
      return;
    llvm::Value *low = builder_.CreateAnd(builder_.CreatePtrToInt(pointer, context_.i64()),
                                          builder_.getInt64(alignment - 1));
    require(builder_.CreateIsNull(low), APRT_MISALIGNED);
  }

  llvm::Value *loadPointer(uint64_t offset, const char *name) {
    return loadField(builder_, context_.pointer(), call_, offset, name);
  }

  void checkExec() {
    llvm::Value *given = loadPointer(offsetof(aprt_call, exec), "exec");
    parts_.exec = builder_.CreateSelect(builder_.CreateIsNull(given), shared_.defaultExec, given);
    requireSize(parts_.exec, sizeof(aprt_exec));
  }

  void checkDims() {
    parts_.dims = loadPointer(offsetof(aprt_call, dims), "dims");
    llvm::Value *status = builder_.CreateCall(dims_.check, {parts_.dims});
    returnIf(builder_.CreateIsNotNull(status), status);
    parts_.dimValues = loadDims(builder_, parts_.dims, entry_.function->dims);
  }

  void checkWorkspace() {
    parts_.workspace = loadPointer(offsetof(aprt_call, workspace), "workspace");
    llvm::Value *workers =
        loadField(builder_, context_.i32(), parts_.exec, offsetof(aprt_exec, workers), "workers");
    llvm::Value *needed = builder_.CreateCall(dims_.workspace, {workers, parts_.dims});
    llvm::Value *given = loadField(builder_, context_.i64(), parts_.exec,
                                   offsetof(aprt_exec, workspace_bytes), "given");
    require(builder_.CreateICmpUGE(given, needed), APRT_WORKSPACE_TOO_SMALL);
    llvm::Value *unused = builder_.CreateIsNull(needed);
    require(builder_.CreateOr(unused, builder_.CreateIsNotNull(parts_.workspace)),
            APRT_NULL_ARGUMENT);
    // Where none is needed, any pointer will do.
    parts_.workspace = builder_.CreateSelect(unused, context_.null(), parts_.workspace);
    requireAligned(parts_.workspace, kBlockAlignment);
  }

  void checkBlock(llvm::Value *block) {
    require(builder_.CreateIsNotNull(block), APRT_NULL_ARGUMENT);
    requireAligned(block, kBlockAlignment);
  }

  void checkBlocks() {
    parts_.state = loadPointer(offsetof(aprt_call, state), "state");
    if (context_.model.state.bytes != 0)
      checkBlock(parts_.state);
    parts_.gradients = loadPointer(offsetof(aprt_call, gradients), "gradients");
    if (entry_.usesGradients && entry_.trainBlock &&
        context_.model.trainBlocks[*entry_.trainBlock].layout.bytes != 0)
      checkBlock(parts_.gradients);
  }

  void checkHypers() {
    llvm::Value *given = loadPointer(offsetof(aprt_call, hyper), "hyper");
    parts_.hypers =
        builder_.CreateSelect(builder_.CreateIsNull(given), shared_.defaultHypers, given);
    requireSize(parts_.hypers, context_.model.hypers.bytes);
  }

  /// A tensor without elements may be null.
  void checkTensors(const std::vector<TensorDescription> &tensors, uint64_t offset,
                    std::vector<llvm::Value *> &pointers) {
    if (tensors.empty())
      return;
    llvm::Value *array = loadPointer(offset, "tensors");
    require(builder_.CreateIsNotNull(array), APRT_NULL_ARGUMENT);
    for (size_t i = 0; i < tensors.size(); ++i) {
      llvm::Value *pointer = loadField(builder_, context_.pointer(), array, 8 * i, "tensor");
      requireAligned(pointer, byteSize(tensors[i].type.dtype));
      pointers.push_back(pointer);
      if (&tensors == &entry_.results && !entry_.unwantedOffsets.empty())
        continue;
      llvm::Value *count = emitDim(builder_, elementCount(tensors[i].type.shape), parts_.dimValues);
      require(builder_.CreateOr(builder_.CreateIsNull(count), builder_.CreateIsNotNull(pointer)),
              APRT_NULL_ARGUMENT);
    }
  }

  void checkResults() {
    checkTensors(entry_.results, offsetof(aprt_call, results), parts_.results);
    for (size_t i = 0; i < entry_.unwantedOffsets.size(); ++i) {
      llvm::Value *&pointer = parts_.results[i];
      llvm::Value *instead =
          builder_.CreateGEP(builder_.getInt8Ty(), parts_.workspace,
                             emitDim(builder_, entry_.unwantedOffsets[i], parts_.dimValues));
      pointer = builder_.CreateSelect(builder_.CreateIsNull(pointer), instead, pointer);
    }
  }

  llvm::Type *elementType(DType dtype) {
    return llvm::Type::getIntNTy(context_.context(), 8 * byteSize(dtype));
  }

  /// Looks at all elements before it decides, which is one pass without a branch per element.
  void checkIndices(const TensorDescription &input, llvm::Value *pointer) {
    llvm::Value *count = emitDim(builder_, elementCount(input.type.shape), parts_.dimValues);
    llvm::Value *limit = emitDim(builder_, *input.indexLimit, parts_.dimValues);
    llvm::Function *function = builder_.GetInsertBlock()->getParent();
    auto *before = builder_.GetInsertBlock();
    auto *loop = llvm::BasicBlock::Create(context_.context(), "indices", function);
    auto *after = llvm::BasicBlock::Create(context_.context(), "checked", function);
    builder_.CreateCondBr(builder_.CreateIsNull(count), after, loop);

    builder_.SetInsertPoint(loop);
    llvm::PHINode *i = builder_.CreatePHI(context_.i64(), 2, "i");
    llvm::PHINode *bad = builder_.CreatePHI(builder_.getInt1Ty(), 2, "bad");
    llvm::Type *type = elementType(input.type.dtype);
    llvm::Value *element = builder_.CreateLoad(type, builder_.CreateGEP(type, pointer, i));
    // Sign-extended, a negative index is above every limit.
    llvm::Value *index = input.type.dtype == DType::U8
                             ? builder_.CreateZExt(element, context_.i64())
                             : builder_.CreateSExt(element, context_.i64());
    llvm::Value *badNow = builder_.CreateOr(bad, builder_.CreateICmpUGE(index, limit));
    llvm::Value *next = builder_.CreateAdd(i, builder_.getInt64(1));
    i->addIncoming(builder_.getInt64(0), before);
    i->addIncoming(next, loop);
    bad->addIncoming(builder_.getFalse(), before);
    bad->addIncoming(badNow, loop);
    builder_.CreateCondBr(builder_.CreateICmpULT(next, count), loop, after);

    builder_.SetInsertPoint(after);
    llvm::PHINode *anyBad = builder_.CreatePHI(builder_.getInt1Ty(), 2, "any_bad");
    anyBad->addIncoming(builder_.getFalse(), before);
    anyBad->addIncoming(badNow, loop);
    require(builder_.CreateNot(anyBad), APRT_INDEX_OUT_OF_RANGE);
  }

  llvm::IRBuilderBase &builder_;
  const EntryContext &context_;
  const SharedParts &shared_;
  const EntryDescription &entry_;
  const DimFunctions &dims_;
  llvm::Value *call_;
  CallParts parts_;
};

} // namespace

CallParts emitCallChecks(llvm::IRBuilderBase &builder, const EntryContext &context,
                         const SharedParts &shared, const EntryDescription &entry,
                         const DimFunctions &dims, llvm::Value *call) {
  return CallChecker(builder, context, shared, entry, dims, call).check();
}

} // namespace apr
