// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/source.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace apr::frontend {

/// The syntax tree of a file: one struct per construct of docs/language.md, in the order of its
/// grammar. It holds what was written and nothing that was found out about it.

struct Expr;
struct FunctionDecl;
struct Block;
using ExprPtr = std::unique_ptr<Expr>;

/// A name with the place where it stands.
struct Name {
  std::string text;
  Location location;
};

// ---- expressions ----

struct NameExpr {
  std::string name;
};
/// An integer or decimal literal; its text is exact.
struct NumberExpr {
  std::string text;
};
struct StringExpr {
  std::string text;
};
struct BoolExpr {
  bool value;
};
struct NoneExpr {};
struct TupleExpr {
  std::vector<ExprPtr> elements;
};
struct ListExpr {
  std::vector<ExprPtr> elements;
};
struct MemberExpr {
  ExprPtr object;
  Name member;
};
struct ArgumentExpr {
  std::optional<Name> name;
  ExprPtr value;
};
struct CallExpr {
  ExprPtr callee;
  std::vector<ArgumentExpr> arguments;
};
/// One index: an expression, `first : last : stride` with optional parts, or `..`.
struct Index {
  enum class Kind : uint8_t { Element, Slice, Rest };
  Kind kind = Kind::Element;
  ExprPtr first;
  ExprPtr last;
  ExprPtr stride;
  Location location;
};
struct IndexExpr {
  ExprPtr object;
  std::vector<Index> indices;
};
enum class UnaryOp : uint8_t { Negate, Not };
struct UnaryExpr {
  UnaryOp op;
  ExprPtr operand;
};
enum class BinaryOp : uint8_t {
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Remainder,
  Power,
  MatrixMultiply,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  And,
  Or,
};
struct BinaryExpr {
  BinaryOp op;
  Location opLocation;
  ExprPtr left;
  ExprPtr right;
};
/// `count x constructor`
struct RepeatExpr {
  ExprPtr count;
  ExprPtr constructor;
};
/// `value |> call`
struct PipeExpr {
  ExprPtr value;
  ExprPtr call;
};
struct IfExpr {
  ExprPtr condition;
  std::unique_ptr<Block> then;
  ExprPtr otherwise; ///< a BlockExpr or an IfExpr; null without `else`
};
struct BlockExpr {
  std::unique_ptr<Block> block;
};
struct FunctionExpr {
  std::unique_ptr<FunctionDecl> function;
};

struct Expr {
  Location location;
  uint32_t depth = 1; ///< height of the tree, which the parser bounds
  std::variant<NameExpr, NumberExpr, StringExpr, BoolExpr, NoneExpr, TupleExpr, ListExpr,
               MemberExpr, CallExpr, IndexExpr, UnaryExpr, BinaryExpr, RepeatExpr, PipeExpr, IfExpr,
               BlockExpr, FunctionExpr>
      node;

  template <typename Node> const Node *as() const { return std::get_if<Node>(&node); }
};

// ---- types ----

/// One dim of a type: an expression, or `..name`.
struct DimExpr {
  Location location;
  bool isRest = false;
  std::string restName; ///< empty for a plain `..`
  ExprPtr expr;
};

struct TypeExpr;
struct TypeField {
  std::optional<Name> name;
  std::unique_ptr<TypeExpr> type;
};
struct TypeExpr {
  Location location;
  std::string name; ///< empty for a tuple
  bool hasBrackets = false;
  bool isOptional = false;
  std::vector<DimExpr> dims;
  std::vector<TypeField> fields;
};
using TypePtr = std::unique_ptr<TypeExpr>;

// ---- functions and statements ----

/// A name, or a tuple of patterns.
struct Pattern {
  Location location;
  std::string name;
  std::vector<Pattern> elements;
};

struct Parameter {
  Pattern pattern;
  TypePtr type;
  ExprPtr defaultValue;
  std::string doc;
};

/// `= expr` or `{ … }`; exactly one of the two is there.
struct Body {
  ExprPtr expr;
  std::unique_ptr<Block> block;
};

struct FunctionDecl {
  Location location;
  std::string doc;
  std::string name; ///< empty for a layer's own call and for a function value
  std::vector<Parameter> parameters;
  TypePtr result;
  Body body;
  std::vector<Parameter> gradientParameters;
  std::optional<Body> gradient; ///< after `with gradient`
};

struct LetStmt {
  Pattern pattern;
  TypePtr type;
  ExprPtr value;
};
struct StateStmt {
  Name name;
  TypePtr type;
  ExprPtr value;
};
/// `target <- value`
struct AssignStmt {
  ExprPtr target;
  ExprPtr value;
};
struct ReportStmt {
  Name name;
  ExprPtr value; ///< null for `report name`
  std::string doc;
};
struct MinimizeStmt {
  ExprPtr value;
  std::vector<ExprPtr> over;
};
struct DescendStmt {
  ExprPtr value;
};
struct UsingStmt {
  ExprPtr transform;
  std::vector<ExprPtr> on;
};
struct ExpectStmt {
  ExprPtr condition;
};
/// `after { … }`: statements that see the updated parameters.
struct AfterStmt {
  std::unique_ptr<Block> block;
};
/// `update(p, g) { … }` of an optimizer.
struct UpdateStmt {
  bool perRow = false;
  std::vector<Parameter> parameters;
  std::unique_ptr<Block> block;
};
struct ExprStmt {
  ExprPtr value;
};

struct Stmt {
  Location location;
  std::variant<LetStmt, StateStmt, AssignStmt, ReportStmt, MinimizeStmt, DescendStmt, UsingStmt,
               ExpectStmt, AfterStmt, UpdateStmt, ExprStmt>
      node;

  template <typename Node> const Node *as() const { return std::get_if<Node>(&node); }
};

struct Block {
  Location location;
  std::vector<Stmt> statements;
};

// ---- items ----

struct Binding {
  Name name;
  TypePtr type;
  ExprPtr value;
};
/// `param` and `buffer`
struct StateMember {
  enum class Kind : uint8_t { Param, Buffer };
  Kind kind = Kind::Param;
  Name name;
  TypePtr type;
  ExprPtr start;
  std::string doc;
};
struct FreezeMember {
  std::vector<ExprPtr> paths;
};
struct EntryMember {
  FunctionDecl function;
};
struct TrainMember {
  Location location;
  std::string doc;
  Name name;
  std::vector<Parameter> parameters;
  ExprPtr shards;
  Block block;
};
struct Member {
  Location location;
  std::variant<Binding, StateMember, FreezeMember, FunctionDecl, EntryMember, TrainMember> node;

  template <typename Node> const Node *as() const { return std::get_if<Node>(&node); }
};

struct Layer {
  Location location;
  std::string doc;
  bool isModel = false;
  Name name;
  std::vector<Parameter> parameters;
  std::vector<Member> members;
};

struct Optimizer {
  Location location;
  std::string doc;
  Name name;
  std::vector<Parameter> parameters;
  std::vector<Stmt> rules;
};

struct Import {
  Location location;
  std::string path;
  Location pathLocation;
  std::vector<Name> names;
};

struct Test {
  Location location;
  std::string title;
  Block block;
};

struct Item {
  Location location;
  std::variant<Import, FunctionDecl, Layer, Optimizer, Test, Binding> node;

  template <typename Node> const Node *as() const { return std::get_if<Node>(&node); }
};

struct File {
  FileId id = kNoFile;
  std::vector<Item> items;
};

/// The range from one place to another; where they are on different lines, the rest of the first
/// line's token.
Location join(Location first, Location last);

/// An indented outline of the tree, one node per line with its position: `aprc --emit=ast`.
std::string dumpAst(const File &file);

} // namespace apr::frontend
