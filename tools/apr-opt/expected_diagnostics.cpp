// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/apr-opt/expected_diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace apr::opt {
namespace {

struct Expectation {
  Severity severity;
  std::optional<int64_t> line; ///< empty: any
  std::string text;
  int64_t commentLine;
  bool isMet = false;
};

std::string_view severityName(Severity severity) {
  switch (severity) {
  case Severity::Error:
    return "error";
  case Severity::Warning:
    return "warning";
  case Severity::Remark:
    return "remark";
  }
  return {};
}

bool takePrefix(std::string_view &text, std::string_view prefix) {
  if (!text.starts_with(prefix))
    return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Parses what follows "expected-" in a comment; empty where it is no expectation.
std::optional<Expectation> parseExpectation(std::string_view text, int64_t line) {
  std::optional<Severity> severity;
  for (Severity candidate : {Severity::Error, Severity::Warning, Severity::Remark})
    if (!severity && takePrefix(text, severityName(candidate)))
      severity = candidate;
  if (!severity)
    return std::nullopt;
  Expectation expectation{*severity, line, {}, line};
  if (takePrefix(text, "@*")) {
    expectation.line.reset();
  } else if (takePrefix(text, "@")) {
    takePrefix(text, "+");
    int64_t offset = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
    if (error != std::errc())
      return std::nullopt;
    text.remove_prefix(size_t(end - text.data()));
    expectation.line = line + offset;
  }
  size_t open = text.find("{{"), close = text.rfind("}}");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open + 2)
    return std::nullopt;
  expectation.text = text.substr(open + 2, close - open - 2);
  return expectation;
}

/// Adds the expectations of the file; malformed ones become problems.
std::vector<Expectation> collectExpectations(std::string_view text,
                                             std::vector<std::string> &problems) {
  constexpr std::string_view kMarker = "// expected-";
  std::vector<Expectation> all;
  for (int64_t line = 1; !text.empty(); ++line) {
    std::string_view content = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(content.size() + 1, text.size()));
    size_t start = content.find(kMarker);
    if (start == std::string_view::npos)
      continue;
    if (auto found = parseExpectation(content.substr(start + kMarker.size()), line))
      all.push_back(*found);
    else
      problems.push_back(fmt::format("line {}: malformed expected- comment", line));
  }
  return all;
}

bool covers(const Expectation &expectation, const Diagnostic &diagnostic) {
  return !expectation.isMet && expectation.severity == diagnostic.severity &&
         (!expectation.line || *expectation.line == int64_t(diagnostic.location.line)) &&
         diagnostic.message.find(expectation.text) != std::string::npos;
}

} // namespace

std::vector<std::string> checkExpectedDiagnostics(const SourceManager &sources, FileId file,
                                                  const Diagnostics &diagnostics) {
  std::vector<std::string> problems;
  std::vector<Expectation> all = collectExpectations(sources.text(file), problems);
  for (const Diagnostic &diagnostic : diagnostics.all()) {
    auto met =
        std::ranges::find_if(all, [&](const Expectation &e) { return covers(e, diagnostic); });
    if (met != all.end())
      met->isMet = true;
    else
      problems.push_back(fmt::format("{}: unexpected {}: {}", sources.describe(diagnostic.location),
                                     severityName(diagnostic.severity), diagnostic.message));
  }
  for (const Expectation &expectation : all)
    if (!expectation.isMet)
      problems.push_back(fmt::format("line {}: expected {} '{}' was not reported",
                                     expectation.commentLine, severityName(expectation.severity),
                                     expectation.text));
  return problems;
}

} // namespace apr::opt
