// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/elaborator.h"
#include "ir/frontend/value_size.h"
#include "ir/size_overflow.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

constexpr uint32_t kMaximumDepth = 600;
constexpr uint64_t kMaximumWork = 4'000'000;
constexpr size_t kMaximumOps = 400'000;
constexpr int64_t kMaximumRepetitions = 10'000;
constexpr size_t kShownCalls = 4;

bool isArithmetic(BinaryOp op) {
  return op == BinaryOp::Add || op == BinaryOp::Subtract || op == BinaryOp::Multiply ||
         op == BinaryOp::Divide || op == BinaryOp::Power;
}

/// Names that are always there, in the outermost scope.
std::optional<Value> builtinName(const std::string &name) {
  if (auto dtype = findDType(name); dtype && name != "bool")
    return DTypeValue{*dtype};
  if (name == "bool")
    return DTypeValue{DType::Bool};
  if (name == "pi")
    return NumberValue{Rational::pi()};
  if (name == "inf")
    return NumberValue{{}, NumberValue::Kind::Infinity};
  if (const Builtin *builtin = Elaborator::findBuiltin(name))
    return BuiltinValue{builtin};
  return std::nullopt;
}

} // namespace

Elaborator::Elaborator(const SourceManager &sources, Diagnostics &diagnostics, ModelTables &tables)
    : sources_(sources), diagnostics_(diagnostics), tables_(tables) {}

Elaborator::Guard::Guard(Elaborator &elaborator, Location location) : elaborator_(elaborator) {
  ++elaborator.depth_;
  bool isDeep = elaborator.depth_ > kMaximumDepth;
  bool isLong = ++elaborator.work_ > kMaximumWork ||
                (elaborator.context_ && elaborator.context_->graph().ops().size() > kMaximumOps);
  if (!isDeep && !isLong)
    return;
  --elaborator.depth_;
  if (isDeep)
    elaborator.fail(DiagnosticKind::TooLarge, location,
                    fmt::format("calls and expressions nest more than {} deep", kMaximumDepth));
  elaborator.fail(DiagnosticKind::TooLarge, location,
                  fmt::format("the program unfolds to more than {} operations or {} evaluations",
                              kMaximumOps, kMaximumWork));
}

Scope *Elaborator::newScope(Scope *parent) {
  scopes_.push_back({parent, {}, context_});
  return &scopes_.back();
}

void Elaborator::setDynamic(Dynamic dynamic) {
  training_ = dynamic.training;
  real_ = dynamic.real;
  instance_ = dynamic.instance;
  bindings_ = std::move(dynamic.bindings);
}

void Elaborator::report(DiagnosticKind kind, Location location, std::string message,
                        std::string hint, std::vector<DiagnosticNote> notes) {
  auto isInLibrary = [&](Location where) {
    return where.isKnown() && sources_.name(where.file).starts_with("<std>/");
  };
  // A mistake that shows inside the library was made where the user calls it.
  Location place = location;
  if (isInLibrary(location))
    for (auto call = calls_.rbegin(); call != calls_.rend() && isInLibrary(place); ++call)
      place = call->location;
  // A function is elaborated at each use and for grad and eval: once is enough.
  for (const Diagnostic &known : diagnostics_.all())
    if (known.kind == kind && known.location == place && known.message == message)
      return;
  Diagnostic &diagnostic = diagnostics_.report(kind, place, std::move(message));
  diagnostic.withHint(std::move(hint));
  if (place != location)
    diagnostic.note(location, "it shows here, in the library");
  for (DiagnosticNote &note : notes)
    diagnostic.note(note.location, std::move(note.message));
  for (size_t i = 0; i < calls_.size() && i < kShownCalls; ++i) {
    const DiagnosticNote &call = calls_[calls_.size() - 1 - i];
    if (place == location || call.location != place)
      diagnostic.note(call.location, call.message);
  }
}

void Elaborator::fail(DiagnosticKind kind, Location location, std::string message, std::string hint,
                      std::vector<DiagnosticNote> notes) {
  report(kind, location, std::move(message), std::move(hint), std::move(notes));
  throw Failed{};
}

Value Elaborator::evaluate(const Expr &expr, Scope &scope, const Expected *expected) {
  Guard guard(*this, expr.location);
  if (context_)
    context_->builder.at(expr.location);
  try {
    return evaluateNode(expr, scope, expected);
  } catch (const SizeOverflow &) {
    fail(DiagnosticKind::TooLarge, expr.location, "a size here does not fit 64 bits");
  }
}

Value Elaborator::evaluateNode(const Expr &expr, Scope &scope, const Expected *expected) {
  if (auto *name = expr.as<NameExpr>())
    return lookUp(name->name, scope, expr.location);
  if (auto *number = expr.as<NumberExpr>()) {
    Result<Rational> value = Rational::parse(number->text);
    if (!value)
      fail(DiagnosticKind::BadConstant, expr.location, value.error());
    return NumberValue{*value};
  }
  if (auto *string = expr.as<StringExpr>())
    return StringValue{string->text};
  if (auto *boolean = expr.as<BoolExpr>())
    return BoolValue{boolean->value};
  if (expr.as<NoneExpr>())
    return NoneValue{};
  if (auto *tuple = expr.as<TupleExpr>()) {
    TupleValue value;
    size_t size = 0;
    for (size_t i = 0; i < tuple->elements.size(); ++i) {
      bool isKnown = expected && i < expected->elements.size();
      path_.push_back(std::to_string(i));
      value.elements.push_back(
          snapshot(evaluate(*tuple->elements[i], scope, isKnown ? &expected->elements[i] : nullptr),
                   tuple->elements[i]->location));
      path_.pop_back();
      size += valueSize(value.elements.back());
      if (size > kMaximumValueSize)
        fail(DiagnosticKind::TooLarge, expr.location,
             fmt::format("more than {} values in one", kMaximumValueSize));
    }
    return value;
  }
  if (auto *list = expr.as<ListExpr>()) {
    ListValue value;
    size_t size = 0;
    for (size_t i = 0; i < list->elements.size(); ++i) {
      path_.push_back(std::to_string(i));
      value.elements.push_back(
          snapshot(evaluate(*list->elements[i], scope), list->elements[i]->location));
      path_.pop_back();
      size += valueSize(value.elements.back());
      if (size > kMaximumValueSize)
        fail(DiagnosticKind::TooLarge, expr.location,
             fmt::format("more than {} values in one", kMaximumValueSize));
    }
    return value;
  }
  if (auto *access = expr.as<MemberExpr>())
    return member(evaluate(*access->object, scope), access->member, expr.location);
  if (auto *call = expr.as<CallExpr>())
    return evaluateCall(*call, scope, expr.location, expected, std::nullopt);
  if (auto *indexing = expr.as<IndexExpr>())
    return index(*indexing, scope, expr.location);
  if (auto *unary = expr.as<UnaryExpr>()) {
    Value operand = evaluate(*unary->operand, scope, expected);
    return unary->op == UnaryOp::Negate ? negate(operand, expr.location)
                                        : logicalNot(operand, expr.location);
  }
  if (auto *operation = expr.as<BinaryExpr>()) {
    if (operation->op == BinaryOp::And || operation->op == BinaryOp::Or)
      return evaluateLogic(*operation, scope);
    // Operands have the result's shape, or one that broadcasts to it and is known otherwise.
    const Expected *operand = isArithmetic(operation->op) ? expected : nullptr;
    Value left = evaluate(*operation->left, scope, operand);
    Value right = evaluate(*operation->right, scope, operand);
    context_->builder.at(expr.location);
    return binary(operation->op, left, right, expr.location, operation->left->location,
                  operation->right->location);
  }
  if (auto *repeat = expr.as<RepeatExpr>())
    return evaluateRepeat(*repeat, scope, expr.location);
  if (auto *pipe = expr.as<PipeExpr>()) {
    CallArgument piped{{}, pipe->value->location, nullptr, nullptr, evaluate(*pipe->value, scope)};
    if (auto *call = pipe->call->as<CallExpr>())
      return evaluateCall(*call, scope, expr.location, expected, std::move(piped));
    Value callee = evaluate(*pipe->call, scope);
    std::vector<CallArgument> arguments;
    arguments.push_back(std::move(piped));
    return call(callee, std::move(arguments), pipe->call->location, expected);
  }
  if (auto *branch = expr.as<IfExpr>())
    return evaluateIf(*branch, scope, expected);
  if (auto *block = expr.as<BlockExpr>())
    return evaluateBlock(*block->block, scope, expected);
  const auto &function = *expr.as<FunctionExpr>();
  return FunctionsValue{"", {{function.function.get(), &scope, instance_}}};
}

/// The value that a name has now: a parameter may be written later on.
Value Elaborator::snapshot(const Value &value, Location location) {
  bool hasGraph = context_->purpose != FunctionContext::Purpose::Members;
  return hasGraph && value.is<StateValue>() ? read(value, location) : value;
}

Value Elaborator::evaluateIf(const IfExpr &branch, Scope &scope, const Expected *expected) {
  Value condition = evaluate(*branch.condition, scope);
  if (requireBool(condition, branch.condition->location, "the condition of 'if'"))
    return evaluateBlock(*branch.then, scope, expected);
  if (branch.otherwise)
    return evaluate(*branch.otherwise, scope, expected);
  return NoneValue{};
}

Value Elaborator::evaluateLogic(const BinaryExpr &expr, Scope &scope) {
  Value left = evaluate(*expr.left, scope);
  if (auto *known = left.as<BoolValue>()) {
    bool decides = expr.op == BinaryOp::Or;
    if (known->value == decides)
      return left;
    return evaluate(*expr.right, scope);
  }
  Value right = evaluate(*expr.right, scope);
  return elementwise(expr.op == BinaryOp::And ? OpKind::And : OpKind::Or, {left, right},
                     expr.opLocation, expr.op == BinaryOp::And ? "'and'" : "'or'",
                     {expr.left->location, expr.right->location});
}

Value Elaborator::evaluateCall(const CallExpr &expr, Scope &scope, Location location,
                               const Expected *expected, std::optional<CallArgument> piped) {
  Value callee = evaluate(*expr.callee, scope);
  std::vector<CallArgument> arguments;
  if (piped)
    arguments.push_back(std::move(*piped));
  for (const ArgumentExpr &argument : expr.arguments)
    arguments.push_back({argument.name ? argument.name->text : std::string(),
                         argument.value->location, argument.value.get(), &scope, std::nullopt});
  return call(callee, std::move(arguments), location, expected);
}

Value Elaborator::evaluateRepeat(const RepeatExpr &repeat, Scope &scope, Location location) {
  Value count = evaluate(*repeat.count, scope);
  int64_t times = requireInt(count, repeat.count->location, "the count of a repetition");
  if (times < 0 || times > kMaximumRepetitions)
    fail(DiagnosticKind::TooLarge, repeat.count->location,
         fmt::format("a repetition count lies between 0 and {}, found {}", kMaximumRepetitions,
                     times));
  ChainValue chain;
  size_t size = 0;
  for (int64_t i = 0; i < times; ++i) {
    path_.push_back(std::to_string(i));
    chain.parts.push_back(evaluate(*repeat.constructor, scope));
    path_.pop_back();
    size += valueSize(chain.parts.back());
    if (size > kMaximumValueSize)
      fail(DiagnosticKind::TooLarge, location,
           fmt::format("more than {} values in one", kMaximumValueSize));
    if (!chain.parts.back().is<InstanceValue>() && !chain.parts.back().is<ChainValue>())
      fail(DiagnosticKind::KindMismatch, location,
           fmt::format("'x' repeats a constructor's call, found {}", describe(chain.parts.back())));
  }
  chain.names.resize(chain.parts.size());
  return chain;
}

Value Elaborator::evaluateBody(const Body &body, Scope &scope, const Expected *expected) {
  return body.expr ? evaluate(*body.expr, scope, expected)
                   : evaluateBlock(*body.block, scope, expected);
}

namespace {

void poisonPattern(const Pattern &pattern, Scope &scope) {
  if (pattern.elements.empty())
    scope.names[pattern.name] = PoisonValue{};
  for (const Pattern &element : pattern.elements)
    poisonPattern(element, scope);
}

} // namespace

Value Elaborator::evaluateBlock(const Block &block, Scope &outer, const Expected *expected) {
  return evaluateStatements(block, *newScope(&outer), expected);
}

Value Elaborator::evaluateStatements(const Block &block, Scope &scope, const Expected *expected) {
  Value result = NoneValue{};
  size_t errors = diagnostics_.errorCount();
  bool hasFailed = false;
  auto path = path_;
  auto bindings = bindings_;
  for (size_t i = 0; i < block.statements.size(); ++i) {
    const Stmt &stmt = block.statements[i];
    try {
      auto *last = i + 1 == block.statements.size() ? stmt.as<ExprStmt>() : nullptr;
      if (last)
        result = evaluate(*last->value, scope, expected);
      else
        execute(stmt, scope);
    } catch (const Failed &) {
      hasFailed = true;
      path_ = path;
      bindings_ = bindings;
      if (auto *let = stmt.as<LetStmt>())
        poisonPattern(let->pattern, scope);
      else if (auto *state = stmt.as<StateStmt>())
        scope.names[state->name.text] = PoisonValue{};
    }
  }
  if (hasFailed || (errors != diagnostics_.errorCount() && result.is<PoisonValue>()))
    throw Failed{};
  return result;
}

void Elaborator::execute(const Stmt &stmt, Scope &scope) {
  Guard guard(*this, stmt.location);
  // What a train block or an optimizer declares happens once, not once per step of a scan.
  if (hook_ && !context_->asRegion() && hook_(stmt, scope))
    return;
  if (auto *let = stmt.as<LetStmt>())
    return executeLet(*let, scope, stmt.location);
  if (auto *assignment = stmt.as<AssignStmt>()) {
    return assign(*assignment->target, evaluate(*assignment->value, scope), scope);
  }
  if (auto *expression = stmt.as<ExprStmt>()) {
    evaluate(*expression->value, scope);
    return;
  }
  if (auto *expectation = stmt.as<ExpectStmt>()) {
    Value value = evaluate(*expectation->condition, scope);
    if (!requireBool(value, expectation->condition->location, "what is expected"))
      fail(DiagnosticKind::ExpectFailed, expectation->condition->location,
           "what is expected here does not hold");
    return;
  }
  if (context_->asRegion())
    fail(DiagnosticKind::MisplacedStatement, stmt.location,
         "this statement cannot stand inside the body of a 'scan' or a 'with gradient'",
         "return the value from the body and use it outside");
  fail(DiagnosticKind::MisplacedStatement, stmt.location,
       stmt.as<StateStmt>() ? "'state' stands only in an optimizer"
                            : "this statement stands only in a train block");
}

void Elaborator::executeLet(const LetStmt &let, Scope &scope, Location location) {
  Expected expected;
  Signature signature{"let", &scope, &scope, location, Signature::Free::Infer, {}, {}};
  if (let.type)
    expected = expectedOf(*let.type, signature);
  std::string name = let.pattern.name;
  for (const Pattern &element : let.pattern.elements)
    if (name.empty() && element.name != "_")
      name = element.name;
  bindings_.push_back(name);
  path_.push_back(name);
  Value value = evaluate(*let.value, scope, let.type ? &expected : nullptr);
  path_.pop_back();
  bindings_.pop_back();
  value = read(value, let.value->location);
  if (let.type) {
    value = matchValue(*let.type, value, signature, let.value->location, fmt::format("'{}'", name));
    checkDeferred(signature);
  }
  nameValues(let.pattern, value);
  bindPattern(let.pattern, value, scope, let.value->location);
}

/// A tensor carries the first name it is bound to into the IR.
void Elaborator::nameValues(const Pattern &pattern, const Value &value) {
  if (auto *tuple = value.as<TupleValue>();
      tuple && tuple->elements.size() == pattern.elements.size())
    for (size_t i = 0; i < pattern.elements.size(); ++i)
      nameValues(pattern.elements[i], tuple->elements[i]);
  auto *tensor = value.as<TensorValue>();
  if (!tensor || tensor->owner != context_ || !pattern.elements.empty())
    return;
  apr::Value &target = context_->graph().value(tensor->id);
  if (target.name.empty())
    target.name = pattern.name;
}

void Elaborator::bindPattern(const Pattern &pattern, const Value &value, Scope &scope,
                             Location location) {
  if (pattern.elements.empty()) {
    if (pattern.name != "_")
      scope.names[pattern.name] = value;
    return;
  }
  if (value.is<PoisonValue>())
    throw Failed{};
  const std::vector<Value> *elements = nullptr;
  if (auto *tuple = value.as<TupleValue>())
    elements = &tuple->elements;
  else if (auto *list = value.as<ListValue>())
    elements = &list->elements;
  if (!elements || elements->size() != pattern.elements.size())
    fail(DiagnosticKind::KindMismatch, location,
         elements
             ? fmt::format("{} names for a tuple of {}", pattern.elements.size(), elements->size())
             : fmt::format("{} names for {}", pattern.elements.size(), describe(value)),
         {}, {{pattern.location, "the names are here"}});
  for (size_t i = 0; i < pattern.elements.size(); ++i)
    bindPattern(pattern.elements[i], (*elements)[i], scope, location);
}

Value Elaborator::lookUp(const std::string &name, Scope &scope, Location location) {
  if (Value *found = scope.find(name)) {
    if (found->is<PoisonValue>())
      throw Failed{};
    return *found;
  }
  if (name == "training")
    return BoolValue{training_};
  if (name == "real")
    return DTypeValue{real_};
  if (auto builtin = builtinName(name))
    return *builtin;
  failUnknownName(name, scope, location);
}

void Elaborator::failUnknownName(const std::string &name, Scope &scope, Location location) {
  if (instance_ && instance_->members.contains(name))
    fail(DiagnosticKind::UnknownName, location, fmt::format("'{}' is declared further down", name),
         "members see the members above them");
  std::vector<std::string> candidates{"training", "real", "pi", "inf"};
  for (Scope *level = &scope; level; level = level->parent)
    for (const auto &[known, value] : level->names)
      candidates.push_back(known);
  for (const Builtin &builtin : builtins())
    candidates.emplace_back(builtin.name);
  auto closest = closestName(name, candidates);
  fail(DiagnosticKind::UnknownName, location, fmt::format("no '{}' is known here", name),
       closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
}

} // namespace apr::frontend
