// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/dim_checks.h"

#include "codegen/dim_code.h"
#include "ir/scan.h"
#include "runtime/core/include/aprt.h"

#include <set>

namespace apr {
namespace {

/// Values of a region need not exist in memory; a loop over more elements than this never ends.
constexpr int64_t kMaximumElements = int64_t(1) << 60;

/// What must be non-negative and at most a limit for the sizes of a function to be computable.
class SizeConditions {
public:
  explicit SizeConditions(const EntryDescription &entry) {
    collect(entry.function->graph);
    add(entry.workspaceBytes, kMaximumBlockBytes);
  }
  const std::map<Dim, int64_t> &upperBounds() const { return upperBounds_; }

private:
  void collect(const Graph &graph, int64_t limit = kMaximumBlockBytes) {
    for (const Value &value : graph.values()) {
      for (const Dim &dim : value.type.shape)
        if (!dim.asVariable())
          add(dim, kMaximumElements);
      add(byteCount(value.type), limit);
    }
    for (const Op &op : graph.ops()) {
      if (op.kind == OpKind::Scan)
        add(ScanParts(op).length, kMaximumElements);
      if (op.region)
        collect(*op.region, op.kind == OpKind::Kernel ? kMaximumElements : limit);
    }
  }

  void add(const Dim &dim, int64_t limit) {
    if (dim.isConstant())
      return;
    auto [entry, isNew] = upperBounds_.try_emplace(dim, limit);
    if (!isNew)
      entry->second = std::min(entry->second, limit);
  }

  std::map<Dim, int64_t> upperBounds_;
};

class DimFunctionEmitter {
public:
  DimFunctionEmitter(const EntryContext &context, const EntryDescription &entry,
                     uint64_t scratchBytes)
      : context_(context), entry_(entry), function_(*entry.function), scratchBytes_(scratchBytes),
        builder_(context.context()) {}

  DimFunctions emit() {
    llvm::Function *check = emitCheck();
    return {check, emitWorkspace(check), emitShapes(check)};
  }

private:
  llvm::Function *create(std::string_view part, llvm::Type *result,
                         llvm::ArrayRef<llvm::Type *> parameters) {
    llvm::Function *function =
        context_.createFunction(context_.internalName(entry_, part), result, parameters,
                                llvm::GlobalValue::InternalLinkage, FunctionCode::Guarded);
    builder_.SetInsertPoint(&function->getEntryBlock());
    return function;
  }

  /// Returns `result` from the current function where `bad` holds.
  void failIf(llvm::Value *bad, llvm::Value *result) {
    llvm::Function *function = builder_.GetInsertBlock()->getParent();
    auto *fail = llvm::BasicBlock::Create(context_.context(), "fail", function);
    auto *next = llvm::BasicBlock::Create(context_.context(), "next", function);
    builder_.CreateCondBr(bad, fail, next);
    builder_.SetInsertPoint(fail);
    builder_.CreateRet(result);
    builder_.SetInsertPoint(next);
  }

  void failWithStatusIf(llvm::Value *bad, int32_t status) {
    failIf(bad, builder_.getInt32(static_cast<uint32_t>(status)));
  }

  llvm::Function *emitCheck() {
    llvm::Function *check = create("check_dims", context_.i32(), {context_.pointer()});
    check->addFnAttr(llvm::Attribute::NoInline);
    if (!function_.dims.empty())
      failWithStatusIf(builder_.CreateIsNull(check->getArg(0)), APRT_NULL_ARGUMENT);
    const DimValues values = loadDims(builder_, check->getArg(0), function_.dims);
    for (const std::string &name : function_.dims) // an unsigned comparison catches negative ones
      failWithStatusIf(builder_.CreateICmpUGT(values.at(name), builder_.getInt64(kMaximumDim)),
                       APRT_BAD_DIMENSION);
    checkConditions(values);
    checkSizes(values);
    builder_.CreateRet(builder_.getInt32(APRT_OK));
    return check;
  }

  void checkConditions(const DimValues &values) {
    for (size_t i = 0; i < function_.checks.size(); ++i) {
      const DimCheck &check = function_.checks[i];
      CheckedDim dim = emitCheckedDim(builder_, check.value, values);
      failWithStatusIf(dim.fails, APRT_BAD_DIMENSION);
      llvm::Value *zero = builder_.getInt64(0);
      llvm::Value *bad = check.kind == DimCheck::Kind::NonNegative
                             ? builder_.CreateICmpSLT(dim.value, zero)
                             : builder_.CreateICmpNE(dim.value, zero);
      failWithStatusIf(bad, entry_.firstStatus + static_cast<int32_t>(i));
    }
  }

  void checkSizes(const DimValues &values) {
    const SizeConditions conditions(entry_);
    for (const auto &[size, limit] : conditions.upperBounds()) {
      CheckedDim dim = emitCheckedDim(builder_, size, values);
      llvm::Value *tooLarge = builder_.CreateICmpUGT(dim.value, builder_.getInt64(limit));
      failWithStatusIf(builder_.CreateOr(dim.fails, tooLarge), APRT_BAD_DIMENSION);
    }
  }

  llvm::Function *emitWorkspace(llvm::Function *check) {
    llvm::Function *workspace =
        create("workspace", context_.i64(), {context_.i32(), context_.pointer()});
    llvm::Value *status = builder_.CreateCall(check, {workspace->getArg(1)});
    failIf(builder_.CreateIsNotNull(status), builder_.getInt64(~uint64_t(0)));
    const DimValues values = loadDims(builder_, workspace->getArg(1), function_.dims);
    llvm::Value *planned = emitDim(builder_, entry_.workspaceBytes, values);
    llvm::Value *workers = builder_.CreateZExt(workspace->getArg(0), builder_.getInt64Ty());
    llvm::Value *none = builder_.CreateICmpEQ(workers, builder_.getInt64(0));
    workers = builder_.CreateSelect(none, builder_.getInt64(1), workers);
    builder_.CreateRet(
        builder_.CreateAdd(planned, builder_.CreateMul(workers, builder_.getInt64(scratchBytes_))));
    return workspace;
  }

  llvm::Function *emitShapes(llvm::Function *check) {
    llvm::Function *shapes =
        create("shapes", context_.i32(), {context_.pointer(), context_.pointer()});
    llvm::Value *status = builder_.CreateCall(check, {shapes->getArg(0)});
    failIf(builder_.CreateIsNotNull(status), status);
    const DimValues values = loadDims(builder_, shapes->getArg(0), function_.dims);
    uint64_t index = 0;
    for (const auto *tensors : {&entry_.inputs, &entry_.results})
      for (const TensorDescription &tensor : *tensors)
        for (const Dim &dim : tensor.type.shape)
          builder_.CreateStore(emitDim(builder_, dim, values),
                               addressOf(builder_, shapes->getArg(1), 8 * index++));
    builder_.CreateRet(builder_.getInt32(APRT_OK));
    return shapes;
  }

  const EntryContext &context_;
  const EntryDescription &entry_;
  const Function &function_;
  uint64_t scratchBytes_;
  llvm::IRBuilder<> builder_;
};

} // namespace

DimFunctions emitDimFunctions(const EntryContext &context, const EntryDescription &entry,
                              uint64_t scratchBytes) {
  return DimFunctionEmitter(context, entry, scratchBytes).emit();
}

} // namespace apr
