// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/frontend.h"
#include "ir/frontend/model_expr.h"

#include <deque>
#include <utility>

namespace apr::frontend {
struct File;
struct Item;
struct Member;
struct Stmt;
} // namespace apr::frontend

namespace apr::model {

/// Statements of a function, train block, optimizer or test. What binds a name returns it.
class Block {
public:
  Expr let(const Pattern &pattern, const Expr &value, Where where = Where::current());
  Expr let(const Pattern &pattern, const Type &type, const Expr &value,
           Where where = Where::current());
  /// `state name = value`, in optimizers.
  Expr state(const std::string &name, const Expr &value, Where where = Where::current());
  Expr state(const std::string &name, const Type &type, const Expr &value,
             Where where = Where::current());
  /// `target <- value`
  void assign(const Expr &target, const Expr &value, Where where = Where::current());
  /// An expression; the last one is the block's value.
  void value(const Expr &value, Where where = Where::current());
  void expect(const Expr &condition, Where where = Where::current());

  // Train blocks.
  /// Documentation of the report that comes next.
  Block &doc(std::string text);
  void report(const std::string &name, Where where = Where::current());
  void report(const std::string &name, const Expr &value, Where where = Where::current());
  void minimize(const Expr &value, std::vector<Expr> over = {}, Where where = Where::current());
  void descend(const Expr &gradients, Where where = Where::current());
  /// `using transform on paths`
  void use(const Expr &transform, std::vector<Expr> on = {}, Where where = Where::current());
  void after(const Body &body, Where where = Where::current());

  // Optimizers.
  enum class Rows : uint8_t { All, Read };
  /// `update(p, g) { … }`, or with Rows::Read `update row(p, g) { … }`.
  void update(Parameters parameters, const Body &body, Rows rows = Rows::All,
              Where where = Where::current());

  using Source = std::function<frontend::Stmt(Maker &)>;
  std::vector<Source> sources;
  uint32_t depth = 1; ///< of the deepest expression

private:
  Expr bind(const Pattern &pattern, std::optional<Type> type, const Expr &value, Where where);
  Expr keep(const std::string &name, std::optional<Type> type, const Expr &value, Where where);

  std::string doc_;
};

/// A function with a gradient of its own: `program.fn(…).withGradient({"g"}, …)`.
struct FunctionGradient {
  std::optional<Parameters> parameters;
  std::optional<Body> body;
  void withGradient(Parameters given, Body with) {
    parameters = std::move(given);
    body = std::move(with);
  }
};

/// Members of a layer or model, in order.
class Layer {
public:
  /// Documentation of the member that is declared next: the `##` lines above it.
  Layer &doc(std::string text);
  /// `name = value`: a sub-layer or a compile-time value.
  Expr let(const std::string &name, const Expr &value, Where where = Where::current());
  Expr let(const std::string &name, const Type &type, const Expr &value,
           Where where = Where::current());
  Expr param(const std::string &name, const Type &type, const Expr &start,
             Where where = Where::current());
  Expr buffer(const std::string &name, const Type &type, const Expr &start,
              Where where = Where::current());
  void freeze(std::vector<Expr> paths, Where where = Where::current());
  /// A function; without a name the layer's own call.
  FunctionGradient &fn(const std::string &name, Parameters parameters, std::optional<Type> result,
                       const Body &body, Where where = Where::current());
  FunctionGradient &call(Parameters parameters, std::optional<Type> result, const Body &body,
                         Where where = Where::current());
  void entry(const std::string &name, Parameters parameters, std::optional<Type> result,
             const Body &body, Where where = Where::current());
  void train(const std::string &name, Parameters parameters, const Body &body,
             std::optional<Expr> shards = {}, Where where = Where::current());

  using Source = std::function<frontend::Member(Maker &)>;
  std::vector<Source> sources;

private:
  Expr bind(const std::string &name, std::optional<Type> type, const Expr &value, Where where);
  enum class Kept : uint8_t { Param, Buffer };
  Expr keep(Kept kind, const std::string &name, const Type &type, const Expr &start, Where where);
  std::string takeDoc() { return std::exchange(doc_, {}); }

  std::string doc_;
  std::deque<FunctionGradient> gradients_;
};

/// A file of the language, written in C++. It is elaborated by the frontend as source text is, so
/// the same program gives the same IR and the same messages, at places in the C++ source.
class Program {
public:
  /// Documentation of the item that is declared next.
  Program &doc(std::string text);
  void import(const std::string &path, std::vector<std::string> names,
              Where where = Where::current());
  Expr let(const std::string &name, const Expr &value, Where where = Where::current());
  FunctionGradient &fn(const std::string &name, Parameters parameters, std::optional<Type> result,
                       const Body &body, Where where = Where::current());
  Layer &layer(const std::string &name, Parameters parameters = {}, Where where = Where::current());
  Layer &model(const std::string &name, Parameters parameters = {}, Where where = Where::current());
  void optimizer(const std::string &name, Parameters parameters, const Body &rules,
                 Where where = Where::current());
  void test(const std::string &title, const Body &body, Where where = Where::current());

  /// As `compileModel` of a file. `sources` gets the C++ files that messages name.
  std::optional<Module> compile(SourceManager &sources, Diagnostics &diagnostics,
                                const FrontendOptions &options = {}) const;
  /// The syntax tree, as `dumpSyntaxTree` prints it.
  std::string dump(SourceManager &sources, Diagnostics &diagnostics) const;

  /// The file's tree; nothing where it is nested too deeply, which is reported.
  std::optional<frontend::File> make(SourceManager &sources, Diagnostics &diagnostics) const;

private:
  Layer &declare(bool isModel, const std::string &name, Parameters parameters, Where where);

  std::vector<std::function<frontend::Item(Maker &)>> items_;
  std::deque<Layer> layers_;
  std::deque<FunctionGradient> gradients_;
  std::string doc_;
};

} // namespace apr::model
