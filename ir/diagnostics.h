// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include "ir/source.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace apr {

/// Every kind of message a user can see, from diagnostics.def.
enum class DiagnosticKind : uint16_t {
#define APR_DIAGNOSTIC(Name, code, severity, explanation) Name,
#include "ir/diagnostics.def"
};

enum class Severity : uint8_t { Error, Warning, Remark };

struct DiagnosticInfo {
  std::string_view code; ///< kebab-case, stable: `-Werror=code`, `--explain=code`
  Severity severity;
  std::string_view explanation; ///< what it means and what to do, a few sentences
};

const DiagnosticInfo &diagnosticInfo(DiagnosticKind kind);
std::optional<DiagnosticKind> findDiagnostic(std::string_view code);
size_t diagnosticKindCount();

/// A further place that belongs to a message: where a shape came from, say.
struct DiagnosticNote {
  Location location;
  std::string message;
};

/// Messages are lower case without a final period and say what was found and what was expected.
struct Diagnostic {
  DiagnosticKind kind;
  Severity severity;
  Location location;
  std::string message;
  std::vector<DiagnosticNote> notes;
  std::string hint; ///< what would fix it; may be empty

  Diagnostic &note(Location where, std::string text) {
    notes.push_back({where, std::move(text)});
    return *this;
  }
  Diagnostic &withHint(std::string text) {
    hint = std::move(text);
    return *this;
  }
};

/// Collects messages in the order of their emission. Past `kMaximumErrors` errors further ones are
/// counted but dropped, so that hostile input cannot exhaust memory.
class Diagnostics {
public:
  static constexpr size_t kMaximumErrors = 100;

  /// The reference stays valid until the next report.
  Diagnostic &report(DiagnosticKind kind, Location location, std::string message);

  bool hasErrors() const { return errorCount_ != 0; }
  size_t errorCount() const { return errorCount_; }
  const std::vector<Diagnostic> &all() const { return all_; }

  /// Turns every warning of this kind into an error from now on, or drops it.
  void promote(DiagnosticKind kind);
  void suppress(DiagnosticKind kind);

private:
  enum class Treatment : uint8_t { Default, Promoted, Suppressed };
  Treatment treatment(DiagnosticKind kind) const;
  void setTreatment(DiagnosticKind kind, Treatment treatment);

  std::vector<Diagnostic> all_;
  std::vector<Treatment> treatments_;
  Diagnostic dropped_{};
  size_t errorCount_ = 0;
};

enum class ColorMode : uint8_t { Plain, Colored };

/// "file:line:col: error: message [code]", the source line with a caret, notes and hint.
std::string renderText(const Diagnostic &diagnostic, const SourceManager &sources, ColorMode mode);
/// One JSON object without a line end.
std::string renderJson(const Diagnostic &diagnostic, const SourceManager &sources);

/// The candidate closest to `name` in edit distance, where one is close enough to suggest.
std::optional<std::string> closestName(std::string_view name,
                                       const std::vector<std::string> &candidates);

} // namespace apr
