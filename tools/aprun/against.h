// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "tools/aprun/session.h"

#include <string>

namespace apr::aprun {

/// The other way that verify --against asks for.
struct Against {
  enum class Kind { Interpreter, Compiled, Object };
  Kind kind = Kind::Interpreter;
  std::string name;     ///< as messages call it
  ModelRequest request; ///< of Compiled and Object
};

/// Reads "interpreter", "cpu=LEVEL", "optimize=LEVEL" or the path of an object or a model. What is
/// none of these, a CPU level that is unknown, and a file that is not there are errors of kind
/// Usage at --against.
Against parseAgainst(const Session &session, const CommandLine &line, const std::string &word);

} // namespace apr::aprun
