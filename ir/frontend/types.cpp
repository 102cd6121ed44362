// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of signatures and annotations: matching values against them, left to right, which binds
// dim and dtype variables.
#include "ir/frontend/elaborator.h"
#include "ir/frontend/number_hints.h"

#include <algorithm>
#include <fmt/format.h>

namespace apr::frontend {

namespace {

constexpr std::string_view kKinds[] = {"int", "ints", "str", "dtype", "fn", "tensors"};

/// A dim as the source writes it.
std::string dimText(const Expr &expr) {
  if (auto *name = expr.as<NameExpr>())
    return name->name;
  if (auto *number = expr.as<NumberExpr>())
    return number->text;
  if (auto *binary = expr.as<BinaryExpr>()) {
    std::string_view op = binary->op == BinaryOp::Add           ? "+"
                          : binary->op == BinaryOp::Subtract    ? "-"
                          : binary->op == BinaryOp::Multiply    ? "*"
                          : binary->op == BinaryOp::Divide      ? "/"
                          : binary->op == BinaryOp::FloorDivide ? "//"
                                                                : "?";
    return fmt::format("{} {} {}", dimText(*binary->left), op, dimText(*binary->right));
  }
  return "…";
}

void collectNames(const Expr &expr, std::vector<const Expr *> &out) {
  if (expr.as<NameExpr>()) {
    out.push_back(&expr);
  } else if (auto *binary = expr.as<BinaryExpr>()) {
    collectNames(*binary->left, out);
    collectNames(*binary->right, out);
  } else if (auto *unary = expr.as<UnaryExpr>()) {
    collectNames(*unary->operand, out);
  } else if (auto *call = expr.as<CallExpr>()) {
    for (const ArgumentExpr &argument : call->arguments)
      collectNames(*argument.value, out);
  } else if (auto *indexing = expr.as<IndexExpr>()) {
    collectNames(*indexing->object, out);
  }
}

/// A name is a variable of a type unless it stands for something that a type can mention.
bool isBound(Scope &scope, const std::string &name) {
  Value *value = scope.find(name);
  return value && !value->is<LayerValue>() && !value->is<OptimizerValue>() &&
         !value->is<FunctionsValue>() && !value->is<InstanceValue>();
}

ListValue listOf(const Shape &shape) {
  ListValue list;
  for (const Dim &dim : shape) {
    if (auto known = dim.asConstant())
      list.elements.emplace_back(NumberValue{Rational(*known)});
    else
      list.elements.emplace_back(DimValue{dim});
  }
  return list;
}

std::string restKey(const DimExpr &dim) { return dim.restName.empty() ? ".." : dim.restName; }

/// A rest's list: variables of this signature, or a named one from around it.
Value *findRest(const DimExpr &dim, Signature &signature) {
  bool isAnnotation = signature.scope == signature.definition;
  if (dim.restName.empty() && !isAnnotation)
    return signature.scope->findHere("..");
  return signature.scope->find(restKey(dim));
}

} // namespace

bool Elaborator::isKind(const TypeExpr &type) {
  if (!type.fields.empty())
    return false;
  if (type.name == "bool")
    return !type.hasBrackets;
  return std::find(std::begin(kKinds), std::end(kKinds), type.name) != std::end(kKinds);
}

bool Elaborator::isVariableName(std::string_view name) {
  return !name.empty() && name[0] >= 'A' && name[0] <= 'Z';
}

// ---- dtypes ----

std::optional<DType> Elaborator::tryDType(const TypeExpr &type, Signature &signature) {
  if (auto dtype = findDType(type.name))
    return dtype;
  if (Value *known = signature.scope->find(type.name)) {
    auto *dtype = known->as<DTypeValue>();
    if (!dtype)
      fail(DiagnosticKind::UnknownName, type.location,
           fmt::format("'{}' is {}, not a type", type.name, describe(*known)));
    return dtype->dtype;
  }
  if (type.name == "real" && signature.scope == signature.definition)
    return real_;
  if (type.name == "real" || isVariableName(type.name))
    return std::nullopt;
  std::vector<std::string> candidates{"f32",  "f64", "i32",   "i64", "u8",   "bool",   "int",
                                      "ints", "str", "dtype", "fn",  "real", "tensors"};
  auto closest = closestName(type.name, candidates);
  fail(DiagnosticKind::UnknownName, type.location, fmt::format("no type '{}' is known", type.name),
       closest ? fmt::format("did you mean '{}'?", *closest) : std::string());
}

void Elaborator::bindDType(const TypeExpr &type, DType actual, Signature &signature,
                           Location location, const std::string &what, bool isWeak) {
  auto known = tryDType(type, signature);
  if (isWeak)
    return;
  if (!known && (type.name != "real" || isFloat(actual))) {
    signature.scope->names[type.name] = DTypeValue{actual};
    signature.boundAt[type.name] = location;
    return;
  }
  if (known == actual)
    return;
  std::string expected = known ? std::string(name(*known)) : "f32 or f64";
  fail(DiagnosticKind::DTypeMismatch, location,
       fmt::format("{} must be of dtype {}, found {}", what, expected, name(actual)),
       fmt::format("convert it: '{}(…)'", known ? name(*known) : "real"),
       {{type.location, "the type is declared here"}});
}

// ---- dims ----

std::optional<Dim> Elaborator::tryDim(const Expr &expr, Signature &signature) {
  std::vector<const Expr *> names;
  collectNames(expr, names);
  for (const Expr *mention : names) {
    const std::string &name = mention->as<NameExpr>()->name;
    if (isVariableName(name) && !isBound(*signature.scope, name))
      return std::nullopt;
  }
  Value value = evaluate(expr, *signature.scope);
  if (auto *number = value.as<NumberValue>(); number && !asDim(value)) {
    auto hint =
        hintForQuotient(expr, [&](const Expr &part) { return evaluate(part, *signature.scope); });
    if (!hint.empty())
      fail(DiagnosticKind::BadConstant, expr.location,
           fmt::format("a dim must be a whole number, found {}", number->value.str()), hint);
  }
  Dim dim = requireDim(value, expr.location, "a dim");
  if (auto known = dim.asConstant(); known && *known < 0)
    fail(DiagnosticKind::BadConstant, expr.location, fmt::format("a dim of {}", *known));
  return dim;
}

void Elaborator::openVariables(const Expr &expr, Signature &signature) {
  std::vector<const Expr *> names;
  collectNames(expr, names);
  for (const Expr *mention : names) {
    const std::string &name = mention->as<NameExpr>()->name;
    if (!isVariableName(name) || isBound(*signature.scope, name))
      continue;
    signature.scope->names[name] = DimValue{Dim::variable(name)};
    context_->addDim(name);
  }
}

/// Binds the one unbound variable of a linear expression; false where the form is another.
bool Elaborator::solveDim(const Expr &expr, const Dim &actual, Signature &signature,
                          Location location) {
  if (auto *name = expr.as<NameExpr>()) {
    signature.scope->names[name->name] = actual.isConstant()
                                             ? Value(NumberValue{Rational(*actual.asConstant())})
                                             : Value(DimValue{actual});
    signature.boundAt[name->name] = location;
    return true;
  }
  auto *binary = expr.as<BinaryExpr>();
  if (!binary)
    return false;
  auto left = tryDim(*binary->left, signature);
  auto right = tryDim(*binary->right, signature);
  if (!left && !right)
    return false;
  const Expr &unknown = left ? *binary->right : *binary->left;
  const Dim &known = left ? *left : *right;
  switch (binary->op) {
  case BinaryOp::Add:
    return solveDim(unknown, actual - known, signature, location);
  case BinaryOp::Subtract:
    return solveDim(unknown, left ? known - actual : actual + known, signature, location);
  case BinaryOp::Multiply: {
    if (auto quotient = actual.dividedExactlyBy(known))
      return solveDim(unknown, *quotient, signature, location);
    if (actual.isConstant() && known.isConstant())
      return false;
    if (known.asConstant() == 0)
      return false;
    Dim quotient = Dim::floorDivide(actual, known);
    context_->addCheck(DimCheck::Kind::Zero, actual - quotient * known,
                       fmt::format("{} must be a multiple of {}", actual.str(), known.str()),
                       location);
    return solveDim(unknown, quotient, signature, location);
  }
  default:
    return false;
  }
}

void Elaborator::matchDim(const DimExpr &dim, const Dim &actual, Signature &signature,
                          Location location, const std::string &what, bool mayDefer) {
  auto known = tryDim(*dim.expr, signature);
  if (!known) {
    if (solveDim(*dim.expr, actual, signature, location))
      return;
    if (mayDefer) {
      signature.deferred.push_back({&dim, actual, location, what});
      return;
    }
    fail(DiagnosticKind::UnknownShape, dim.location,
         fmt::format("'{}' cannot be found out from {}", dimText(*dim.expr), actual.str()));
  }
  if (*known == actual)
    return;
  std::string hint;
  if (!actual.isConstant() && known->isConstant())
    hint = fmt::format("{} is open: the program must hold for every size of it", actual.str());
  std::vector<DiagnosticNote> notes{
      {dim.location, fmt::format("{} is required here", known->str())}};
  fail(DiagnosticKind::ShapeMismatch, location,
       fmt::format("{}: size {} where {} is required", what, actual.str(), known->str()), hint,
       std::move(notes));
}

void Elaborator::checkDeferred(Signature &signature) {
  auto deferred = std::move(signature.deferred);
  signature.deferred.clear();
  for (const Signature::Deferred &item : deferred)
    matchDim(*item.expr, item.actual, signature, item.location, item.what, false);
}

void Elaborator::matchDims(const TypeExpr &type, const Shape &actual, Signature &signature,
                           Location location, const std::string &what, const TensorValue *tensor) {
  auto rest = std::find_if(type.dims.begin(), type.dims.end(),
                           [](const DimExpr &dim) { return dim.isRest; });
  bool hasRest = rest != type.dims.end();
  auto mismatch = [&] {
    Type found = tensor ? tensor->type : Type{tryDType(type, signature).value_or(real_), actual};
    failMismatch(type, str(found), signature, location, what, tensor);
  };
  size_t fixed = type.dims.size() - (hasRest ? 1 : 0);
  if (hasRest ? actual.size() < fixed : actual.size() != fixed)
    mismatch();
  // Known dims are compared first, so that a mismatch shows both whole shapes.
  size_t skipped = actual.size() - fixed;
  size_t before = static_cast<size_t>(rest - type.dims.begin());
  for (size_t i = 0; i < type.dims.size(); ++i) {
    if (type.dims[i].isRest)
      continue;
    const Dim &size = actual[i > before ? i - 1 + skipped : i];
    auto known = tryDim(*type.dims[i].expr, signature);
    if (known && *known != size)
      mismatch();
    // A plain variable binds at its first place.
    if (!known)
      matchDim(type.dims[i], size, signature, location, what, true);
  }
  if (!hasRest)
    return;
  Shape middle(actual.begin() + static_cast<std::ptrdiff_t>(before),
               actual.begin() + static_cast<std::ptrdiff_t>(before + skipped));
  if (Value *known = findRest(*rest, signature)) {
    if (requireShape(*known, rest->location) != middle)
      mismatch();
    return;
  }
  signature.scope->names[restKey(*rest)] = listOf(middle);
  signature.boundAt[restKey(*rest)] = location;
}

void Elaborator::failMismatch(const TypeExpr &type, const std::string &found, Signature &signature,
                              Location location, const std::string &what,
                              const TensorValue *tensor) {
  std::vector<DiagnosticNote> notes;
  notes.push_back(
      {type.location, fmt::format("{} is required here", describeType(type, signature))});
  if (tensor)
    addOrigin(notes, *tensor, "the value");
  std::vector<const Expr *> names;
  for (const DimExpr &dim : type.dims) {
    auto bound = signature.boundAt.find(dim.isRest ? restKey(dim) : std::string());
    if (bound != signature.boundAt.end())
      notes.push_back(
          {bound->second,
           fmt::format("'{}' comes from here", dim.restName.empty() ? ".." : ".." + dim.restName)});
    if (dim.expr)
      collectNames(*dim.expr, names);
  }
  for (const Expr *mention : names) {
    const std::string &name = mention->as<NameExpr>()->name;
    auto bound = signature.boundAt.find(name);
    Value *value = signature.scope->find(name);
    auto size = value ? asDim(*value) : std::nullopt;
    if (bound != signature.boundAt.end() && size)
      notes.push_back({bound->second, fmt::format("{} = {} comes from here", name, size->str())});
  }
  if (signature.instance && signature.instance->location.isKnown())
    notes.push_back(
        {signature.instance->location, fmt::format("'{}' is made here", signature.instance->path)});
  std::string hint;
  if (tensor && !type.dims.empty() && type.dims.back().expr)
    if (auto last = tryDim(*type.dims.back().expr, signature))
      hint = hintForChannels(tensor->type.shape, *last);
  fail(DiagnosticKind::ShapeMismatch, location,
       fmt::format("{} must be {}, found {}", what, describeType(type, signature), found), hint,
       std::move(notes));
}

std::string Elaborator::describeType(const TypeExpr &type, Signature &signature) {
  if (!type.fields.empty()) {
    std::string text = "(";
    for (const TypeField &field : type.fields)
      text += (text.size() > 1 ? ", " : "") + describeType(*field.type, signature);
    return text + ")";
  }
  if (isKind(type))
    return type.name;
  auto dtype = tryDType(type, signature);
  std::string text(dtype ? name(*dtype) : type.name);
  std::string dims;
  auto append = [&](const std::string &dim) { dims += (dims.empty() ? "" : ",") + dim; };
  for (const DimExpr &dim : type.dims) {
    if (!dim.isRest) {
      auto known = tryDim(*dim.expr, signature);
      append(known ? known->str() : dimText(*dim.expr));
      continue;
    }
    Value *known = findRest(dim, signature);
    if (!known)
      append(".." + dim.restName);
    else
      for (const Dim &size : requireShape(*known, dim.location))
        append(size.str());
  }
  return dims.empty() ? text : fmt::format("{}[{}]", text, dims);
}

// ---- expectations ----

Expected Elaborator::expectedOf(const TypeExpr &type, Signature &signature) {
  Expected expected;
  if (!type.fields.empty()) {
    for (const TypeField &field : type.fields)
      expected.elements.push_back(expectedOf(*field.type, signature));
    return expected;
  }
  if (isKind(type))
    return expected;
  if (Value *named = signature.scope->find(type.name); named && named->is<LayerValue>())
    return expected;
  expected.dtype = tryDType(type, signature);
  Shape shape;
  for (const DimExpr &dim : type.dims) {
    if (dim.isRest) {
      Value *known = findRest(dim, signature);
      if (!known)
        return expected;
      Shape rest = requireShape(*known, dim.location);
      shape.insert(shape.end(), rest.begin(), rest.end());
      continue;
    }
    auto known = tryDim(*dim.expr, signature);
    if (!known)
      return expected;
    shape.push_back(*known);
  }
  if (expected.dtype)
    expected.type = Type{*expected.dtype, std::move(shape)};
  return expected;
}

void Elaborator::matchExpected(const TypeExpr &type, const Expected &expected,
                               Signature &signature) {
  if (!type.fields.empty()) {
    for (size_t i = 0; i < type.fields.size() && i < expected.elements.size(); ++i)
      matchExpected(*type.fields[i].type, expected.elements[i], signature);
    return;
  }
  if (isKind(type) || expectedOf(type, signature).type)
    return;
  if (expected.type)
    matchTensor(type, *expected.type, signature, signature.call,
                fmt::format("the result of '{}'", signature.name));
}

Type Elaborator::resolveType(const TypeExpr &type, Signature &signature) {
  if (isKind(type) || !type.fields.empty())
    fail(DiagnosticKind::KindMismatch, type.location, "a tensor type is needed here");
  auto dtype = tryDType(type, signature);
  if (!dtype && type.name == "real")
    dtype = real_;
  if (!dtype)
    fail(DiagnosticKind::UnknownShape, type.location,
         fmt::format("the dtype '{}' is not known here", type.name));
  Type result{*dtype, {}};
  for (const DimExpr &dim : type.dims) {
    if (dim.isRest) {
      Value *known = findRest(dim, signature);
      if (!known)
        fail(DiagnosticKind::UnknownShape, dim.location, "the number of axes must be known here",
             "name the axes: 'real[B, 64]'");
      Shape rest = requireShape(*known, dim.location);
      result.shape.insert(result.shape.end(), rest.begin(), rest.end());
      continue;
    }
    if (signature.free == Signature::Free::OpenDims)
      openVariables(*dim.expr, signature);
    auto known = tryDim(*dim.expr, signature);
    if (!known)
      fail(DiagnosticKind::UnknownShape, dim.location,
           fmt::format("'{}' is not known here", dimText(*dim.expr)),
           "declare it as 'name: int' in the header, or write a number");
    result.shape.push_back(*known);
  }
  return result;
}

} // namespace apr::frontend
