// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/graph.h"
#include "ir/result.h"
#include "passes/state_layout.h"

#include <string>
#include <vector>

namespace apr {

/// Raised whenever some program gets another bit than before; docs/determinism.md lists what does
/// that, and test/e2e/semantics_version.test notices.
inline constexpr uint32_t kSemanticsVersion = 1;

/// The first status of a model's own, as in aprt.h.
inline constexpr int32_t kFirstModelStatus = 64;

/// An input or result of an entry point.
struct TensorDescription {
  std::string name;
  Type type;
  ResultKind kind = ResultKind::Tensor; ///< results
  std::optional<Dim> indexLimit;        ///< inputs
};

/// A parameter of the typed C function of an entry point, in order.
struct CParameter {
  enum class Kind : uint8_t {
    Exec,
    State,
    Workspace,
    Dim,         ///< int64_t, `index` among the entry's dims
    InputScalar, ///< by value, `index` among the inputs
    InputTensor,
    Gradients,
    Hyper,
    ResultPointer, ///< `index` among the results
    Out,           ///< the out struct
  };
  Kind kind;
  std::string name;
  std::string type; ///< with the space or star before the name: "const float *"
  uint32_t index = 0;
};

/// A field of an out struct: the value of a scalar result, or where the caller wants a tensor.
struct OutField {
  std::string name;
  std::string type;
  uint32_t offset = 0;
  uint32_t result = 0;
  bool isPointer = false;
};

/// `<symbol>_out`: uint32 size, uint32 reserved, the fields, two reserved uint64.
struct OutStruct {
  std::vector<OutField> fields;
  uint32_t reservedOffset = 0;
  uint32_t bytes = 0;
};

struct EntryDescription {
  const Function *function = nullptr;
  std::string symbol;                 ///< "digits_step"
  std::optional<uint32_t> trainBlock; ///< index among the model's
  std::vector<TensorDescription> inputs;
  std::vector<TensorDescription> results; ///< role Result only
  std::vector<CParameter> parameters;
  std::optional<OutStruct> out;
  /// Offset in the workspace of the place of each result that the caller leaves null; empty where
  /// results are required, as those of plain entries are.
  std::vector<Dim> unwantedOffsets;
  Dim workspaceBytes; ///< as planned, and for unwanted results; scratch of kernels not counted
  bool writesState = false;
  bool usesGradients = false;
  int32_t firstStatus = 0; ///< status of the first of Function::checks
};

struct TrainBlockDescription {
  std::string name;
  std::string symbol; ///< of the size function: "digits_gradients"
  std::vector<GradientTensor> gradients;
  BlockLayout layout;
};

struct StatusText {
  int32_t status;
  std::string name; ///< of the macro
  std::string text;
};

/// What header, manifest, reflection table and entry points all say about a model.
struct ModelDescription {
  const Module *module = nullptr;
  std::string prefix;
  BlockLayout state;
  HyperLayout hypers;
  std::vector<EntryDescription> entries;
  std::vector<TrainBlockDescription> trainBlocks;
  std::vector<std::string> dims;    ///< of all entry points, in the order of their first use
  std::vector<StatusText> statuses; ///< the model's own
};

/// True where the typed function of an init takes a workspace, because it needs more than fits on
/// the stack.
bool initTakesWorkspace(const Function &init);

/// The module must outlive the description. The error tells of names that collide in C.
Result<ModelDescription> describeModel(const Module &module);

/// "entry", "init", "step", "grad", "apply", "eval".
std::string_view name(FunctionKind kind);
/// "tensor", "scalar", "rows", "sum", "ratio".
std::string_view name(ResultKind kind);
/// "parameter", "buffer", "optimizer", "counter".
std::string_view name(StateRole role);

} // namespace apr
