// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace apr::train {

/// What went wrong, in the terms of a tool's exit code.
enum class ErrorKind {
  Diagnostics, ///< the model does not compile; already reported
  Usage,       ///< a flag, an argument or a setting
  Data,        ///< an input or data file, or writing an output file
  Verdict,     ///< a numeric verdict failed
  Interrupted, ///< stopped by the user after saving
  Internal     ///< a broken promise of the program itself
};

/// A place in a file that a user wrote; line and column count from 1, 0 means unknown.
struct Place {
  std::string file;
  std::size_t line = 0;
  std::size_t column = 0;
};

/// "file:line:column", leaving out what is unknown.
std::string text(const Place &place);

/// An error meant for the user: where, what was found and what was expected.
class Error : public std::runtime_error {
public:
  Error(ErrorKind kind, const std::string &message);
  Error(ErrorKind kind, const Place &place, const std::string &message);

  ErrorKind kind() const { return kind_; }
  /// What happened, without the place in front.
  std::string_view message() const { return std::string_view(what()).substr(messageBegin_); }

private:
  ErrorKind kind_;
  std::size_t messageBegin_;
};

/// A short printable form of untrusted text, in double quotes: control and non-ASCII bytes are
/// escaped and long text is cut.
std::string inQuotes(std::string_view untrusted);

} // namespace apr::train
