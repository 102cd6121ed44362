// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "codegen/reflection.h"

#include "codegen/status_texts.h"
#include "runtime/core/include/aprt.h"

#include <algorithm>

namespace apr {
namespace {

// The numbering of the IR is that of the ABI.
static_assert(int(DType::F32) == APRT_F32 && int(DType::U8) == APRT_U8 &&
              int(DType::BF16) == APRT_BF16);
static_assert(int(StateRole::Parameter) == APRT_PARAMETER &&
              int(StateRole::Counter) == APRT_COUNTER);
static_assert(int(FunctionKind::Entry) == APRT_ENTRY && int(FunctionKind::Init) == APRT_INIT &&
              int(FunctionKind::Step) == APRT_STEP && int(FunctionKind::Grad) == APRT_GRAD &&
              int(FunctionKind::Apply) == APRT_APPLY && int(FunctionKind::Eval) == APRT_EVAL);
static_assert(int(ResultKind::Tensor) == APRT_TENSOR && int(ResultKind::Ratio) == APRT_RATIO);
static_assert(kFirstModelStatus == APRT_FIRST_MODEL_STATUS);

/// Fields of a C struct, one after another; their types give the layout that C gives them.
using Fields = std::vector<llvm::Constant *>;

class ReflectionEmitter {
public:
  ReflectionEmitter(const EntryContext &context, const std::vector<EntryPoint> &points,
                    const ReflectionTexts &texts)
      : context_(context), model_(context.model), points_(points), texts_(texts) {}

  void emit() {
    llvm::Function *statusText = emitStatusText();
    llvm::Constant *table = emitModel(statusText);
    llvm::Function *function =
        context_.createFunction(model_.prefix + "_model", context_.pointer(), {},
                                llvm::GlobalValue::ExternalLinkage, FunctionCode::Guarded);
    llvm::IRBuilder<>(&function->getEntryBlock()).CreateRet(table);
  }

private:
  llvm::Constant *i32(uint64_t value) { return context_.constant32(value & 0xffffffff); }
  llvm::Constant *i64(uint64_t value) { return context_.constant64(value); }
  llvm::Constant *f64(double value) {
    return llvm::ConstantFP::get(llvm::Type::getDoubleTy(context_.context()), value);
  }
  llvm::Constant *text(const std::string &value) { return context_.string(value); }

  llvm::Constant *structure(Fields fields, uint64_t reserved, uint64_t expectedBytes) {
    for (uint64_t i = 0; i < reserved; ++i)
      fields.push_back(i64(0));
    llvm::Constant *value = llvm::ConstantStruct::getAnon(context_.context(), fields);
    if (context_.module.getDataLayout().getTypeAllocSize(value->getType()) != expectedBytes)
      throw InternalError("a struct of the reflection table does not have its size in aprt.h");
    return value;
  }

  llvm::Constant *table(const Fields &rows, const std::string &name) {
    if (rows.empty())
      return context_.null();
    return context_.array(rows[0]->getType(), rows, model_.prefix + "." + name);
  }

  /// `variables` are the entry's; dims of state tensors have none.
  llvm::Constant *dims(const Shape &shape, const std::vector<std::string> &variables) {
    Fields rows;
    for (const Dim &dim : shape) {
      const auto name = dim.asVariable();
      const auto found = name ? std::ranges::find(variables, *name) : variables.end();
      const auto constant = dim.asConstant();
      const int64_t variable = constant                   ? -1
                               : found != variables.end() ? found - variables.begin()
                                                          : -2;
      rows.push_back(structure({i64(static_cast<uint64_t>(constant.value_or(0))),
                                i32(static_cast<uint64_t>(variable)), i32(0)},
                               0, sizeof(aprt_dim)));
    }
    return table(rows, "dims");
  }

  struct TensorFacts {
    uint32_t role = 0;
    uint64_t offset = 0;
    std::optional<Dim> indexLimit;
  };

  llvm::Constant *tensor(const std::string &name, const Type &type,
                         const std::vector<std::string> &variables, const TensorFacts &facts) {
    const auto bytes = byteCount(type).asConstant();
    // A limit that depends on open dims is checked, but a table of constants cannot tell it.
    const auto limit = facts.indexLimit ? facts.indexLimit->asConstant() : std::nullopt;
    return structure({text(name), dims(type.shape, variables), i32(type.rank()),
                      i32(static_cast<uint64_t>(type.dtype)), i32(facts.role), i32(0),
                      i64(facts.offset), i64(static_cast<uint64_t>(bytes.value_or(0))),
                      i64(static_cast<uint64_t>(limit.value_or(0)))},
                     1, sizeof(aprt_tensor));
  }

  llvm::Constant *stateTable() {
    Fields rows;
    for (size_t i = 0; i < model_.module->state.size(); ++i) {
      const StateTensor &state = model_.module->state[i];
      rows.push_back(tensor(state.name, state.type, {},
                            {static_cast<uint32_t>(state.role), model_.state.offsets[i], {}}));
    }
    return table(rows, "state");
  }

  llvm::Constant *hyperTable() {
    Fields rows;
    for (size_t i = 0; i < model_.module->hypers.size(); ++i) {
      const Hyperparameter &hyper = model_.module->hypers[i];
      rows.push_back(structure({text(hyper.name), i32(static_cast<uint64_t>(hyper.dtype)),
                                i32(model_.hypers.offsets[i]), f64(hyper.defaultValue)},
                               2, sizeof(aprt_hyper)));
    }
    return table(rows, "hypers");
  }

  llvm::Constant *entry(const EntryDescription &entry, const EntryPoint &point) {
    const std::vector<std::string> &variables = entry.function->dims;
    Fields names, inputs, results;
    for (const std::string &name : variables)
      names.push_back(text(name));
    for (const TensorDescription &input : entry.inputs)
      inputs.push_back(tensor(input.name, input.type, variables, {0, 0, input.indexLimit}));
    for (const TensorDescription &result : entry.results)
      results.push_back(
          tensor(result.name, result.type, variables, {static_cast<uint32_t>(result.kind), 0, {}}));
    return structure({text(entry.function->name), i32(static_cast<uint64_t>(entry.function->kind)),
                      i32(entry.trainBlock.value_or(0xffffffff)), i32(variables.size()),
                      i32(inputs.size()), i32(results.size()), i32(0), table(names, "names"),
                      table(inputs, "inputs"), table(results, "results"), point.call,
                      point.dims.workspace, point.dims.shapes},
                     4, sizeof(aprt_entry));
  }

  llvm::Constant *entryTable() {
    Fields rows;
    for (size_t i = 0; i < points_.size(); ++i)
      rows.push_back(entry(model_.entries[i], points_[i]));
    return table(rows, "entries");
  }

  llvm::Constant *trainBlockTable() {
    Fields rows;
    for (const TrainBlockDescription &block : model_.trainBlocks) {
      Fields gradients;
      for (size_t i = 0; i < block.gradients.size(); ++i)
        gradients.push_back(tensor(block.gradients[i].name, block.gradients[i].type, {},
                                   {0, block.layout.offsets[i], {}}));
      rows.push_back(structure({text(block.name), table(gradients, "gradients"),
                                i32(gradients.size()), i32(0), i64(block.layout.bytes)},
                               2, sizeof(aprt_train_block)));
    }
    return table(rows, "train_blocks");
  }

  llvm::Constant *emitModel(llvm::Function *statusText) {
    const Module &module = *model_.module;
    llvm::Constant *value = structure({i32(sizeof(aprt_model)),
                                       i32(APRT_ABI_VERSION),
                                       i32(kSemanticsVersion),
                                       i32(module.state.size()),
                                       text(module.name),
                                       text(texts_.compiler),
                                       text(texts_.target),
                                       text(texts_.sourceHash),
                                       text(texts_.manifest),
                                       i64(model_.state.bytes),
                                       i64(model_.hypers.bytes),
                                       stateTable(),
                                       hyperTable(),
                                       entryTable(),
                                       trainBlockTable(),
                                       i32(module.hypers.size()),
                                       i32(points_.size()),
                                       i32(model_.trainBlocks.size()),
                                       i32(0),
                                       statusText},
                                      4, sizeof(aprt_model));
    return new llvm::GlobalVariable(context_.module, value->getType(), true,
                                    llvm::GlobalValue::PrivateLinkage, value,
                                    model_.prefix + ".model");
  }

  /// const char *(aprt_status): a look-up in two tables.
  llvm::Function *emitStatusText() {
    llvm::Function *function = context_.createFunction(
        model_.prefix + "_status_text", context_.pointer(), {context_.i32()},
        llvm::GlobalValue::ExternalLinkage, FunctionCode::Guarded);
    llvm::IRBuilder<> builder(&function->getEntryBlock());
    Fields shared, own;
    for (std::string_view each : sharedStatusTexts())
      shared.push_back(context_.string(each));
    for (const StatusText &each : model_.statuses)
      own.push_back(text(each.text));
    llvm::Value *result = text("unknown status");
    result = lookup(builder, function->getArg(0), 0, shared, result);
    result = lookup(builder, function->getArg(0), kFirstModelStatus, own, result);
    builder.CreateRet(result);
    return function;
  }

  llvm::Value *lookup(llvm::IRBuilderBase &builder, llvm::Value *status, uint32_t first,
                      const Fields &texts, llvm::Value *otherwise) {
    if (texts.empty())
      return otherwise;
    llvm::Constant *all = table(texts, "status_texts");
    llvm::Value *index = builder.CreateSub(status, builder.getInt32(first));
    llvm::Value *isHere = builder.CreateICmpULT(index, builder.getInt32(texts.size()));
    index = builder.CreateSelect(isHere, index, builder.getInt32(0));
    index = builder.CreateZExt(index, builder.getInt64Ty());
    llvm::Value *found =
        builder.CreateLoad(context_.pointer(), builder.CreateGEP(context_.pointer(), all, index));
    return builder.CreateSelect(isHere, found, otherwise);
  }

  const EntryContext &context_;
  const ModelDescription &model_;
  const std::vector<EntryPoint> &points_;
  const ReflectionTexts &texts_;
};

} // namespace

void emitReflection(const EntryContext &context, const std::vector<EntryPoint> &points,
                    const ReflectionTexts &texts) {
  ReflectionEmitter(context, points, texts).emit();
}

} // namespace apr
