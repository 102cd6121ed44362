// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every kind of message that the frontend has, provoked by a program in test/diagnostics.
#include "test/unit/frontend/compile.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace apr::testing {
namespace {

const std::filesystem::path kFolder = std::filesystem::path(APR_SOURCE_DIR) / "test/diagnostics";

std::string readText(const std::filesystem::path &path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string fileOf(std::string code) {
  std::replace(code.begin(), code.end(), '-', '_');
  return "fail_" + code + ".apr";
}

/// Of a file that split-file cuts into programs, the first.
std::string firstProgram(const std::string &text) {
  const size_t begin = text.find("\n#--- ");
  if (begin == std::string::npos)
    return text;
  const size_t end = text.find("\n#--- ", begin + 1);
  return text.substr(begin + 1, end == std::string::npos ? end : end - begin);
}

TEST(FrontendDiagnosticsTest, EachProgramProvokesItsKind) {
  size_t count = 0;
  for (const auto &entry : std::filesystem::directory_iterator(kFolder)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with("fail_") || entry.path().extension() != ".apr")
      continue;
    ++count;
    std::string text = firstProgram(readText(entry.path()));
    SourceManager sources;
    Diagnostics diagnostics;
    FrontendOptions options;
    if (size_t set = text.find("--set "); set != std::string::npos && set < text.find('\n', 100)) {
      std::string assignment = text.substr(set + 6, text.find(' ', set + 6) - set - 6);
      size_t equals = assignment.find('=');
      options.settings[assignment.substr(0, equals)] = assignment.substr(equals + 1);
    }
    FileId file = sources.add(entry.path().string(), text);
    options.resolveImport = [&](const std::string &,
                                const std::string &path) -> std::optional<FileId> {
      if (path == name)
        return file;
      return std::nullopt;
    };
    compileModel(sources, file, diagnostics, options);
    bool isFound = false;
    for (const Diagnostic &diagnostic : diagnostics.all()) {
      std::string code(diagnosticInfo(diagnostic.kind).code);
      isFound = isFound || fileOf(code) == name;
      EXPECT_TRUE(diagnostic.location.isKnown()) << name << ": " << diagnostic.message;
      EXPECT_FALSE(diagnostic.message.ends_with(".")) << name << ": " << diagnostic.message;
    }
    EXPECT_TRUE(isFound) << name;
  }
  EXPECT_GE(count, 30u);
}

/// Kinds between BadToken and NotAvailable are the frontend's. A hash collision of stream names
/// cannot be written in a short program.
TEST(FrontendDiagnosticsTest, EachKindHasAProgram) {
  auto first = static_cast<size_t>(DiagnosticKind::BadToken);
  auto last = static_cast<size_t>(DiagnosticKind::NotAvailable);
  for (size_t i = first; i <= last; ++i) {
    auto kind = static_cast<DiagnosticKind>(i);
    if (kind == DiagnosticKind::StreamCollision)
      continue;
    EXPECT_TRUE(std::filesystem::exists(kFolder / fileOf(std::string(diagnosticInfo(kind).code))))
        << diagnosticInfo(kind).code;
  }
}

TEST(FrontendDiagnosticsTest, ReportsAnErrorOfASharedFunctionOnce) {
  Compiled compiled = compile("model M {\n"
                              "  param w: real = 0\n"
                              "  fn f(x: real[N]) -> real = mean(x * nothing)\n"
                              "  entry a(x: real[N]) -> real = f(x)\n"
                              "  entry b(x: real[N]) -> real = f(x)\n"
                              "  train step(x: real[N]) { minimize f(x) * w; using sgd() }\n"
                              "}\n");
  EXPECT_EQ(compiled.codes, std::vector<std::string>{"unknown-name"}) << compiled.messages;
}

} // namespace
} // namespace apr::testing
