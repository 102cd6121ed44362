// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/frontend/check_names.h"

#include "ir/frontend/elaborator.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace apr::frontend {

namespace {

/// The names of a block, function or layer, inside those around it.
struct Known {
  const Known *outer = nullptr;
  std::set<std::string, std::less<>> names;
};

class NameChecker {
public:
  NameChecker(Scope &scope, Diagnostics &diagnostics) : scope_(scope), diagnostics_(diagnostics) {}

  void check(const File &file) {
    Known top;
    for (const Item &item : file.items) {
      if (auto *function = item.as<FunctionDecl>())
        check(*function, top);
      else if (auto *layer = item.as<Layer>())
        check(*layer, top);
      else if (auto *optimizer = item.as<Optimizer>())
        check(*optimizer, top);
      else if (auto *test = item.as<Test>())
        check(test->block, top);
    }
  }

private:
  // ---- names ----

  bool isKnown(std::string_view name, const Known &known) const {
    for (const Known *level = &known; level; level = level->outer)
      if (level->names.contains(name))
        return true;
    static constexpr std::string_view always[] = {"training", "real", "pi", "inf", "_"};
    return scope_.find(name) || std::ranges::count(always, name) != 0 || findDType(name) ||
           Elaborator::findBuiltin(name);
  }

  void require(const std::string &name, Location location, const Known &known) {
    if (isKnown(name, known) || !reported_.insert({location.line, location.column}).second)
      return;
    if (later_.contains(name)) {
      diagnostics_
          .report(DiagnosticKind::UnknownName, location,
                  fmt::format("'{}' is declared further down", name))
          .withHint("members see the members above them");
      return;
    }
    std::vector<std::string> candidates{"training", "real"};
    for (const Known *level = &known; level; level = level->outer)
      candidates.insert(candidates.end(), level->names.begin(), level->names.end());
    for (const Scope *level = &scope_; level; level = level->parent)
      for (const auto &[other, value] : level->names)
        candidates.push_back(other);
    for (const Builtin &builtin : Elaborator::builtins())
      candidates.emplace_back(builtin.name);
    auto closest = closestName(name, candidates);
    diagnostics_
        .report(DiagnosticKind::UnknownName, location, fmt::format("no '{}' is known here", name))
        .withHint(closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
  }

  static void declare(const Pattern &pattern, Known &known) {
    known.names.insert(pattern.name);
    for (const Pattern &element : pattern.elements)
      declare(element, known);
  }

  /// A capital name in a type is a variable where nothing else has that name.
  void checkType(const TypeExpr *type, Known &known) {
    if (!type)
      return;
    for (const TypeField &field : type->fields)
      checkType(field.type.get(), known);
    if (Elaborator::isVariableName(type->name))
      known.names.insert(type->name);
    for (const DimExpr &dim : type->dims) {
      if (dim.isRest)
        known.names.insert(dim.restName);
      else
        declareVariables(*dim.expr, known);
    }
    for (const DimExpr &dim : type->dims)
      if (!dim.isRest)
        check(*dim.expr, known);
  }

  static void declareVariables(const Expr &expr, Known &known) {
    if (auto *name = expr.as<NameExpr>(); name && Elaborator::isVariableName(name->name))
      known.names.insert(name->name);
    if (auto *binary = expr.as<BinaryExpr>()) {
      declareVariables(*binary->left, known);
      declareVariables(*binary->right, known);
    }
  }

  // ---- declarations ----

  void checkParameters(const std::vector<Parameter> &parameters, Known &known) {
    for (const Parameter &parameter : parameters) {
      checkType(parameter.type.get(), known);
      check(parameter.defaultValue.get(), known);
      declare(parameter.pattern, known);
    }
  }

  void check(const FunctionDecl &function, const Known &outer) {
    Known known{&outer, {}};
    checkParameters(function.parameters, known);
    checkType(function.result.get(), known);
    if (function.gradient)
      checkParameters(function.gradientParameters, known);
    check(function.body, known);
    if (!function.gradient)
      return;
    // The gradient sees what the body binds.
    if (function.body.block)
      for (const Stmt &stmt : function.body.block->statements)
        if (auto *let = stmt.as<LetStmt>())
          declare(let->pattern, known);
    check(*function.gradient, known);
  }

  void check(const Body &body, const Known &known) {
    check(body.expr.get(), known);
    if (body.block)
      check(*body.block, known);
  }

  static std::string nameOf(const Member &member) {
    if (auto *binding = member.as<Binding>())
      return binding->name.text;
    if (auto *state = member.as<StateMember>())
      return state->name.text;
    if (auto *function = member.as<FunctionDecl>())
      return function->name;
    auto *entry = member.as<EntryMember>();
    return entry ? entry->function.name : std::string();
  }

  void check(const Layer &layer, const Known &outer) {
    Known known{&outer, {"self"}};
    checkParameters(layer.parameters, known);
    for (const Member &member : layer.members)
      later_.insert(nameOf(member));
    for (const Member &member : layer.members) {
      const std::string name = nameOf(member);
      if (member.as<FunctionDecl>() || member.as<EntryMember>())
        known.names.insert(name);
      check(member, known);
      known.names.insert(name);
    }
    later_.clear();
  }

  void check(const Member &member, const Known &known) {
    if (auto *binding = member.as<Binding>()) {
      check(binding->value.get(), known);
    } else if (auto *state = member.as<StateMember>()) {
      Known inner{&known, {}};
      checkType(state->type.get(), inner);
      check(state->start.get(), known);
    } else if (auto *freeze = member.as<FreezeMember>()) {
      for (const ExprPtr &path : freeze->paths)
        check(path.get(), known);
    } else if (auto *function = member.as<FunctionDecl>()) {
      check(*function, known);
    } else if (auto *entry = member.as<EntryMember>()) {
      check(entry->function, known);
    } else if (auto *train = member.as<TrainMember>()) {
      Known inner{&known, {"step"}};
      checkParameters(train->parameters, inner);
      check(train->shards.get(), known);
      check(train->block, inner);
    }
  }

  void check(const Optimizer &optimizer, const Known &outer) {
    Known known{&outer, {}};
    checkParameters(optimizer.parameters, known);
    for (const Stmt &rule : optimizer.rules)
      check(rule, known);
  }

  // ---- statements ----

  void check(const Block &block, const Known &outer) {
    Known known{&outer, {}};
    for (const Stmt &stmt : block.statements)
      check(stmt, known);
  }

  void check(const Stmt &stmt, Known &known) {
    if (auto *let = stmt.as<LetStmt>()) {
      checkType(let->type.get(), known);
      check(let->value.get(), known);
      declare(let->pattern, known);
    } else if (auto *state = stmt.as<StateStmt>()) {
      checkType(state->type.get(), known);
      check(state->value.get(), known);
      known.names.insert(state->name.text);
    } else if (auto *assignment = stmt.as<AssignStmt>()) {
      check(assignment->target.get(), known);
      check(assignment->value.get(), known);
    } else if (auto *report = stmt.as<ReportStmt>()) {
      if (report->value)
        check(report->value.get(), known);
      else
        require(report->name.text, report->name.location, known);
    } else if (auto *goal = stmt.as<MinimizeStmt>()) {
      check(goal->value.get(), known);
      for (const ExprPtr &path : goal->over)
        check(path.get(), known);
    } else if (auto *direction = stmt.as<DescendStmt>()) {
      check(direction->value.get(), known);
    } else if (auto *use = stmt.as<UsingStmt>()) {
      check(use->transform.get(), known);
      for (const ExprPtr &path : use->on)
        check(path.get(), known);
    } else if (auto *expectation = stmt.as<ExpectStmt>()) {
      check(expectation->condition.get(), known);
    } else if (auto *after = stmt.as<AfterStmt>()) {
      check(*after->block, known);
    } else if (auto *update = stmt.as<UpdateStmt>()) {
      Known inner{&known, {}};
      checkParameters(update->parameters, inner);
      check(*update->block, inner);
    } else if (auto *expression = stmt.as<ExprStmt>()) {
      check(expression->value.get(), known);
    }
  }

  // ---- expressions ----

  void check(const Expr *expr, const Known &known) {
    if (expr)
      check(*expr, known);
  }

  void checkAll(const std::vector<ExprPtr> &expressions, const Known &known) {
    for (const ExprPtr &expression : expressions)
      check(*expression, known);
  }

  void check(const Expr &expr, const Known &known) {
    if (auto *name = expr.as<NameExpr>())
      return require(name->name, expr.location, known);
    if (auto *tuple = expr.as<TupleExpr>())
      return checkAll(tuple->elements, known);
    if (auto *list = expr.as<ListExpr>())
      return checkAll(list->elements, known);
    if (auto *access = expr.as<MemberExpr>())
      return check(*access->object, known);
    if (auto *call = expr.as<CallExpr>()) {
      check(*call->callee, known);
      for (const ArgumentExpr &argument : call->arguments)
        check(*argument.value, known);
    } else if (auto *indexing = expr.as<IndexExpr>()) {
      check(*indexing->object, known);
      for (const Index &index : indexing->indices) {
        check(index.first.get(), known);
        check(index.last.get(), known);
        check(index.stride.get(), known);
      }
    } else if (auto *unary = expr.as<UnaryExpr>()) {
      check(*unary->operand, known);
    } else if (auto *binary = expr.as<BinaryExpr>()) {
      check(*binary->left, known);
      check(*binary->right, known);
    } else if (auto *repeat = expr.as<RepeatExpr>()) {
      check(*repeat->count, known);
      check(*repeat->constructor, known);
    } else if (auto *pipe = expr.as<PipeExpr>()) {
      check(*pipe->value, known);
      check(*pipe->call, known);
    } else if (auto *branch = expr.as<IfExpr>()) {
      check(*branch->condition, known);
      check(*branch->then, known);
      check(branch->otherwise.get(), known);
    } else if (auto *block = expr.as<BlockExpr>()) {
      check(*block->block, known);
    } else if (auto *function = expr.as<FunctionExpr>()) {
      check(*function->function, known);
    }
  }

  Scope &scope_;
  Diagnostics &diagnostics_;
  std::set<std::string> later_; ///< members of the layer that is being checked
  std::set<std::pair<uint32_t, uint32_t>> reported_;
};

} // namespace

void checkNames(const File &file, Scope &scope, Diagnostics &diagnostics) {
  NameChecker(scope, diagnostics).check(file);
}

} // namespace apr::frontend
