// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/typed_functions.h"

#include "runtime/core/include/aprt.h"

namespace apr {
namespace {

class TypedFunctionEmitter {
public:
  TypedFunctionEmitter(const EntryContext &context, const EntryDescription &entry,
                       const EntryPoint &point)
      : context_(context), entry_(entry), point_(point), builder_(context.context()) {}

  void emit() {
    std::vector<llvm::Type *> types;
    for (const CParameter &parameter : entry_.parameters)
      types.push_back(parameterType(parameter));
    function_ = context_.createFunction(entry_.symbol, context_.i32(), types,
                                        llvm::GlobalValue::ExternalLinkage, FunctionCode::Guarded);
    builder_.SetInsertPoint(&function_->getEntryBlock());
    allocate();
    for (size_t i = 0; i < entry_.parameters.size(); ++i)
      pass(entry_.parameters[i], function_->getArg(static_cast<unsigned>(i)));
    builder_.CreateRet(builder_.CreateCall(point_.call, {call_}));
  }

private:
  llvm::Type *elementType(DType dtype) {
    switch (dtype) {
    case DType::F32:
      return builder_.getFloatTy();
    case DType::F64:
      return builder_.getDoubleTy();
    case DType::I32:
      return builder_.getInt32Ty();
    case DType::I64:
      return builder_.getInt64Ty();
    case DType::Bool:
    case DType::U8:
      return builder_.getInt8Ty();
    case DType::BF16:
      return builder_.getInt16Ty();
    }
    return nullptr;
  }

  llvm::Type *parameterType(const CParameter &parameter) {
    if (parameter.kind == CParameter::Kind::Dim)
      return context_.i64();
    if (parameter.kind == CParameter::Kind::InputScalar)
      return elementType(entry_.inputs[parameter.index].type.dtype);
    return context_.pointer();
  }

  llvm::Value *allocateArray(size_t count, const char *name) {
    if (count == 0)
      return context_.null();
    return builder_.CreateAlloca(llvm::ArrayType::get(context_.i64(), count), nullptr, name);
  }

  void setCallField(uint64_t offset, llvm::Value *value) {
    builder_.CreateStore(value, addressOf(builder_, call_, offset));
  }

  void allocate() {
    call_ = allocateArray(sizeof(aprt_call) / 8, "call");
    dims_ = allocateArray(entry_.function->dims.size(), "dims");
    inputs_ = allocateArray(entry_.inputs.size(), "inputs");
    results_ = allocateArray(entry_.results.size(), "results");
    for (uint64_t offset = 0; offset < sizeof(aprt_call); offset += 8)
      setCallField(offset, builder_.getInt64(0));
    setCallField(offsetof(aprt_call, size), context_.constant32(sizeof(aprt_call)));
    setCallField(offsetof(aprt_call, dims), dims_);
    setCallField(offsetof(aprt_call, inputs), inputs_);
    setCallField(offsetof(aprt_call, results), results_);
    if (entry_.function->kind == FunctionKind::Init && !initTakesWorkspace(*entry_.function))
      useStackWorkspace();
  }

  void useStackWorkspace() {
    const auto planned = static_cast<uint64_t>(*entry_.workspaceBytes.asConstant());
    const uint64_t bytes = planned + point_.scratchBytes;
    if (bytes == 0)
      return;
    auto *workspace = builder_.CreateAlloca(llvm::ArrayType::get(builder_.getInt8Ty(), bytes),
                                            nullptr, "workspace");
    workspace->setAlignment(llvm::Align(kBlockAlignment));
    setCallField(offsetof(aprt_call, workspace), workspace);
  }

  llvm::Value *element(llvm::Value *array, uint32_t index) {
    return addressOf(builder_, array, 8 * uint64_t(index));
  }

  void pass(const CParameter &parameter, llvm::Value *argument) {
    argument->setName(parameter.name);
    switch (parameter.kind) {
    case CParameter::Kind::Exec:
      return setCallField(offsetof(aprt_call, exec), argument);
    case CParameter::Kind::State:
      return setCallField(offsetof(aprt_call, state), argument);
    case CParameter::Kind::Workspace:
      return setCallField(offsetof(aprt_call, workspace), argument);
    case CParameter::Kind::Gradients:
      return setCallField(offsetof(aprt_call, gradients), argument);
    case CParameter::Kind::Hyper:
      return setCallField(offsetof(aprt_call, hyper), argument);
    case CParameter::Kind::Dim:
      builder_.CreateStore(argument, element(dims_, parameter.index));
      return;
    case CParameter::Kind::InputTensor:
      builder_.CreateStore(argument, element(inputs_, parameter.index));
      return;
    case CParameter::Kind::InputScalar:
      return passScalar(parameter, argument);
    case CParameter::Kind::ResultPointer:
      builder_.CreateStore(argument, element(results_, parameter.index));
      return;
    case CParameter::Kind::Out:
      return passOut(argument);
    }
  }

  void passScalar(const CParameter &parameter, llvm::Value *argument) {
    auto *slot = builder_.CreateAlloca(argument->getType(), nullptr, parameter.name + "_value");
    builder_.CreateStore(argument, slot);
    builder_.CreateStore(slot, element(inputs_, parameter.index));
  }

  void returnUnless(llvm::Value *condition, int32_t status) {
    auto *fail = llvm::BasicBlock::Create(context_.context(), "fail", function_);
    auto *next = llvm::BasicBlock::Create(context_.context(), "next", function_);
    builder_.CreateCondBr(condition, next, fail);
    builder_.SetInsertPoint(fail);
    builder_.CreateRet(builder_.getInt32(static_cast<uint32_t>(status)));
    builder_.SetInsertPoint(next);
  }

  void passOut(llvm::Value *out) {
    returnUnless(builder_.CreateIsNotNull(out), APRT_NULL_ARGUMENT);
    llvm::Value *size = builder_.CreateLoad(context_.i32(), out, "size");
    returnUnless(builder_.CreateICmpEQ(size, context_.constant32(entry_.out->bytes)),
                 APRT_BAD_STRUCT_SIZE);
    for (const OutField &field : entry_.out->fields) {
      llvm::Value *address = addressOf(builder_, out, field.offset);
      if (field.isPointer)
        address = builder_.CreateLoad(context_.pointer(), address, field.name);
      builder_.CreateStore(address, element(results_, field.result));
    }
  }

  const EntryContext &context_;
  const EntryDescription &entry_;
  const EntryPoint &point_;
  llvm::IRBuilder<> builder_;
  llvm::Function *function_ = nullptr;
  llvm::Value *call_ = nullptr;
  llvm::Value *dims_ = nullptr;
  llvm::Value *inputs_ = nullptr;
  llvm::Value *results_ = nullptr;
};

llvm::Function *createSizeFunction(const EntryContext &context, const std::string &symbol,
                                   llvm::ArrayRef<llvm::Type *> parameters) {
  return context.createFunction(symbol, context.i64(), parameters,
                                llvm::GlobalValue::ExternalLinkage, FunctionCode::Guarded);
}

void emitConstantFunction(const EntryContext &context, const std::string &symbol, uint64_t value) {
  llvm::Function *function = createSizeFunction(context, symbol, {});
  llvm::IRBuilder<>(&function->getEntryBlock()).CreateRet(context.constant64(value));
}

/// Stores the dims that an entry point takes into an array and asks for its workspace.
llvm::Value *callWorkspace(llvm::IRBuilderBase &builder, const EntryContext &context,
                           const Function &function, const EntryPoint &point, llvm::Value *workers,
                           const std::map<std::string, llvm::Value *> &dims) {
  llvm::Value *array = context.null();
  if (!function.dims.empty())
    array = builder.CreateAlloca(llvm::ArrayType::get(context.i64(), function.dims.size()));
  for (size_t i = 0; i < function.dims.size(); ++i)
    builder.CreateStore(dims.at(function.dims[i]), addressOf(builder, array, 8 * i));
  return builder.CreateCall(point.dims.workspace, {workers, array});
}

/// size_t (uint32_t max_workers, int64_t dims…): the maximum over some entry points.
void emitWorkspaceFunction(const EntryContext &context, const std::string &symbol,
                           const std::vector<std::string> &dims,
                           const std::vector<std::pair<const Function *, const EntryPoint *>> &of) {
  std::vector<llvm::Type *> types(1 + dims.size(), context.i64());
  types[0] = context.i32();
  llvm::Function *function = createSizeFunction(context, symbol, types);
  std::map<std::string, llvm::Value *> values;
  for (size_t i = 0; i < dims.size(); ++i)
    values[dims[i]] = function->getArg(static_cast<unsigned>(i + 1));
  llvm::IRBuilder<> builder(&function->getEntryBlock());
  llvm::Value *most = builder.getInt64(0);
  for (const auto &[each, point] : of) {
    llvm::Value *bytes =
        callWorkspace(builder, context, *each, *point, function->getArg(0), values);
    most = builder.CreateSelect(builder.CreateICmpUGT(bytes, most), bytes, most);
  }
  builder.CreateRet(most);
}

} // namespace

void emitTypedFunctions(const EntryContext &context, const EntryDescription &entry,
                        const EntryPoint &point) {
  TypedFunctionEmitter(context, entry, point).emit();
  emitWorkspaceFunction(context, entry.symbol + "_workspace_bytes", entry.function->dims,
                        {{entry.function, &point}});
}

void emitSizeFunctions(const EntryContext &context, const std::vector<EntryPoint> &points) {
  const ModelDescription &model = context.model;
  emitConstantFunction(context, model.prefix + "_state_bytes", model.state.bytes);
  for (const TrainBlockDescription &block : model.trainBlocks)
    emitConstantFunction(context, block.symbol + "_bytes", block.layout.bytes);
  std::vector<std::pair<const Function *, const EntryPoint *>> all;
  for (size_t i = 0; i < points.size(); ++i)
    all.emplace_back(model.entries[i].function, &points[i]);
  emitWorkspaceFunction(context, model.prefix + "_workspace_bytes", model.dims, all);
}

} // namespace apr
