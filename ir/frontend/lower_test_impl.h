// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/lower_test.h"
#include "ir/frontend/model_elaborator.h"
#include "ir/frontend/test_host.h"

namespace apr::frontend {

/// A model that a test has made: its functions, and its state as values of the test's graph.
struct TestModel {
  std::string name; ///< what the test calls it, for messages
  const Layer *declaration = nullptr;
  Module module;
  std::map<std::string, ValueId, std::less<>> state;
};

/// Lowers one test.
class TestElaborator : public TestHost {
public:
  TestElaborator(const SourceManager &sources, Diagnostics &diagnostics,
                 const TestOptions &options);
  ~TestElaborator() override;

  LoweredTest run(const Test &test, Scope *fileScope);

  Value construct(const LayerValue &layer, std::vector<CallArgument> arguments,
                  Location location) override;
  Value member(const TestModelValue &object, const Name &name, Location location) override;
  Value call(const TestModelValue &callee, std::vector<CallArgument> arguments, Location location,
             const Expected *expected) override;

private:
  // lower_test.cpp
  void expectStatement(const ExpectStmt &stmt, Scope &scope);
  Value evaluateCondition(const Expr &condition, Scope &scope, std::vector<Value> &compared);
  void addVerdict(const Expr &condition, const Value &value, const std::vector<Value> &compared);
  size_t addResult(ValueId value, std::string name);
  void requireTopLevel(Location location);

  // test_models.cpp
  Value constructLayer(const LayerValue &layer, std::vector<CallArgument> arguments,
                       Location location);
  Value constructModel(const LayerValue &layer, std::vector<CallArgument> arguments,
                       Location location);
  void startStates(size_t first);
  Value inlineFunction(TestModel &model, const Function &function, const DimBindings &dims,
                       const std::map<std::string, ValueId, std::less<>> &inputs,
                       Location location);

  const SourceManager &sources_;
  Diagnostics &diagnostics_;
  const TestOptions &options_;
  ModelTables tables_;
  Elaborator elaborator_;
  std::unique_ptr<FunctionContext> members_;
  std::unique_ptr<FunctionContext> context_;
  std::deque<TestModel> models_;
  uint32_t unnamed_ = 0; ///< instances made outside a `let`
  LoweredTest lowered_;
};

} // namespace apr::frontend
