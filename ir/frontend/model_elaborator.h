// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/elaborator.h"
#include "ir/frontend/frontend.h"

namespace apr::frontend {

/// Lowers one model: makes its instances, then one function after another.
class ModelElaborator {
public:
  ModelElaborator(Elaborator &elaborator, ModelTables &tables, Diagnostics &diagnostics,
                  const FrontendOptions &options)
      : elaborator_(elaborator), tables_(tables), diagnostics_(diagnostics), options_(options) {}

  /// Values for the model's header that win over --set.
  void setHeader(std::map<std::string, Value> header) { header_ = std::move(header); }

  /// Nothing where an error was reported.
  std::optional<Module> run(const Layer &model, Scope *fileScope);

private:
  /// A `using` line, with the scope it stands in.
  struct UsingLine {
    const UsingStmt *stmt;
    Scope *scope;
    Location location;
  };
  /// A `minimize` or `descend` and the `using` lines under it.
  struct Pipeline {
    Location location;
    std::vector<uint32_t> states;
    std::vector<ValueId> gradients; ///< in the grad function
    /// Per state: where an optimizer updates it row by row, which rows the step reads (bool[rows]).
    std::vector<std::optional<ValueId>> touched;
    std::vector<UsingLine> lines;
  };
  /// An `after` block, with the scope it stands in.
  struct AfterPart {
    const Block *block;
    Scope *scope;
    Location location;
  };
  struct ReportEntry {
    std::string name;
    Value value;
    Location location;
    bool isMinimized = false; ///< comes before the others among the results
  };
  /// What running a train block's statements gave.
  struct TrainBody {
    std::vector<ReportEntry> reports;
    std::vector<Pipeline> pipelines;
    std::vector<AfterPart> after;
    bool hasGoal = false; ///< a minimize or descend stands above, though it may have failed
  };
  /// A `using` line whose callee and arguments are known.
  struct PreparedLine {
    const UsingLine *line;
    Value callee;
    std::vector<std::pair<const Parameter *, CallArgument>> arguments;
    std::vector<CallArgument> positional; ///< of callees without a declaration
    std::string group;
  };
  /// A state of an optimizer while its rules run.
  struct OptimizerState {
    uint32_t index;
    Scope *scope;
    std::string name;
  };
  /// Where `state` declarations go.
  struct StateOwner {
    std::string prefix; ///< "step.rest"
    std::string suffix; ///< the parameter's name, or empty
    std::optional<Type> type;
    std::vector<OptimizerState> states;
  };
  struct Member {
    const EntryMember *entry = nullptr;
    const TrainMember *train = nullptr;
    Scope *scope = nullptr;
  };

  void checkFunctionNames();
  void bindHeader(const Layer &model, Instance &instance);
  std::optional<Value> setting(const Parameter &parameter);
  void addHyper(std::string name, DType dtype, double value, std::string doc, Location location);
  void addCounter(std::string name, Location location);
  FunctionContext &open(FunctionContext::Purpose purpose, std::string name, FunctionKind kind,
                        std::string trainBlock, std::string doc, Location location);
  void close();
  void checkSizes(const Graph &graph);
  void bindInputs(const std::vector<Parameter> &parameters, Signature &signature);
  void lowerEntry(const EntryMember &entry, Scope *scope);
  void addEntryResults(const Value &value, Location location);
  void lowerTrain(const TrainMember &train, Scope *scope);
  TrainBody runBody(const TrainMember &train, Scope *scope);
  bool trainStatement(const Stmt &stmt, Scope &scope, TrainBody &body);
  void minimize(const MinimizeStmt &stmt, Scope &scope, Location location, TrainBody &body);
  void descend(const DescendStmt &stmt, Scope &scope, Location location, TrainBody &body);
  void addReport(TrainBody &body, std::string name, Value value, Location location);
  void emitReports(const TrainBody &body);
  void emitReport(const ReportEntry &report);
  ValueId reportRatio(const TupleValue &pair, const ReportEntry &report);
  ValueId meanOfRows(TensorValue rows);
  /// The answer where no input has rows.
  enum class WithoutRows : uint8_t { No, Yes };
  bool hasInputRows(const Type &type, WithoutRows otherwise);
  bool isRowValues(const Type &type);
  std::optional<ValueId> reportRows(const ReportEntry &report);
  void addGradients(TrainBody &body, const std::vector<uint32_t> &written);
  void declareShards(const TrainMember &train, Scope &scope);
  void checkShards(const TrainMember &train, const TrainBody &body);
  void divideRows(apr::Function &grad, Location location);
  void runAfter(const TrainBody &body);
  void findRowUpdates(Pipeline &pipeline);
  bool isReadByRows(uint32_t state);
  ValueId touchedRows(uint32_t state);
  const Optimizer *optimizerOf(const UsingLine &line, uint32_t state);
  void lowerApply(const TrainMember &train, const TrainBody &body,
                  const std::vector<uint32_t> &written);
  PreparedLine prepare(const UsingLine &line);
  void tellGroupsApart(std::vector<PreparedLine> &lines);
  void nameHypers(std::vector<PreparedLine> &lines, const std::string &block);
  /// By state: the rows that a step reads.
  using RowMasks = std::map<uint32_t, ValueId>;
  void applyLine(PreparedLine &line, const std::string &block, bool isShared,
                 std::vector<std::pair<uint32_t, Value>> &leaves, const RowMasks &masks);
  bool covers(const UsingLine &line, uint32_t state);
  void runOptimizer(const Optimizer &optimizer, Scope *scope, PreparedLine &line,
                    const std::string &prefix,
                    const std::vector<std::pair<uint32_t, Value>> &leaves, const RowMasks &masks);
  void runUpdate(const UpdateStmt &update, Scope &scope, uint32_t state, const Value &gradient,
                 StateOwner &owner, Location location);
  void keepUntouched(const StateOwner &owner, uint32_t state, ValueId before, ValueId mask,
                     size_t firstOp, Location location);
  bool declareOptimizerState(const Stmt &stmt, Scope &scope, StateOwner &owner);
  void writeBack(const StateOwner &owner, Location location);
  void lowerInit(const Layer &model);
  void checkStreams(const Module &module);

  Elaborator &elaborator_;
  ModelTables &tables_;
  Diagnostics &diagnostics_;
  const FrontendOptions &options_;
  std::map<std::string, Value> header_;
  Instance *model_ = nullptr;
  DType real_ = DType::F32;
  std::vector<Member> members_;
  std::vector<std::unique_ptr<FunctionContext>> contexts_;
  std::vector<apr::Function> functions_;
  bool failed_ = false;
};

/// A state may be descended on more than once: its gradients are `name`, then `name#2`.
std::string gradientName(const std::string &state, uint32_t count);

} // namespace apr::frontend
