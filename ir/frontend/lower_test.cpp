// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tests: statements run as in a function, and each `expect` adds results to it. test_models.cpp has
// the models and layers that a test makes.
#include "ir/frontend/lower_test_impl.h"

#include "ir/frontend/operators.h"

#include <fmt/format.h>

namespace apr::frontend {

namespace {

bool isComparison(BinaryOp op) { return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual; }

/// A value that the compiler knows, as short as it goes.
std::string valueText(const Value &value) {
  if (auto *number = value.as<NumberValue>(); number && number->kind == NumberValue::Kind::Finite)
    return number->value.str();
  return describe(value);
}

} // namespace

TestElaborator::TestElaborator(const SourceManager &sources, Diagnostics &diagnostics,
                               const TestOptions &options)
    : sources_(sources), diagnostics_(diagnostics), options_(options),
      elaborator_(sources, diagnostics, tables_) {}

TestElaborator::~TestElaborator() = default;

LoweredTest TestElaborator::run(const Test &test, Scope *fileScope) {
  lowered_ = {test.title, test.location, std::nullopt, {}};
  size_t errors = diagnostics_.errorCount();
  apr::Function function;
  function.name = "test";
  function.doc = test.title;
  function.location = test.location;
  members_ =
      std::make_unique<FunctionContext>(FunctionContext::Purpose::Members, function, tables_);
  context_ = std::make_unique<FunctionContext>(FunctionContext::Purpose::Test, std::move(function),
                                               tables_);
  elaborator_.setContext(context_.get());
  elaborator_.setDynamic({false, DType::F32, nullptr, {}});
  elaborator_.setTestHost(this);
  elaborator_.setStatementHook([this](const Stmt &stmt, Scope &scope) {
    auto *expectation = stmt.as<ExpectStmt>();
    if (expectation)
      expectStatement(*expectation, scope);
    return expectation != nullptr;
  });
  try {
    elaborator_.evaluateBlock(test.block, *fileScope, nullptr);
  } catch (const Failed &) {
    return std::move(lowered_);
  }
  if (errors == diagnostics_.errorCount())
    lowered_.function = context_->finish();
  return std::move(lowered_);
}

/// A model is called and a condition recorded where the test's own statements run, not in the steps
/// of a scan.
void TestElaborator::requireTopLevel(Location location) {
  if (&elaborator_.context() != context_.get())
    elaborator_.fail(DiagnosticKind::MisplacedStatement, location,
                     "this stands in a test itself, not in a function of 'scan' or a gradient");
}

void TestElaborator::expectStatement(const ExpectStmt &stmt, Scope &scope) {
  const Expr &condition = *stmt.condition;
  std::vector<Value> compared;
  Value value = evaluateCondition(condition, scope, compared);
  if (auto *known = value.as<BoolValue>()) {
    Expectation expectation;
    expectation.location = condition.location;
    expectation.holds = known->value;
    if (compared.size() == 2)
      expectation.message =
          fmt::format("left {}, right {}", valueText(compared[0]), valueText(compared[1]));
    lowered_.expectations.push_back(std::move(expectation));
    return;
  }
  addVerdict(condition, value, compared);
}

/// The condition's value; a comparison also shows its sides, `close(a, b, …)` its arguments.
Value TestElaborator::evaluateCondition(const Expr &condition, Scope &scope,
                                        std::vector<Value> &compared) {
  if (auto *operation = condition.as<BinaryExpr>(); operation && isComparison(operation->op)) {
    Value left = elaborator_.evaluate(*operation->left, scope);
    Value right = elaborator_.evaluate(*operation->right, scope);
    compared = {left, right};
    return elaborator_.binary(operation->op, left, right, condition.location,
                              operation->left->location, operation->right->location);
  }
  auto *call = condition.as<CallExpr>();
  auto *name = call ? call->callee->as<NameExpr>() : nullptr;
  if (!name || name->name != "close")
    return elaborator_.evaluate(condition, scope);
  std::vector<CallArgument> arguments;
  for (const ArgumentExpr &argument : call->arguments) {
    CallArgument given{argument.name ? argument.name->text : std::string(),
                       argument.value->location, argument.value.get(), &scope, std::nullopt};
    Value value = elaborator_.evaluateArgument(given, nullptr);
    if (compared.size() < 2)
      compared.push_back(std::move(value));
    arguments.push_back(std::move(given));
  }
  return elaborator_.call(elaborator_.evaluate(*call->callee, scope), std::move(arguments),
                          condition.location, nullptr);
}

size_t TestElaborator::addResult(ValueId value, std::string name) {
  context_->addResult(value, ResultRole::Result, std::move(name), ResultKind::Tensor);
  return context_->function.results.size() - 1;
}

void TestElaborator::addVerdict(const Expr &condition, const Value &value,
                                const std::vector<Value> &compared) {
  requireTopLevel(condition.location);
  auto *tensor = value.as<TensorValue>();
  if (!tensor || tensor->type.dtype != DType::Bool)
    elaborator_.fail(DiagnosticKind::KindMismatch, condition.location,
                     fmt::format("what is expected must be a condition, found {}", describe(value)),
                     "compare it: 'expect a == b', 'expect close(a, b)'");
  Expectation expectation;
  expectation.location = condition.location;
  size_t number = lowered_.expectations.size();
  expectation.verdict = addResult(tensor->id, fmt::format("expect{}", number));
  auto show = [&](ValueId id, std::string_view side) {
    return addResult(id, fmt::format("expect{}.{}", number, side));
  };
  if (condition.as<BinaryExpr>() && compared.size() == 2) {
    // The operands of the comparison have one dtype and shape already.
    std::vector<ValueId> operands = context_->graph().definition(tensor->id)->operands;
    expectation.left = show(operands[0], "left");
    expectation.right = show(operands[1], "right");
  } else if (compared.size() == 2) {
    DType dtype = elaborator_.real();
    for (const Value &side : compared)
      if (auto *known = side.as<TensorValue>(); known && !known->isWeak)
        dtype = known->type.dtype;
    std::vector<TensorValue> sides;
    for (const Value &side : compared)
      sides.push_back(elaborator_.requireTensor(elaborator_.read(side, condition.location), dtype,
                                                condition.location, "what is expected"));
    elaborator_.unifyOperands(sides, condition.location, "'close'");
    expectation.left = show(sides[0].id, "left");
    expectation.right = show(sides[1].id, "right");
  }
  lowered_.expectations.push_back(std::move(expectation));
}

} // namespace apr::frontend
