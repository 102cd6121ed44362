// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/frontend/format_doc.h"

namespace apr::frontend {

/// A token or a group that stands in an expression or statement.
struct Atom {
  enum class Role : uint8_t {
    Token,   ///< punctuation, an operator
    Operand, ///< what may end an operand
    Word,    ///< a word of a statement: `minimize`, `over`, `let`
    Brackets,
    Braces,
  };
  Role role = Role::Token;
  TokenKind kind = TokenKind::End;
  Doc doc;

  bool endsOperand() const { return role == Role::Operand || role == Role::Brackets; }
  bool isOperator(TokenKind wanted) const { return role == Role::Token && kind == wanted; }
};
using Atoms = std::vector<Atom>;

/// True of `=` and `<-`.
bool isAssignment(const Atom &atom);

/// A run of atoms that may hold an assignment, commas and words of a statement.
Doc layOutAssign(Atoms atoms, Doc::Style style);
/// Operators by precedence, pipes, a function's head.
Doc layOutExpression(Atoms atoms);
/// One index of `x[…]`.
Doc layOutIndex(Atoms atoms);
/// Atoms on one line, with the blanks that stand between them.
Doc sequence(Atoms atoms);
/// Two parts without a blank.
Doc glue(Doc left, Doc right);

} // namespace apr::frontend
