// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ir/diagnostics.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace apr {

namespace {

constexpr DiagnosticInfo kInfos[] = {
#define APR_DIAGNOSTIC(Name, code, severity, explanation) {code, Severity::severity, explanation},
#include "ir/diagnostics.def"
};

constexpr size_t kKindCount = std::size(kInfos);

std::string_view severityWord(Severity severity) {
  switch (severity) {
  case Severity::Error:
    return "error";
  case Severity::Warning:
    return "warning";
  case Severity::Remark:
    return "remark";
  }
  return "";
}

/// Control characters of the source must not reach the terminal.
std::string printable(std::string_view text) {
  std::string out;
  for (char c : text)
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return out;
}

/// Columns count bytes, carets count characters: UTF-8 continuation bytes take no room.
size_t displayWidth(std::string_view bytes) {
  return static_cast<size_t>(std::count_if(bytes.begin(), bytes.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

constexpr size_t kMaximumShownLine = 160;

void appendSourceLine(std::string &out, Location location, const SourceManager &sources,
                      std::string_view caretColor, std::string_view reset) {
  if (!location.isKnown() || location.column == 0)
    return;
  std::string_view line = sources.line(location.file, location.line);
  size_t begin = std::min<size_t>(location.column - 1, line.size());
  if (line.size() > kMaximumShownLine && begin < kMaximumShownLine)
    line = line.substr(0, kMaximumShownLine);
  if (begin > line.size())
    return;
  size_t length = std::max<size_t>(1, std::min<size_t>(location.length, line.size() - begin));
  std::string number = fmt::format("{:>5} | ", location.line);
  size_t caretWidth = begin < line.size() ? displayWidth(line.substr(begin, length)) : 1;
  out += fmt::format("{}{}\n", number, printable(line));
  out +=
      fmt::format("{:>5} | {}{}^{}{}\n", "", std::string(displayWidth(line.substr(0, begin)), ' '),
                  caretColor, std::string(std::max<size_t>(caretWidth, 1) - 1, '~'), reset);
}

std::string jsonString(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + '"';
}

std::string jsonLocation(Location location, const SourceManager &sources) {
  if (!location.isKnown())
    return "null";
  return fmt::format("{{\"file\":{},\"line\":{},\"column\":{},\"length\":{}}}",
                     jsonString(sources.name(location.file)), location.line, location.column,
                     location.length);
}

size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
    }
  }
  return row[b.size()];
}

} // namespace

const DiagnosticInfo &diagnosticInfo(DiagnosticKind kind) {
  return kInfos[static_cast<size_t>(kind)];
}

std::optional<DiagnosticKind> findDiagnostic(std::string_view code) {
  for (size_t i = 0; i < kKindCount; ++i)
    if (kInfos[i].code == code)
      return static_cast<DiagnosticKind>(i);
  return std::nullopt;
}

size_t diagnosticKindCount() { return kKindCount; }

Diagnostic &Diagnostics::report(DiagnosticKind kind, Location location, std::string message) {
  Severity severity = diagnosticInfo(kind).severity;
  Treatment how = treatment(kind);
  if (severity == Severity::Warning && how == Treatment::Promoted)
    severity = Severity::Error;
  Diagnostic diagnostic{kind, severity, location, std::move(message), {}, {}};
  bool drop = severity != Severity::Error && how == Treatment::Suppressed;
  if (severity == Severity::Error)
    drop = errorCount_++ >= kMaximumErrors;
  else if (all_.size() >= 10 * kMaximumErrors)
    drop = true;
  if (drop) {
    dropped_ = std::move(diagnostic);
    return dropped_;
  }
  all_.push_back(std::move(diagnostic));
  return all_.back();
}

void Diagnostics::promote(DiagnosticKind kind) { setTreatment(kind, Treatment::Promoted); }
void Diagnostics::suppress(DiagnosticKind kind) { setTreatment(kind, Treatment::Suppressed); }

Diagnostics::Treatment Diagnostics::treatment(DiagnosticKind kind) const {
  size_t index = static_cast<size_t>(kind);
  return index < treatments_.size() ? treatments_[index] : Treatment::Default;
}

void Diagnostics::setTreatment(DiagnosticKind kind, Treatment treatment) {
  treatments_.resize(kKindCount, Treatment::Default);
  treatments_[static_cast<size_t>(kind)] = treatment;
}

std::string renderText(const Diagnostic &diagnostic, const SourceManager &sources, ColorMode mode) {
  bool colored = mode == ColorMode::Colored;
  std::string_view bold = colored ? "\x1b[1m" : "", reset = colored ? "\x1b[0m" : "";
  std::string_view color = "";
  if (colored)
    color = diagnostic.severity == Severity::Error ? "\x1b[1;31m" : "\x1b[1;35m";
  std::string out;
  if (diagnostic.location.isKnown())
    out += fmt::format("{}{}:{} ", bold, sources.describe(diagnostic.location), reset);
  out += fmt::format("{}{}:{} {} [{}]\n", color, severityWord(diagnostic.severity), reset,
                     diagnostic.message, diagnosticInfo(diagnostic.kind).code);
  appendSourceLine(out, diagnostic.location, sources, color, reset);
  for (const DiagnosticNote &note : diagnostic.notes) {
    if (note.location.isKnown())
      out += fmt::format("{}: ", sources.describe(note.location));
    out += fmt::format("note: {}\n", note.message);
    appendSourceLine(out, note.location, sources, "", "");
  }
  if (!diagnostic.hint.empty())
    out += fmt::format("hint: {}\n", diagnostic.hint);
  return out;
}

std::string renderJson(const Diagnostic &diagnostic, const SourceManager &sources) {
  std::string notes;
  for (const DiagnosticNote &note : diagnostic.notes)
    notes += fmt::format("{}{{\"location\":{},\"message\":{}}}", notes.empty() ? "" : ",",
                         jsonLocation(note.location, sources), jsonString(note.message));
  return fmt::format(
      "{{\"code\":{},\"severity\":{},\"location\":{},\"message\":{},\"notes\":[{}],\"hint\":{}}}",
      jsonString(diagnosticInfo(diagnostic.kind).code),
      jsonString(severityWord(diagnostic.severity)), jsonLocation(diagnostic.location, sources),
      jsonString(diagnostic.message), notes, jsonString(diagnostic.hint));
}

std::optional<std::string> closestName(std::string_view name,
                                       const std::vector<std::string> &candidates) {
  constexpr size_t kLongestName = 64;
  if (name.size() > kLongestName)
    return std::nullopt;
  std::optional<std::string> best;
  size_t bestDistance = name.size() / 3 + 1;
  for (const std::string &candidate : candidates) {
    if (candidate.size() > kLongestName || candidate == name)
      continue;
    size_t distance = editDistance(name, candidate);
    // A name that keeps no letter is not a misspelling.
    if (distance >= name.size())
      continue;
    if (distance < bestDistance || (distance == bestDistance && !best)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

} // namespace apr
