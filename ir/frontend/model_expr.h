// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <variant>
#include <vector>

namespace apr::frontend {
struct Expr;
}

/// The language in C++: values that stand for expressions, types and statements of a model.
/// model_builder.h puts them together; docs/builder.md is the guide.
namespace apr::model {

class Maker;
class Block;
class Expr;

/// Where a part of a model was written, for messages.
using Where = std::source_location;

/// The name of a function, layer or optimizer, with the place where it is used.
struct Callee {
  Callee(const char *name, Where where = Where::current()) : name(name), where(where) {}
  Callee(std::string name, Where where = Where::current()) : name(std::move(name)), where(where) {}
  std::string name;
  Where where;
};

struct Argument;
struct Index;

/// An expression; it may be used in several places. Text is a name, or a path of members: "x",
/// "fc1.weight". Numbers are the exact decimals that C++ prints for them, so that 1e-3 is one
/// thousandth.
class Expr {
public:
  Expr(const char *path, Where where = Where::current());
  Expr(const std::string &path, Where where = Where::current()) : Expr(path.c_str(), where) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Expr(T value, Where where = Where::current())
      : Expr(integer(static_cast<int64_t>(value), where)) {}
  template <std::floating_point T>
  Expr(T value, Where where = Where::current())
      : Expr(decimal(static_cast<double>(value), where)) {}
  template <std::same_as<bool> T>
  Expr(T value, Where where = Where::current()) : Expr(boolean(value, where)) {}

  /// `f(a, b, "lr"_a = 0.1)`
  template <typename... Arguments> Expr operator()(Arguments &&...arguments) const;
  Expr callWith(std::vector<Argument> arguments) const;
  /// `x[i]`
  Expr operator[](Index index) const;
  /// `x[i, a:b, .., none]`
  template <typename... Indices> Expr at(Indices &&...indices) const;
  Expr indexWith(std::vector<Index> indices) const;
  /// `x.name`
  Expr member(const std::string &name) const;

  const Where &where() const { return where_; }
  uint32_t depth() const { return depth_; }

  // How the builder makes them; `make` gives the frontend's node.
  using Source = std::function<std::unique_ptr<frontend::Expr>(Maker &)>;
  Expr(Source source, uint32_t childDepth, Where where);
  std::unique_ptr<frontend::Expr> make(Maker &maker) const;

private:
  static Expr integer(int64_t value, Where where);
  static Expr decimal(double value, Where where);
  static Expr boolean(bool value, Where where);

  std::shared_ptr<const Source> source_;
  uint32_t depth_ = 1;
  Where where_;
};

// ---- operators, as the language has them ----

Expr operator+(const Expr &a, const Expr &b);
Expr operator-(const Expr &a, const Expr &b);
Expr operator*(const Expr &a, const Expr &b);
Expr operator/(const Expr &a, const Expr &b);
Expr operator%(const Expr &a, const Expr &b);
Expr operator==(const Expr &a, const Expr &b);
Expr operator!=(const Expr &a, const Expr &b);
Expr operator<(const Expr &a, const Expr &b);
Expr operator<=(const Expr &a, const Expr &b);
Expr operator>(const Expr &a, const Expr &b);
Expr operator>=(const Expr &a, const Expr &b);
Expr operator&&(const Expr &a, const Expr &b);
Expr operator||(const Expr &a, const Expr &b);
Expr operator!(const Expr &a);
Expr operator-(const Expr &a);
/// `a |> f`
Expr operator|(const Expr &a, const Expr &f);
/// `a // b`
Expr floorDivide(const Expr &a, const Expr &b);
/// `a ** b`
Expr power(const Expr &a, const Expr &b);
/// `a @ b`
Expr matmul(const Expr &a, const Expr &b);
/// `n x Layer(…)`
Expr repeat(const Expr &count, const Expr &constructor);

// ---- primaries ----

Expr none(Where where = Where::current());
/// A string; plain text would be a name.
Expr str(const std::string &text, Where where = Where::current());
Expr tuple(std::vector<Expr> elements, Where where = Where::current());
Expr list(std::vector<Expr> elements, Where where = Where::current());

/// An argument of a call: an expression, or `"name"_a = expression`.
struct Argument {
  Argument(Expr value) : value(std::move(value)) {}
  Argument(std::string name, Expr value) : name(std::move(name)), value(std::move(value)) {}
  std::string name;
  Expr value;
};
struct ArgumentName {
  std::string name;
  Argument operator=(const Expr &value) const { return {name, value}; }
};
inline ArgumentName operator""_a(const char *name, size_t) { return {name}; }

/// An index: an expression, a slice, or `rest()`.
struct Index {
  enum class Kind : uint8_t { Element, Slice, Rest };
  Index(Expr value) : first(std::move(value)) {}
  template <typename T>
    requires(std::convertible_to<T, Expr> && !std::same_as<std::remove_cvref_t<T>, Expr>)
  Index(T &&value, Where where = Where::current()) : first(Expr(std::forward<T>(value), where)) {}
  explicit Index(Kind kind) : kind(kind) {}
  Kind kind = Kind::Element;
  std::optional<Expr> first;
  std::optional<Expr> last;
  std::optional<Expr> stride;
};
/// `first : last : stride`, each of which may be left out.
Index slice(std::optional<Expr> first = {}, std::optional<Expr> last = {},
            std::optional<Expr> stride = {});

/// `function(arguments…)`: a call of a function, layer or optimizer by name.
template <typename... Arguments> Expr call(const Callee &callee, Arguments &&...arguments) {
  return Expr(callee.name, callee.where)(std::forward<Arguments>(arguments)...);
}

/// What is written inside a template stands, for messages, where the template is used.
template <typename Part, typename T> Part partAt(T &&value, const Where &where) {
  using Given = std::remove_cvref_t<T>;
  if constexpr (std::convertible_to<T, Expr> && !std::same_as<Given, Expr>)
    return Part(Expr(std::forward<T>(value), where));
  else
    return Part(std::forward<T>(value));
}

template <typename... Arguments> Expr Expr::operator()(Arguments &&...arguments) const {
  return callWith({partAt<Argument>(std::forward<Arguments>(arguments), where_)...});
}
template <typename... Indices> Expr Expr::at(Indices &&...indices) const {
  return indexWith({partAt<Index>(std::forward<Indices>(indices), where_)...});
}

// ---- types ----

/// `..name` in a type, or `..` in an index.
struct Rest {
  std::string name;
  operator Index() const { return Index(Index::Kind::Rest); }
};
inline Rest rest(std::string name = {}) { return {std::move(name)}; }

struct Dim {
  Dim(Expr size) : size(std::move(size)) {}
  template <typename T>
    requires(std::convertible_to<T, Expr> && !std::same_as<std::remove_cvref_t<T>, Expr>)
  Dim(T &&size, Where where = Where::current()) : size(Expr(std::forward<T>(size), where)) {}
  Dim(Rest rest) : rest(std::move(rest)) {}
  std::optional<Expr> size;
  std::optional<Rest> rest;
};

/// A type: a dtype, a kind or a layer by name, dims in brackets, `?`, or a tuple of types.
class Type {
public:
  struct Field;
  Type(std::string name, Where where = Where::current());
  Type(const char *name, Where where = Where::current());
  Type(std::vector<Field> fields, Where where = Where::current());

  /// With brackets, even where they are empty: `bool[]`.
  Type of(std::vector<Dim> sizes) const;
  /// `T?`
  Type optional() const;

  std::string name;
  std::vector<Dim> dims;
  std::vector<Field> fields;
  bool hasBrackets = false;
  bool isOptional = false;
  Where where;
};
struct Type::Field {
  std::string name;
  Type type;
};

/// `real[B, 64]` is `real("B", 64)`; without dims a scalar.
/// Its place is that of the declaration it belongs to.
template <typename... Dims> Type typeOf(const char *name, Dims &&...dims) {
  Type type(name, Where());
  if constexpr (sizeof...(Dims) == 0)
    return type;
  else
    return type.of({partAt<Dim>(std::forward<Dims>(dims), Where())...});
}
template <typename... Dims> Type real(Dims &&...dims) {
  return typeOf("real", std::forward<Dims>(dims)...);
}
template <typename... Dims> Type f32(Dims &&...dims) {
  return typeOf("f32", std::forward<Dims>(dims)...);
}
template <typename... Dims> Type f64(Dims &&...dims) {
  return typeOf("f64", std::forward<Dims>(dims)...);
}
template <typename... Dims> Type i32(Dims &&...dims) {
  return typeOf("i32", std::forward<Dims>(dims)...);
}

// ---- patterns, parameters, bodies ----

/// A name, or a tuple of patterns.
struct Pattern {
  Pattern(const char *name, Where where = Where::current()) : name(name), where(where) {}
  Pattern(std::string name, Where where = Where::current()) : name(std::move(name)), where(where) {}
  Pattern(std::vector<Pattern> elements, Where where = Where::current())
      : elements(std::move(elements)), where(where) {}
  std::string name;
  std::vector<Pattern> elements;
  Where where;
};

struct Parameter {
  Parameter(Pattern pattern) : pattern(std::move(pattern)) {}
  Parameter(const char *name, Where where = Where::current()) : pattern(name, where) {}
  Parameter(Pattern pattern, Type type) : pattern(std::move(pattern)), type(std::move(type)) {}
  Parameter(Pattern pattern, Type type, Expr value)
      : pattern(std::move(pattern)), type(std::move(type)), value(std::move(value)) {}
  /// The `##` lines above the parameter.
  Parameter &&doc(std::string text) && {
    documentation = std::move(text);
    return std::move(*this);
  }
  Pattern pattern;
  std::optional<Type> type;
  std::optional<Expr> value; ///< the default
  std::string documentation;
};
using Parameters = std::vector<Parameter>;

/// Statements of a block, in order.
struct Statements;

/// `= expression`, or a block, written as a function of the block.
struct Body {
  Body(Expr value) : content(std::move(value)) {}
  template <typename T>
    requires(std::convertible_to<T, Expr> && !std::same_as<std::remove_cvref_t<T>, Expr>)
  Body(T &&value, Where where = Where::current()) : content(Expr(std::forward<T>(value), where)) {}
  template <std::invocable<Block &> F>
    requires(!std::convertible_to<F, Expr>)
  Body(F &&fill, Where where = Where::current()) : content(run(fill, where)) {}

  std::variant<Expr, std::shared_ptr<const Statements>> content;

private:
  static std::shared_ptr<const Statements> run(const std::function<void(Block &)> &fill,
                                               Where where);
};

/// `fn (parameters) = …` as a value.
Expr fn(Parameters parameters, Body body, Where where = Where::current());
/// `if condition { then } else { otherwise }`; without `otherwise` no else.
Expr when(const Expr &condition, Body then, Where where = Where::current());
Expr when(const Expr &condition, Body then, Body otherwise, Where where = Where::current());
/// `if condition { then } else if …`, where `otherwise` is made by `when`.
Expr whenElse(const Expr &condition, Body then, Expr otherwise, Where where = Where::current());

} // namespace apr::model
