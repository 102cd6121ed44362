// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statements, members and items, each kept as a function that makes its part of the tree.
#include "ir/frontend/model_builder.h"

#include "ir/frontend/compile_tree.h"
#include "ir/frontend/model_maker.h"

#include <algorithm>

namespace apr::model {

using frontend::Stmt;

namespace {

/// Adds a statement; `parts` are the expressions in it.
template <typename Make>
void add(Block &block, Where where, std::initializer_list<uint32_t> depths, Make make) {
  for (uint32_t depth : depths)
    block.depth = std::max(block.depth, depth);
  block.sources.push_back([make, where](Maker &maker) {
    Maker::Place place(maker, where);
    return Stmt{maker.locate(where), make(maker)};
  });
}

uint32_t depthOf(const std::vector<Expr> &list) {
  uint32_t depth = 0;
  for (const Expr &expr : list)
    depth = std::max(depth, expr.depth());
  return depth;
}

Expr bound(const Pattern &pattern, Where where) {
  return Expr(pattern.elements.empty() ? pattern.name : "_", where);
}

} // namespace

// ---- statements ----

Expr Block::bind(const Pattern &pattern, std::optional<Type> type, const Expr &value, Where where) {
  add(*this, where, {value.depth()}, [pattern, type = std::move(type), value](Maker &maker) {
    frontend::LetStmt let{maker.pattern(pattern), maker.type(type), nullptr};
    let.value = maker.expr(value);
    return let;
  });
  return bound(pattern, where);
}

Expr Block::let(const Pattern &pattern, const Expr &value, Where where) {
  return bind(pattern, std::nullopt, value, where);
}

Expr Block::let(const Pattern &pattern, const Type &type, const Expr &value, Where where) {
  return bind(pattern, type, value, where);
}

Expr Block::keep(const std::string &name, std::optional<Type> type, const Expr &value,
                 Where where) {
  add(*this, where, {value.depth()}, [name, type = std::move(type), value, where](Maker &maker) {
    frontend::StateStmt state{maker.name(name, where), maker.type(type), nullptr};
    state.value = maker.expr(value);
    return state;
  });
  return Expr(name, where);
}

Expr Block::state(const std::string &name, const Expr &value, Where where) {
  return keep(name, std::nullopt, value, where);
}

Expr Block::state(const std::string &name, const Type &type, const Expr &value, Where where) {
  return keep(name, type, value, where);
}

void Block::assign(const Expr &target, const Expr &value, Where where) {
  add(*this, where, {target.depth(), value.depth()}, [target, value](Maker &maker) {
    frontend::AssignStmt assign{maker.expr(target), nullptr};
    assign.value = maker.expr(value);
    return assign;
  });
}

void Block::value(const Expr &value, Where where) {
  add(*this, where, {value.depth()},
      [value](Maker &maker) { return frontend::ExprStmt{maker.expr(value)}; });
}

void Block::expect(const Expr &condition, Where where) {
  add(*this, where, {condition.depth()},
      [condition](Maker &maker) { return frontend::ExpectStmt{maker.expr(condition)}; });
}

Block &Block::doc(std::string text) {
  doc_ = std::move(text);
  return *this;
}

void Block::report(const std::string &name, Where where) {
  add(*this, where, {}, [name, where, doc = std::exchange(doc_, {})](Maker &maker) {
    return frontend::ReportStmt{maker.name(name, where), nullptr, doc};
  });
}

void Block::report(const std::string &name, const Expr &value, Where where) {
  add(*this, where, {value.depth()},
      [name, value, where, doc = std::exchange(doc_, {})](Maker &maker) {
        return frontend::ReportStmt{maker.name(name, where), maker.expr(value), doc};
      });
}

void Block::minimize(const Expr &value, std::vector<Expr> over, Where where) {
  add(*this, where, {value.depth(), depthOf(over)}, [value, over](Maker &maker) {
    frontend::MinimizeStmt minimize{maker.expr(value), {}};
    minimize.over = maker.exprs(over);
    return minimize;
  });
}

void Block::descend(const Expr &gradients, Where where) {
  add(*this, where, {gradients.depth()},
      [gradients](Maker &maker) { return frontend::DescendStmt{maker.expr(gradients)}; });
}

void Block::use(const Expr &transform, std::vector<Expr> on, Where where) {
  add(*this, where, {transform.depth(), depthOf(on)}, [transform, on](Maker &maker) {
    frontend::UsingStmt use{maker.expr(transform), {}};
    use.on = maker.exprs(on);
    return use;
  });
}

void Block::after(const Body &body, Where where) {
  add(*this, where, {model::depthOf(body)},
      [body](Maker &maker) { return frontend::AfterStmt{maker.block(body)}; });
}

void Block::update(Parameters parameters, const Body &body, Rows rows, Where where) {
  add(*this, where, {model::depthOf(body)}, [parameters, body, rows](Maker &maker) {
    frontend::UpdateStmt update{rows == Rows::Read, maker.parameters(parameters), nullptr};
    update.block = maker.block(body);
    return update;
  });
}

// ---- members ----

Layer &Layer::doc(std::string text) {
  doc_ = std::move(text);
  return *this;
}

Expr Layer::bind(const std::string &name, std::optional<Type> type, const Expr &value,
                 Where where) {
  doc_.clear();
  sources.push_back([name, type = std::move(type), value, where](Maker &maker) {
    Maker::Place place(maker, where);
    frontend::Binding binding{maker.name(name, where), maker.type(type), nullptr};
    binding.value = maker.expr(value);
    return frontend::Member{maker.locate(where), std::move(binding)};
  });
  return Expr(name, where);
}

Expr Layer::let(const std::string &name, const Expr &value, Where where) {
  return bind(name, std::nullopt, value, where);
}

Expr Layer::let(const std::string &name, const Type &type, const Expr &value, Where where) {
  return bind(name, type, value, where);
}

Expr Layer::keep(Kept kind, const std::string &name, const Type &type, const Expr &start,
                 Where where) {
  sources.push_back([kind, name, type, start, where, doc = takeDoc()](Maker &maker) {
    Maker::Place place(maker, where);
    frontend::StateMember member;
    member.kind = static_cast<frontend::StateMember::Kind>(kind);
    member.name = maker.name(name, where);
    member.type = maker.type(type);
    member.start = maker.expr(start);
    member.doc = doc;
    return frontend::Member{maker.locate(where), std::move(member)};
  });
  return Expr(name, where);
}

Expr Layer::param(const std::string &name, const Type &type, const Expr &start, Where where) {
  return keep(Kept::Param, name, type, start, where);
}

Expr Layer::buffer(const std::string &name, const Type &type, const Expr &start, Where where) {
  return keep(Kept::Buffer, name, type, start, where);
}

void Layer::freeze(std::vector<Expr> paths, Where where) {
  sources.push_back([paths, where](Maker &maker) {
    return frontend::Member{maker.locate(where), frontend::FreezeMember{maker.exprs(paths)}};
  });
}

namespace {

/// A declared function; what `withGradient` says later belongs to it.
frontend::FunctionDecl declared(Maker &maker, const std::string &name, const Parameters &parameters,
                                const std::optional<Type> &result, const Body &body,
                                const FunctionGradient *gradient, const std::string &doc,
                                Where where) {
  Maker::Place place(maker, where);
  frontend::FunctionDecl function = maker.function(name, parameters, result, body, where);
  function.doc = doc;
  if (gradient && gradient->body) {
    function.gradientParameters = maker.parameters(*gradient->parameters);
    function.gradient = maker.body(*gradient->body);
  }
  return function;
}

} // namespace

FunctionGradient &Layer::fn(const std::string &name, Parameters parameters,
                            std::optional<Type> result, const Body &body, Where where) {
  gradients_.push_back({});
  const FunctionGradient *gradient = &gradients_.back();
  sources.push_back([=, doc = takeDoc()](Maker &maker) {
    return frontend::Member{maker.locate(where),
                            declared(maker, name, parameters, result, body, gradient, doc, where)};
  });
  return gradients_.back();
}

FunctionGradient &Layer::call(Parameters parameters, std::optional<Type> result, const Body &body,
                              Where where) {
  return fn("", std::move(parameters), std::move(result), body, where);
}

void Layer::entry(const std::string &name, Parameters parameters, std::optional<Type> result,
                  const Body &body, Where where) {
  sources.push_back([=, doc = takeDoc()](Maker &maker) {
    return frontend::Member{maker.locate(where),
                            frontend::EntryMember{declared(maker, name, parameters, result, body,
                                                           nullptr, doc, where)}};
  });
}

void Layer::train(const std::string &name, Parameters parameters, const Body &body,
                  std::optional<Expr> shards, Where where) {
  sources.push_back([=, doc = takeDoc()](Maker &maker) {
    Maker::Place place(maker, where);
    frontend::TrainMember train;
    train.location = maker.locate(where);
    train.doc = doc;
    train.name = maker.name(name, where);
    train.parameters = maker.parameters(parameters);
    train.shards = maker.expr(shards);
    train.block = std::move(*maker.block(body));
    return frontend::Member{train.location, std::move(train)};
  });
}

// ---- items ----

Program &Program::doc(std::string text) {
  doc_ = std::move(text);
  return *this;
}

void Program::import(const std::string &path, std::vector<std::string> names, Where where) {
  items_.push_back([path, names, where](Maker &maker) {
    frontend::Import import{maker.locate(where), path, maker.locate(where), {}};
    for (const std::string &name : names)
      import.names.push_back(maker.name(name, where));
    return frontend::Item{maker.locate(where), std::move(import)};
  });
}

Expr Program::let(const std::string &name, const Expr &value, Where where) {
  items_.push_back([name, value, where](Maker &maker) {
    frontend::Binding binding{maker.name(name, where), nullptr, nullptr};
    binding.value = maker.expr(value);
    return frontend::Item{maker.locate(where), std::move(binding)};
  });
  return Expr(name, where);
}

FunctionGradient &Program::fn(const std::string &name, Parameters parameters,
                              std::optional<Type> result, const Body &body, Where where) {
  gradients_.push_back({});
  const FunctionGradient *gradient = &gradients_.back();
  items_.push_back([=, doc = std::exchange(doc_, {})](Maker &maker) {
    return frontend::Item{maker.locate(where),
                          declared(maker, name, parameters, result, body, gradient, doc, where)};
  });
  return gradients_.back();
}

Layer &Program::declare(bool isModel, const std::string &name, Parameters parameters, Where where) {
  layers_.push_back({});
  const Layer *layer = &layers_.back();
  items_.push_back([=, doc = std::exchange(doc_, {})](Maker &maker) {
    Maker::Place place(maker, where);
    frontend::Layer made;
    made.location = maker.locate(where);
    made.doc = doc;
    made.isModel = isModel;
    made.name = maker.name(name, where);
    made.parameters = maker.parameters(parameters);
    for (const Layer::Source &source : layer->sources)
      made.members.push_back(source(maker));
    return frontend::Item{made.location, std::move(made)};
  });
  return layers_.back();
}

Layer &Program::layer(const std::string &name, Parameters parameters, Where where) {
  return declare(false, name, std::move(parameters), where);
}

Layer &Program::model(const std::string &name, Parameters parameters, Where where) {
  return declare(true, name, std::move(parameters), where);
}

void Program::optimizer(const std::string &name, Parameters parameters, const Body &rules,
                        Where where) {
  items_.push_back([=, doc = std::exchange(doc_, {})](Maker &maker) {
    Maker::Place place(maker, where);
    frontend::Optimizer made;
    made.location = maker.locate(where);
    made.doc = doc;
    made.name = maker.name(name, where);
    made.parameters = maker.parameters(parameters);
    made.rules = std::move(maker.block(rules)->statements);
    return frontend::Item{made.location, std::move(made)};
  });
}

void Program::test(const std::string &title, const Body &body, Where where) {
  items_.push_back([title, body, where](Maker &maker) {
    Maker::Place place(maker, where);
    frontend::Test test{maker.locate(where), title, std::move(*maker.block(body))};
    return frontend::Item{test.location, std::move(test)};
  });
}

std::optional<frontend::File> Program::make(SourceManager &sources,
                                            Diagnostics &diagnostics) const {
  Maker maker(sources, diagnostics);
  frontend::File file;
  file.id = sources.add("<program>", "");
  try {
    for (const auto &item : items_)
      file.items.push_back(item(maker));
  } catch (const Maker::TooLarge &) {
    return std::nullopt;
  }
  return file;
}

std::optional<Module> Program::compile(SourceManager &sources, Diagnostics &diagnostics,
                                       const FrontendOptions &options) const {
  auto file = make(sources, diagnostics);
  if (!file)
    return std::nullopt;
  return frontend::compileTree(sources, std::move(*file), diagnostics, options);
}

std::string Program::dump(SourceManager &sources, Diagnostics &diagnostics) const {
  auto file = make(sources, diagnostics);
  return file ? frontend::dumpAst(*file) : std::string();
}

} // namespace apr::model
